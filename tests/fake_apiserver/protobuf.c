#include "protobuf.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum type {
    T_STRING,
    T_INT,
    T_INT_KEEP,
    T_BOOL,
    T_MESSAGE,
    T_MAP,
    T_BYTES_MAP,
    T_INT_OR_STRING,
    T_INLINE
};

struct field {
    unsigned number;
    const char *name; /* NULL ends a table */
    enum type type;
    bool repeated;
    const struct field *message;
};

#define END                                                                                        \
    {                                                                                              \
        0, NULL, T_STRING, false, NULL                                                             \
    }

static const struct field meta[] = { { 1, "name", T_STRING, false, NULL },
                                     { 2, "generateName", T_STRING, false, NULL },
                                     { 3, "namespace", T_STRING, false, NULL },
                                     { 11, "labels", T_MAP, false, NULL },
                                     { 12, "annotations", T_MAP, false, NULL },
                                     { 14, "finalizers", T_STRING, true, NULL },
                                     END };
static const struct field expression[] = { { 1, "key", T_STRING, false, NULL },
                                           { 2, "operator", T_STRING, false, NULL },
                                           { 3, "values", T_STRING, true, NULL },
                                           END };
static const struct field selector[] = { { 1, "matchLabels", T_MAP, false, NULL },
                                         { 2, "matchExpressions", T_MESSAGE, true, expression },
                                         END };
static const struct field container_port[] = { { 1, "name", T_STRING, false, NULL },
                                               { 2, "hostPort", T_INT, false, NULL },
                                               { 3, "containerPort", T_INT, false, NULL },
                                               { 4, "protocol", T_STRING, false, NULL },
                                               END };
static const struct field env[] = { { 1, "name", T_STRING, false, NULL },
                                    { 2, "value", T_STRING, false, NULL },
                                    END };
static const struct field container[] = { { 1, "name", T_STRING, false, NULL },
                                          { 2, "image", T_STRING, false, NULL },
                                          { 3, "command", T_STRING, true, NULL },
                                          { 4, "args", T_STRING, true, NULL },
                                          { 6, "ports", T_MESSAGE, true, container_port },
                                          { 7, "env", T_MESSAGE, true, env },
                                          END };
static const struct field pod_spec[] = { { 2, "containers", T_MESSAGE, true, container },
                                         { 3, "restartPolicy", T_STRING, false, NULL },
                                         { 6, "dnsPolicy", T_STRING, false, NULL },
                                         { 7, "nodeSelector", T_MAP, false, NULL },
                                         { 8, "serviceAccountName", T_STRING, false, NULL },
                                         { 11, "hostNetwork", T_BOOL, false, NULL },
                                         END };
static const struct field template[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                         { 2, "spec", T_MESSAGE, false, pod_spec },
                                         END };
static const struct field deployment_spec[] = { { 1, "replicas", T_INT_KEEP, false, NULL },
                                                { 2, "selector", T_MESSAGE, false, selector },
                                                { 3, "template", T_MESSAGE, false, template },
                                                END };
static const struct field deployment[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                           { 2, "spec", T_MESSAGE, false, deployment_spec },
                                           END };
static const struct field job_spec[] = { { 6, "template", T_MESSAGE, false, template }, END };
static const struct field job_template[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                             { 2, "spec", T_MESSAGE, false, job_spec },
                                             END };
static const struct field cronjob_spec[] = { { 1, "schedule", T_STRING, false, NULL },
                                             { 5, "jobTemplate", T_MESSAGE, false, job_template },
                                             END };
static const struct field cronjob[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                        { 2, "spec", T_MESSAGE, false, cronjob_spec },
                                        END };
static const struct field namespace[] = { { 1, "metadata", T_MESSAGE, false, meta }, END };
static const struct field pod[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                    { 2, "spec", T_MESSAGE, false, pod_spec },
                                    END };
