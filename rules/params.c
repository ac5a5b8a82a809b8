#include "rules/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static int count_parts(const char *text)
{
    int n = *text != '\0' ? 1 : 0;

    for (const char *p = text; *p != '\0'; p++) {
        n += *p == ',' ? 1 : 0;
    }
    return n;
}

/* The next part of a comma-separated text, spaces around it cut; NULL at the end. */
static char *next_part(const char **text, struct arena *arena)
{
    const char *start = *text;

    if (start == NULL) {
        return NULL;
    }
    size_t len = strcspn(start, ",");
    *text = start[len] == ',' ? start + len + 1 : NULL;
    while (len > 0 && *start == ' ') {
        start++;
        len--;
    }
    while (len > 0 && start[len - 1] == ' ') {
        len--;
    }
    return arena_strndup(arena, start, len);
}

static const char *const *read_list(const char *text, struct arena *arena)
{
    int room = count_parts(text), n = 0;
    const char **list = arena_alloc(arena, ((size_t)room + 1) * sizeof(*list));

    for (char *part; room > 0 && (part = next_part(&text, arena)) != NULL;) {
        if (*part != '\0') {
            list[n++] = part;
        }
    }
    return list;
}

/* NULL when a part is no key=value. */
static const struct label_pair *read_map(const char *text, struct arena *arena)
{
    int room = count_parts(text), n = 0;
    struct label_pair *map = arena_alloc(arena, ((size_t)room + 1) * sizeof(*map));

    for (char *part; room > 0 && (part = next_part(&text, arena)) != NULL;) {
        char *equals = strchr(part, '=');
        if (*part == '\0') {
            continue;
        }
        if (equals == NULL || equals == part) {
            return NULL;
        }
        *equals = '\0';
        map[n++] = (struct label_pair){ part, equals + 1 };
    }
    return map;
}

static bool read_range(const char *text, struct param_value *v)
{
    char lo[24];
    long long a, b;
    const char *dash = strchr(text, '-');

    if (dash == NULL || (size_t)(dash - text) >= sizeof(lo)) {
        return false;
    }
    memcpy(lo, text, (size_t)(dash - text));
    lo[dash - text] = '\0';
    if (!text_to_int(lo, 0, INT64_MAX, &a) || !text_to_int(dash + 1, 0, INT64_MAX, &b) || a > b) {
        return false;
    }
    v->lo = a;
    v->hi = b;
    return true;
}

int param_read(struct param_value *out, const struct param *row, const char *text,
               struct arena *arena, struct error *err)
{
    struct param_value v = { .text = arena_strdup(arena, text) };
    long long number;
    bool flag;

    switch (row->type) {
    case PARAM_INT:
        if (!text_to_int(text, 0, INT64_MAX, &number)) {
            return error_set(err, NA_EINVAL, "'%s' is not a whole number of at least 0", text);
        }
        v.number = number;
        break;
    case PARAM_DURATION:
        if (!duration_parse(text, &v.number)) {
            return error_set(err, NA_EINVAL, "'%s' is not a duration such as 90s, 5m, 24h or 7d",
                             text);
        }
        break;
    case PARAM_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return error_set(err, NA_EINVAL, "'%s' is neither true nor false", text);
        }
        flag = strcmp(text, "true") == 0;
        v.number = flag ? 1 : 0;
        break;
    case PARAM_RANGE:
        if (!read_range(text, &v)) {
            return error_set(err, NA_EINVAL, "'%s' is not a range such as 30000-32767", text);
        }
        break;
    case PARAM_LIST:
        v.list = read_list(text, arena);
        break;
    case PARAM_MAP:
        v.map = read_map(text, arena);
        if (v.map == NULL) {
            return error_set(err, NA_EINVAL, "'%s' is not a map such as key=value,key2=value2",
                             text);
        }
        break;
    case PARAM_TEXT:
    case PARAM_END:
        break;
    }
    *out = v;
    return 0;
}

int param_place(const struct param *rows, const char *name)
{
    for (int i = 0; rows != NULL && rows[i].type != PARAM_END; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

struct rule_params *params_initial(const struct rule *r, struct arena *arena)
{
    struct rule_params *p = arena_alloc(arena, sizeof(*p));
    size_t n = 0;

    p->rows = r->params;
    while (r->params != NULL && r->params[n].type != PARAM_END) {
        n++;
    }
    p->values = arena_alloc(arena, (n + 1) * sizeof(p->values[0]));
    for (size_t i = 0; i < n; i++) {
        if (param_read(&p->values[i], &r->params[i], r->params[i].initial, arena, NULL) != 0) {
            abort(); /* the row is ours */
        }
    }
    return p;
}

static const struct param_value *value_of(const struct rule_input *in, const char *name)
{
    int place = param_place(in->params->rows, name);

    if (place < 0) {
        abort(); /* a rule asks for a parameter that its row does not have */
    }
    return &in->params->values[place];
}

int64_t param_int(const struct rule_input *in, const char *name)
{
    return value_of(in, name)->number;
}

const char *param_text(const struct rule_input *in, const char *name)
{
    return value_of(in, name)->text;
}

const char *const *param_list(const struct rule_input *in, const char *name)
{
    return value_of(in, name)->list;
}

bool param_list_has(const struct rule_input *in, const char *name, const char *value)
{
    const char *const *list = param_list(in, name);

    while (*list != NULL && strcmp(*list, value) != 0) {
        list++;
    }
    return *list != NULL;
}

const struct label_pair *param_map(const struct rule_input *in, const char *name)
{
    return value_of(in, name)->map;
}

void param_range(const struct rule_input *in, const char *name, int64_t *lo, int64_t *hi)
{
    *lo = value_of(in, name)->lo;
    *hi = value_of(in, name)->hi;
}
