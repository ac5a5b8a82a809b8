/* What the AWS Load Balancer Controller reads from annotations of an Ingress. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/controller.h"
#include "rules/json_peek.h"

#define ALB "alb.ingress.kubernetes.io/"

/* [{"HTTP": 80}, {"HTTPS": 443}]. False when it is anything else. */
static bool parse_listeners(const char *text, struct alb_listeners *out)
{
    struct json_peek j;
    enum json_token t;
    bool https = false;

    json_peek_init(&j, text);
    if (json_peek_next(&j) != JSON_ARRAY) {
        return false;
    }
    while ((t = json_peek_next(&j)) != JSON_DONE) {
        if (t == JSON_KEY) {
            https = strcmp(j.text, "HTTPS") == 0;
            if (!https && strcmp(j.text, "HTTP") != 0) {
                return false;
            }
            out->https = out->https || https;
            out->http = out->http || !https;
        } else if (t == JSON_STRING || t == JSON_BAD || t == JSON_ARRAY ||
                   (t == JSON_OBJECT && j.depth != 2)) {
            return false;
        }
    }
    return out->http || out->https;
}

void alb_listeners_of(const struct ingress *ing, struct alb_listeners *out)
{
    const char *text = annotation_text(&ing->head, ALB "listen-ports");

    *out = (struct alb_listeners){ .given = text != NULL };
    if (text == NULL) {
        out->https = annotation_text(&ing->head, ALB "certificate-arn") != NULL;
        out->http = !out->https;
    } else if (!parse_listeners(text, out)) {
        out->malformed = true;
        out->http = out->https = false;
    }
}

bool alb_same_group(const struct ingress *a, const struct ingress *b)
{
    const char *mine = annotation_text(&a->head, ALB "group.name");
    const char *theirs = annotation_text(&b->head, ALB "group.name");

    return mine != NULL && theirs != NULL && strcmp(mine, theirs) == 0;
}

bool alb_action_redirects(const struct ingress *ing, const char *service)
{
    char key[512];
    const char *text;
    struct json_peek j;
    enum json_token t;
    bool redirect = false, to_https = false;
    bool at_type = false, at_config = false,
         at_protocol = false; /* the last key at depths 1, 1, 2 */

    snprintf(key, sizeof(key), ALB "actions.%s", service);
    text = annotation_text(&ing->head, key);
    if (text == NULL) {
        return false;
    }
    json_peek_init(&j, text);
    while ((t = json_peek_next(&j)) != JSON_DONE) {
        if (t == JSON_BAD) {
            return false;
        }
        if (t == JSON_KEY && j.depth == 1) { /* the controller's reader takes keys in any case */
            at_type = text_iequal(j.text, "type");
            at_config = text_iequal(j.text, "redirectConfig");
        } else if (t == JSON_KEY && j.depth == 2) {
            at_protocol = at_config && text_iequal(j.text, "protocol");
        } else if (t == JSON_STRING && j.depth == 1 && at_type) {
            redirect = strcmp(j.text, "redirect") == 0;
        } else if (t == JSON_STRING && j.depth == 2 && at_protocol) {
            to_https = strcmp(j.text, "HTTPS") == 0;
        }
    }
    return redirect && to_https;
}
