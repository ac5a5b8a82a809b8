#include "rules/service_target.h"

#include <string.h>

#include "base/vec.h"

/* Set on pods by the controller of this kind, never in its template. */
static const struct {
    const char *key, *kind; /* kind NULL: several */
} set_by_controllers[] = {
    { "statefulset.kubernetes.io/pod-name", "StatefulSet" },
    { "apps.kubernetes.io/pod-index", "StatefulSet" },
    { "controller-revision-hash", NULL },
    { "pod-template-hash", NULL },
    { "batch.kubernetes.io/job-name", NULL },
    { "batch.kubernetes.io/controller-uid", NULL },
    { "batch.kubernetes.io/job-completion-index", NULL },
    { "job-name", NULL },
    { "controller-uid", NULL },
};

static bool will_be_set(const struct pod_class *pc, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(set_by_controllers); i++) {
        if (strcmp(set_by_controllers[i].key, key) == 0) {
            return set_by_controllers[i].kind == NULL ||
                   strcmp(set_by_controllers[i].kind, pc->workload->kind->text) == 0;
        }
    }
    return false;
}

/* A template in files stands for pods that will carry more labels than it does. */
static bool template_matches(const struct selector *s, const struct pod_class *pc)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        const struct selector one = { .requirements = (struct selector_requirement *)r,
                                      .count = 1 };

        if (!selector_matches(&one, pc->labels) && !will_be_set(pc, r->key->text)) {
            return false;
        }
    }
    return s->malformed == NULL;
}

static bool declares(const struct pod_class *pc, const struct service_port *port)
{
    for (uint32_t i = 0; i < pc->shape->port_count; i++) {
        const struct named_port *p = &pc->shape->ports[i];

        if (p->name == port->target_name && p->protocol == port->protocol) {
            return true;
        }
    }
    return false;
}

bool service_targets(const struct cluster *c, const struct ns *ns, const struct service *svc,
                     const struct service_port *port)
{
    const struct selector *s = svc->selector;

    if (ns == NULL || s == NULL || s->count == 0) {
        return false;
    }
    for (size_t i = 0; i < ns->classes.len; i++) {
        const struct pod_class *pc = ns->classes.items[i];
        bool bare_template = cluster_offline(c) && pc->pods == 0;

        if ((bare_template ? template_matches(s, pc) : selector_matches(s, pc->labels)) &&
            (port == NULL || declares(pc, port))) {
            return true;
        }
    }
    return false;
}
