#include "rules/mesh.h"

#include <string.h>

#include "base/vec.h"

#define LINKERD_INJECT  "linkerd.io/inject"
#define LINKERD_INBOUND "config.linkerd.io/default-inbound-policy"

static const struct label_set *labels_of(const struct ns *ns)
{
    return ns->object != NULL ? ns->object->head.labels : NULL;
}

static const struct label_set *annotations_of(const struct ns *ns)
{
    return ns->object != NULL ? ns->object->head.annotations : NULL;
}

static bool is(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

/* ---- Linkerd ---- */

static bool injects(const struct label_set *annotations)
{
    const char *value = label_set_text(annotations, LINKERD_INJECT);

    return is(value, "enabled") || is(value, "ingress");
}

bool namespace_uses_linkerd(const struct object *ns)
{
    return ns != NULL && injects(ns->annotations);
}

bool class_uses_linkerd(const struct pod_class *pc)
{
    return pc->shape->linkerd_proxy || injects(pc->annotations);
}

uint32_t linkerd_users(const struct cluster *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < cluster_ns_count(c); i++) {
        const struct ns *ns = cluster_ns_at(c, i);
        n += namespace_uses_linkerd(ns->object != NULL ? &ns->object->head : NULL);
        for (size_t k = 0; k < ns->classes.len; k++) {
            n += class_uses_linkerd(ns->classes.items[k]);
        }
    }
    return n;
}

bool linkerd_has(const struct pod_class *pc)
{
    if (pc->shape->linkerd_proxy || pc->pods > 0) {
        return pc->shape->linkerd_proxy;
    }
    return injects(pc->annotations) || (label_set_text(pc->annotations, LINKERD_INJECT) == NULL &&
                                        injects(annotations_of(pc->ns)));
}

void linkerd_mtls(const struct pod_class *pc, struct mesh_answer *out)
{
    static const struct {
        const char *word;
        enum mesh_word means;
    } words[] = {
        { "all-authenticated", MESH_STRICT },
        { "cluster-authenticated", MESH_STRICT },
        { "deny", MESH_STRICT },
        { "all-unauthenticated", MESH_PERMISSIVE },
        { "cluster-unauthenticated", MESH_PERMISSIVE },
        { "audit", MESH_PERMISSIVE },
    };
    const char *policy = label_set_text(pc->annotations, LINKERD_INBOUND);

    if (policy == NULL) {
        policy = label_set_text(annotations_of(pc->ns), LINKERD_INBOUND);
    }
    *out = (struct mesh_answer){ .word = MESH_UNKNOWN, .mode = policy };
    for (size_t i = 0; policy != NULL && i < ARRAY_LEN(words); i++) {
        if (strcmp(policy, words[i].word) == 0) {
            out->word = words[i].means;
            return;
        }
    }
    out->why = policy == NULL ? "Linkerd's default inbound policy is the cluster's own, which is "
                                "not known; set config.linkerd.io/default-inbound-policy"
                              : "the value of config.linkerd.io/default-inbound-policy is not "
                                "known; use all-authenticated";
}

/* ---- Istio ---- */

bool istio_has(const struct pod_class *pc)
{
    const char *pod_mode = label_set_text(pc->labels, "istio.io/dataplane-mode");
    const char *inject = label_set_text(pc->labels, "sidecar.istio.io/inject");
    const struct label_set *ns = labels_of(pc->ns);

    if (pc->shape->istio_proxy) {
        return true;
    }
    if (!pc->shape->host_network && !is(pod_mode, "none") &&
        (is(pod_mode, "ambient") || label_set_has(ns, "istio.io/dataplane-mode", "ambient"))) {
        return true;
    }
    if (pc->pods > 0 || pc->shape->host_network || is(inject, "false") ||
        label_set_has(ns, "istio-injection", "disabled")) {
        return false; /* injection has had its say */
    }
    return is(inject, "true") || label_set_has(ns, "istio-injection", "enabled") ||
           label_set_text(ns, "istio.io/rev") != NULL;
}

static bool is_older(const struct peer_authentication *a, const struct peer_authentication *b)
{
    if (b == NULL || a->head.created_ms != b->head.created_ms) {
        return b == NULL || a->head.created_ms < b->head.created_ms;
    }
    return strcmp(a->head.name->text, b->head.name->text) < 0;
}

static bool is_for_all(const struct peer_authentication *p)
{
    return p->selector == NULL || (p->selector->count == 0 && p->selector->malformed == NULL);
}

struct levels { /* the oldest of each */
    const struct peer_authentication *of_workload, *of_namespace, *of_mesh;
    const struct peer_authentication *malformed;
};

static void take(const struct peer_authentication **best, const struct peer_authentication *p)
{
    if (is_older(p, *best)) {
        *best = p;
    }
}

static void look_in(struct levels *all, const struct ns *ns, bool root, const struct pod_class *pc)
{
    for (size_t i = 0; ns != NULL && i < ns->peer_authentications.len; i++) {
        const struct peer_authentication *p = ns->peer_authentications.items[i];

        if (p->malformed != NULL || (p->selector != NULL && p->selector->malformed != NULL)) {
            take(&all->malformed, p);
        } else if (is_for_all(p)) {
            take(root ? &all->of_mesh : &all->of_namespace, p);
        } else if (!root && selector_matches(p->selector, pc->labels)) {
            take(&all->of_workload, p);
        }
    }
}

static const char *mode_name(enum mtls_mode mode)
{
    static const char *const names[] = { [MTLS_UNSET] = "UNSET",
                                         [MTLS_DISABLE] = "DISABLE",
                                         [MTLS_PERMISSIVE] = "PERMISSIVE",
                                         [MTLS_STRICT] = "STRICT" };

    return names[mode];
}

static void ask_ports(const struct peer_authentication *p, struct mesh_answer *out)
{
    for (uint32_t i = 0; i < p->port_count; i++) {
        if (p->ports[i].mode == MTLS_PERMISSIVE || p->ports[i].mode == MTLS_DISABLE) {
            *out = (struct mesh_answer){ .word = MESH_PORT,
                                         .decided_by = p,
                                         .mode = mode_name(p->ports[i].mode),
                                         .port = p->ports[i].port };
            return;
        }
    }
}

void istio_mtls(const struct cluster *c, const char *root, const struct pod_class *pc,
                struct mesh_answer *out)
{
    const struct ns *root_ns = cluster_ns(c, root);
    struct levels all = { 0 };

    look_in(&all, root_ns, true, pc);
    if (pc->ns != root_ns) {
        look_in(&all, pc->ns, false, pc);
    }
    const struct peer_authentication *order[] = { all.of_workload, all.of_namespace, all.of_mesh };
    *out = (struct mesh_answer){ .word = MESH_PERMISSIVE, .mode = "PERMISSIVE" };
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] != NULL && order[i]->mode != MTLS_UNSET) {
            out->word = order[i]->mode == MTLS_STRICT ? MESH_STRICT : MESH_PERMISSIVE;
            out->decided_by = order[i];
            out->mode = mode_name(order[i]->mode);
            break;
        }
    }
    if (all.malformed != NULL) {
        *out = (struct mesh_answer){ .word = MESH_UNKNOWN, .decided_by = all.malformed };
        out->why = "a PeerAuthentication that may decide is malformed; correct it";
    } else if (out->word == MESH_STRICT && all.of_workload != NULL) {
        ask_ports(all.of_workload, out);
    }
}
