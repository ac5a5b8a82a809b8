#include "rules/dns.h"

#include <string.h>

enum { DNS_PORT = 53, NAME_MAX_BYTES = 256 };

static void add_port(struct dns *d, uint16_t port)
{
    for (uint32_t i = 0; i < d->port_count; i++) {
        if (d->ports[i] == port) {
            return;
        }
    }
    if (d->port_count < DNS_PORTS_MAX) {
        d->ports[d->port_count++] = port;
    }
}

static void add_name(struct dns *d, const struct str *name)
{
    for (uint32_t i = 0; i < d->name_count; i++) {
        if (d->names[i] == name) {
            return;
        }
    }
    if (d->name_count < DNS_PORTS_MAX) {
        d->names[d->name_count++] = name;
    }
}

static void resolve_name(struct dns *d, const struct service_port *p, const struct pod_class *pc)
{
    for (uint32_t i = 0; i < pc->shape->port_count; i++) {
        const struct named_port *port = &pc->shape->ports[i];
        if (port->name == p->target_name && port->protocol == p->protocol) {
            add_port(d, port->port);
        }
    }
}

/* A DNS Service has ports for other things as well, such as metrics: only what clients ask counts.
 */
static void take_ports(struct dns *d, const struct service *svc, uint32_t first_class)
{
    for (uint32_t i = 0; i < svc->port_count; i++) {
        const struct service_port *p = &svc->ports[i];
        if (p->port != DNS_PORT) {
            continue;
        }
        if (p->target_name == NULL) {
            add_port(d, p->target_port);
            continue;
        }
        add_name(d, p->target_name);
        for (uint32_t k = first_class; k < d->class_count; k++) {
            resolve_name(d, p, d->classes[k]);
        }
    }
}

static void take_service(struct dns *d, const struct ns *ns, const struct service *svc)
{
    uint32_t first = d->class_count;

    for (size_t i = 0; svc->selector != NULL && svc->selector->count > 0 && i < ns->classes.len;
         i++) {
        const struct pod_class *pc = ns->classes.items[i];
        if (d->class_count < DNS_CLASSES_MAX && workload_class_counts(pc->workload, pc) &&
            selector_matches(svc->selector, pc->labels)) {
            d->classes[d->class_count++] = pc;
        }
    }
    take_ports(d, svc, first);
}

/* Several rules have a parameter of their own, mostly with the same services. */
static bool same_list(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a != NULL && a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0) {
        i++;
    }
    return a != NULL && a[i] == NULL && b[i] == NULL;
}

void dns_look(const struct rule_input *in, struct dns *out)
{
    const char *const *services = param_list(in, "dns-services");

    if (in->dns != NULL && same_list(in->dns->services, services)) {
        *out = in->dns->dns;
        return;
    }
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; services[i] != NULL; i++) {
        const char *slash = strchr(services[i], '/');
        char ns_name[NAME_MAX_BYTES];
        if (slash == NULL || (size_t)(slash - services[i]) >= sizeof(ns_name)) {
            continue;
        }
        memcpy(ns_name, services[i], (size_t)(slash - services[i]));
        ns_name[slash - services[i]] = '\0';
        const struct ns *ns = cluster_ns(in->cluster, ns_name);
        const struct object *svc = cluster_find(in->cluster, KIND_SERVICE, ns_name, slash + 1);
        if (ns != NULL && svc != NULL) {
            take_service(out, ns, (const struct service *)svc);
        }
    }
    out->ports_known = out->port_count > 0;
    if (!out->ports_known) {
        add_port(out, DNS_PORT);
    }
    if (in->dns != NULL) {
        in->dns->services = services;
        in->dns->dns = *out;
        in->dns->lineup = NULL;
    }
}

port_set dns_port_set(const struct dns *d, struct port_table *t)
{
    port_set all = PORTS_NONE;

    for (uint32_t i = 0; i < d->port_count; i++) {
        port_set udp = port_set_range(t, PROTOCOL_UDP, d->ports[i], d->ports[i]);
        port_set tcp = port_set_range(t, PROTOCOL_TCP, d->ports[i], d->ports[i]);
        all = port_set_or(t, all, port_set_or(t, udp, tcp));
    }
    return all;
}