static const struct field service_port[] = {
    { 1, "name", T_STRING, false, NULL },  { 2, "protocol", T_STRING, false, NULL },
    { 3, "port", T_INT, false, NULL },     { 4, "targetPort", T_INT_OR_STRING, false, NULL },
    { 5, "nodePort", T_INT, false, NULL }, END
};
static const struct field service_spec[] = { { 1, "ports", T_MESSAGE, true, service_port },
                                             { 2, "selector", T_MAP, false, NULL },
                                             { 3, "clusterIP", T_STRING, false, NULL },
                                             { 4, "type", T_STRING, false, NULL },
                                             { 5, "externalIPs", T_STRING, true, NULL },
                                             { 10, "externalName", T_STRING, false, NULL },
                                             END };
static const struct field service[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                        { 2, "spec", T_MESSAGE, false, service_spec },
                                        END };
static const struct field secret[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                       { 2, "data", T_BYTES_MAP, false, NULL },
                                       { 3, "type", T_STRING, false, NULL },
                                       { 4, "stringData", T_MAP, false, NULL },
                                       END };
static const struct field backend_port[] = { { 1, "name", T_STRING, false, NULL },
                                             { 2, "number", T_INT, false, NULL },
                                             END };
static const struct field backend_service[] = { { 1, "name", T_STRING, false, NULL },
                                                { 2, "port", T_MESSAGE, false, backend_port },
                                                END };
static const struct field backend[] = { { 4, "service", T_MESSAGE, false, backend_service }, END };
static const struct field http_path[] = { { 1, "path", T_STRING, false, NULL },
                                          { 2, "backend", T_MESSAGE, false, backend },
                                          { 3, "pathType", T_STRING, false, NULL },
                                          END };
static const struct field http[] = { { 1, "paths", T_MESSAGE, true, http_path }, END };
static const struct field rule_value[] = { { 1, "http", T_MESSAGE, false, http }, END };
static const struct field ingress_rule[] = { { 1, "host", T_STRING, false, NULL },
                                             { 2, "", T_INLINE, false, rule_value },
                                             END };
static const struct field ingress_tls[] = { { 1, "hosts", T_STRING, true, NULL },
                                            { 2, "secretName", T_STRING, false, NULL },
                                            END };
static const struct field ingress_spec[] = { { 1, "defaultBackend", T_MESSAGE, false, backend },
                                             { 2, "tls", T_MESSAGE, true, ingress_tls },
                                             { 3, "rules", T_MESSAGE, true, ingress_rule },
                                             { 4, "ingressClassName", T_STRING, false, NULL },
                                             END };
static const struct field ingress[] = { { 1, "metadata", T_MESSAGE, false, meta },
                                        { 2, "spec", T_MESSAGE, false, ingress_spec },
                                        END };

static const struct {
    const char *kind;
    const struct field *fields;
} roots[] = { { "Namespace", namespace }, { "Deployment", deployment },
              { "Service", service },     { "Pod", pod },
              { "Secret", secret },       { "Ingress", ingress },
              { "CronJob", cronjob } };

struct cursor {
    const unsigned char *at, *end;
    bool bad;
};

static uint64_t varint(struct cursor *c)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->at == c->end) {
            break;
        }
        v |= (uint64_t)(*c->at & 0x7f) << shift;
        if ((*c->at++ & 0x80) == 0) {
            return v;
        }
    }
    c->bad = true;
    return 0;
}

/* Next field: its number and wire type; length-delimited content in *sub, varints in *value. False
 * at the end. */
static bool next_field(struct cursor *c, unsigned *number, struct cursor *sub, uint64_t *value)
{
    uint64_t tag, n = 0;

    if (c->bad || c->at == c->end) {
        return false;
    }
    tag = varint(c);
    *number = (unsigned)(tag >> 3);
    *value = 0;
    *sub = (struct cursor){ c->at, c->at, false };
    switch (tag & 7) {
    case 0:
        *value = varint(c);
        break;
    case 1:
        n = 8;
        break;
    case 2:
        n = varint(c);
        break;
    case 5:
        n = 4;
        break;
    default:
        c->bad = true;
    }
    if (c->bad || n > (uint64_t)(c->end - c->at)) {
        c->bad = true;
        return false;
    }
    *sub = (struct cursor){ c->at, c->at + n, false };
    c->at += n;
    return true;
}

static char *text_of(const struct cursor *c)
{
    return xstrndup((const char *)c->at, (size_t)(c->end - c->at));
}

