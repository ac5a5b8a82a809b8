/* Changes whose place decides whom they touch: namespaces on which the whole cluster leans. */
#include <string.h>

#include "rules/dirty.h"
#include "rules/mesh.h"

static bool is_in(const char *service, const char *ns)
{
    size_t len = strlen(ns);

    return strncmp(service, ns, len) == 0 && service[len] == '/';
}

static bool leans_on(const struct engine *e, const struct rule *r, const char *ns, bool dns)
{
    const struct rule_input in = { .rule = r, .params = ruleset_params(e->ruleset, r) };

    if (!dns) {
        return strcmp(param_text(&in, "istio-root-namespace"), ns) == 0;
    }
    for (const char *const *s = param_list(&in, "dns-services"); *s != NULL; s++) {
        if (is_in(*s, ns)) {
            return true;
        }
    }
    return false;
}

static uint64_t leaning(const struct engine *e, enum subject_kind s, uint64_t rules, const char *ns,
                        bool dns)
{
    uint64_t found = 0;

    for (uint64_t left = rules; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        found |= leans_on(e, e->lists[s].rules[i], ns, dns) ? (uint64_t)1 << i : 0;
    }
    return found;
}

void mark_by_place(struct change *c, const struct ns *ns, enum subject_kind s, uint64_t dns,
                   uint64_t mesh)
{
    if (ns == NULL) {
        mark_kind(c, s, dns | mesh);
        return;
    }
    uint64_t all =
        leaning(c->e, s, dns, ns->name->text, true) | leaning(c->e, s, mesh, ns->name->text, false);
    mark_kind(c, s, all);
    mark_in_namespace(c, ns, s, mesh & ~all);
}

/* The rule whose answers are remembered by namespace. */
#define BY_PLACE "network-policy-health/default-deny-without-dns"

void forget_places(struct engine *e, const struct delta *d)
{
    const struct ns *ns = d->ns;

    if (d->what == DELTA_ADDRESSES || (d->what == DELTA_OBJECT && d->kind == KIND_INGRESS_CLASS)) {
        return;
    }
    if (d->what == DELTA_WORKLOAD || d->what == DELTA_CLASS) {
        ns = d->workload->ns;
    }
    judge_forget_places(&e->judge,
                        ns != NULL && leans_on(e, rule_find(BY_PLACE), ns->name->text, true) ? NULL
                                                                                             : ns);
}

/* With the first who uses it, or the last gone, the mesh is there or not, for everybody. */
static void count_linkerd(struct change *c, int by)
{
    bool before = c->e->linkerd_users > 0;

    c->e->linkerd_users += (uint32_t)by;
    if (before != (c->e->linkerd_users > 0)) {
        for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
            mark_kind(c, (enum subject_kind)k, c->e->depends[KIND_NAMESPACE][DEPEND_MESH][k]);
        }
    }
}

void mesh_note_namespace(struct change *c, const struct object *before, const struct object *after)
{
    int by = namespace_uses_linkerd(after) - namespace_uses_linkerd(before);

    if (by != 0) {
        count_linkerd(c, by);
    }
}

void mesh_note_class(struct change *c, const struct pod_class *pc, int by)
{
    if (class_uses_linkerd(pc)) {
        count_linkerd(c, by);
    }
}
