#include "fake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "generate.h"

uint64_t fake_now(const struct fake *f)
{
    return uv_now(f->loop);
}

uint64_t fake_random(struct fake *f)
{
    f->random += 0x9e3779b97f4a7c15u;
    return mix(f->random);
}

void fake_uuid(struct fake *f, char out[37])
{
    seeded_uuid(0xfa4e, ++f->created, out);
}

void fake_timestamp(char out[24])
{
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool fake_add_token(struct fake *f, const char *text)
{
    const char *eq = strchr(text, '=');
    size_t n = eq != NULL ? (size_t)(eq - text) : strlen(text);

    if (n == 0) {
        return false;
    }
    f->tokens = xrealloc(f->tokens, (f->token_count + 1) * sizeof(*f->tokens));
    f->tokens[f->token_count++] =
        (struct token){ xstrndup(text, n), xstrdup(eq != NULL ? eq + 1 : "test-user") };
    f->tokens_on = true;
    return true;
}

void fake_revoke_token(struct fake *f, const char *secret)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->token_count; i++) {
        if (strcmp(f->tokens[i].secret, secret) == 0) {
            free(f->tokens[i].secret);
            free(f->tokens[i].user);
        } else {
            f->tokens[kept++] = f->tokens[i];
        }
    }
    f->token_count = kept;
}

const char *fake_user_of(const struct fake *f, const char *secret)
{
    for (size_t i = 0; i < f->token_count; i++) {
        if (strcmp(f->tokens[i].secret, secret) == 0) {
            return f->tokens[i].user;
        }
    }
    return NULL;
}
