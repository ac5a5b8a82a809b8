/* PeerAuthentication of security.istio.io. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/decode_policy.h"

static int decode_mode(struct peer_authentication *p, const cJSON *node, const struct field *at,
                       enum mtls_mode *out, struct error *err)
{
    static const char *const words[] = { [MTLS_UNSET] = "UNSET",
                                         [MTLS_DISABLE] = "DISABLE",
                                         [MTLS_PERMISSIVE] = "PERMISSIVE",
                                         [MTLS_STRICT] = "STRICT" };
    const char *text;
    int rc = tree_text(node, at, "mode", &text, err);

    *out = MTLS_UNSET;
    if (rc != 0 || text == NULL) {
        return rc;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], text) == 0) {
            *out = (enum mtls_mode)i;
            return 0;
        }
    }
    malformed_note(&p->malformed, field_sentence(FIELD(at, "mode"),
                                                 "must be UNSET, DISABLE, PERMISSIVE or STRICT"));
    return 0;
}

static int decode_ports(struct peer_authentication *p, const cJSON *ports, const struct field *at,
                        struct error *err)
{
    const cJSON *child;
    int count = cJSON_GetArraySize(ports);

    if (count == 0) {
        return 0;
    }
    p->ports = xcalloc((size_t)count, sizeof(p->ports[0]));
    cJSON_ArrayForEach(child, ports)
    {
        struct port_mtls *port = &p->ports[p->port_count];
        char *end;
        long number = strtol(child->string, &end, 10);
        if (!cJSON_IsObject(child)) {
            return field_error(FIELD(at, child->string), err, "must be an object");
        }
        if (!isdigit((unsigned char)child->string[0]) || *end != '\0' || number < 1 ||
            number > 65535) {
            malformed_note(&p->malformed, field_sentence(FIELD(at, child->string),
                                                         "must be a port from 1 to 65535"));
            continue;
        }
        port->port = (uint16_t)number;
        int rc = decode_mode(p, child, FIELD(at, child->string), &port->mode, err);
        if (rc != 0) {
            return rc;
        }
        p->port_count++;
    }
    return 0;
}

/* spec.selector holds matchLabels only. */
static int decode_selector(struct peer_authentication *p, const cJSON *spec, const struct field *at,
                           struct error *err)
{
    const struct field *selector_at = FIELD(at, "selector");
    const cJSON *selector;
    int rc = tree_object(spec, at, "selector", &selector, err);

    if (rc != 0 || selector == NULL) {
        return rc;
    }
    rc = selector_from_tree(selector, selector_at, &p->selector, err);
    if (rc == 0) {
        malformed_note_selector(&p->malformed, p->selector);
    }
    return rc;
}

int decode_peer_authentication(const cJSON *tree, struct object *obj, struct error *err)
{
    struct peer_authentication *p = (struct peer_authentication *)obj;
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec, *mtls, *ports;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0) {
        return rc;
    }
    decode_digest((const cJSON *const[]){ spec }, 1, p->digest);
    if ((rc = decode_selector(p, spec, at, err)) != 0 ||
        (rc = tree_object(spec, at, "mtls", &mtls, err)) != 0 ||
        (rc = decode_mode(p, mtls, FIELD(at, "mtls"), &p->mode, err)) != 0 ||
        (rc = tree_object(spec, at, "portLevelMtls", &ports, err)) != 0) {
        return rc;
    }
    return decode_ports(p, ports, FIELD(at, "portLevelMtls"), err);
}