static void read_map(cJSON *map, struct cursor entry, bool bytes)
{
    struct cursor sub;
    uint64_t value;
    unsigned number;
    char *key = xstrdup("");
    struct buf text = { 0 };

    while (next_field(&entry, &number, &sub, &value)) {
        size_t n = (size_t)(sub.end - sub.at);

        if (number == 1) {
            free(key);
            key = text_of(&sub);
        } else if (bytes) {
            text.len = (size_t)EVP_EncodeBlock((unsigned char *)buf_reserve(&text, n / 3 * 4 + 8),
                                               sub.at, (int)n);
        } else {
            buf_add(&text, sub.at, n);
        }
    }
    jset_str(map, key, buf_cstr(&text));
    free(key);
    buf_free(&text);
}

static cJSON *int_or_string(struct cursor c)
{
    struct cursor sub;
    uint64_t value, type = 0, number_value = 0;
    unsigned number;
    char *text = NULL;
    cJSON *v;

    while (next_field(&c, &number, &sub, &value)) {
        if (number == 1) {
            type = value;
        } else if (number == 2) {
            number_value = value;
        } else if (number == 3) {
            free(text);
            text = text_of(&sub);
        }
    }
    v = type == 1 ? cJSON_CreateString(text != NULL ? text : "")
                  : cJSON_CreateNumber((double)(int32_t)number_value);
    free(text);
    return v;
}

/* Depth is that of the tables above. */
static void read_message(cJSON *out, struct cursor *c, const struct field *fields);

static void read_field(cJSON *out, const struct field *f, struct cursor sub, uint64_t value)
{
    cJSON *v = NULL;
    char *text;

    switch (f->type) {
    case T_STRING:
        text = text_of(&sub);
        v = text[0] != '\0' || f->repeated ? cJSON_CreateString(text) : NULL;
        free(text);
        break;
    case T_INT:
        v = value != 0 ? cJSON_CreateNumber((double)(int64_t)value) : NULL;
        break;
    case T_INT_KEEP:
        v = cJSON_CreateNumber((double)(int64_t)value);
        break;
    case T_BOOL:
        v = value != 0 ? cJSON_CreateTrue() : NULL;
        break;
    case T_MAP:
    case T_BYTES_MAP:
        read_map(jobj(out, f->name), sub, f->type == T_BYTES_MAP);
        return;
    case T_INT_OR_STRING:
        v = int_or_string(sub);
        break;
    case T_INLINE:
        read_message(out, &sub, f->message);
        return;
    case T_MESSAGE:
        v = cJSON_CreateObject();
        read_message(v, &sub, f->message);
        break;
    }
    if (v == NULL) {
        return;
    }
    if (f->repeated) {
        cJSON *list = jget(out, f->name);

        if (list == NULL) {
            list = cJSON_AddArrayToObject(out, f->name);
        }
        cJSON_AddItemToArray(list, v);
    } else {
        jset(out, f->name, v);
    }
}

static void read_message(cJSON *out, struct cursor *c, const struct field *fields)
{
    struct cursor sub;
    uint64_t value;
    unsigned number;

    while (next_field(c, &number, &sub, &value)) {
        for (const struct field *f = fields; f->name != NULL; f++) {
            if (f->number == number) {
                read_field(out, f, sub, value);
            }
        }
    }
}

cJSON *protobuf_object(const char *data, size_t n, const struct kind *k)
{
    const unsigned char *at = (const unsigned char *)data;
    struct cursor c = { at + 4, at + n, false };
    struct cursor raw = { 0 };
    struct cursor sub;
    uint64_t value;
    unsigned number;
    cJSON *root;

    if (n < 4 || memcmp(data, "k8s\0", 4) != 0) {
        return NULL;
    }
    while (next_field(&c, &number, &sub, &value)) {
        if (number == 2) {
            raw = sub;
        }
    }
    for (size_t i = 0; !c.bad && raw.at != NULL && i < ARRAY_LEN(roots); i++) {
        if (strcmp(roots[i].kind, k->name) == 0 && !k->crd) {
            root = cJSON_CreateObject();
            read_message(root, &raw, roots[i].fields);
            return root;
        }
    }
    return NULL;
}
