/* The life and the comparison of typed objects. `object_same` must see every member that a rule can
 * see: a new member is added to its decoder, to free_* and to same_* together. */
#include "cluster/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/decode.h"
#include "cluster/policy_object.h"

static const size_t sizes[KIND_COUNT] = {
    [KIND_NAMESPACE] = sizeof(struct namespace_object),
    [KIND_POD] = sizeof(struct pod_object),
    [KIND_SERVICE] = sizeof(struct service),
    [KIND_INGRESS] = sizeof(struct ingress),
    [KIND_INGRESS_CLASS] = sizeof(struct ingress_class),
    [KIND_NETWORK_POLICY] = sizeof(struct network_policy),
    [KIND_DEPLOYMENT] = sizeof(struct workload_object),
    [KIND_STATEFUL_SET] = sizeof(struct workload_object),
    [KIND_DAEMON_SET] = sizeof(struct workload_object),
    [KIND_CRON_JOB] = sizeof(struct workload_object),
    [KIND_SECRET] = sizeof(struct secret),
    [KIND_CLUSTER_NETWORK_POLICY] = sizeof(struct tiered_policy),
    [KIND_ADMIN_NETWORK_POLICY] = sizeof(struct tiered_policy),
    [KIND_BASELINE_ADMIN_NETWORK_POLICY] = sizeof(struct tiered_policy),
    [KIND_CILIUM_NETWORK_POLICY] = sizeof(struct cilium_policy),
    [KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY] = sizeof(struct cilium_policy),
    [KIND_PEER_AUTHENTICATION] = sizeof(struct peer_authentication),
    [KIND_REPLICA_SET] = sizeof(struct workload_object),
    [KIND_REPLICATION_CONTROLLER] = sizeof(struct workload_object),
    [KIND_JOB] = sizeof(struct workload_object),
};

static const char *const protocol_names[] = { [PROTOCOL_TCP] = "TCP",
                                              [PROTOCOL_UDP] = "UDP",
                                              [PROTOCOL_SCTP] = "SCTP",
                                              [PROTOCOL_OTHER] = "other" };

const char *protocol_name(enum protocol p)
{
    return protocol_names[p];
}

enum protocol protocol_parse(const char *text)
{
    if (text == NULL) {
        return PROTOCOL_TCP;
    }
    for (unsigned i = 0; i < PROTOCOL_OTHER; i++) {
        if (strcmp(protocol_names[i], text) == 0) {
            return (enum protocol)i;
        }
    }
    return PROTOCOL_OTHER;
}

struct object *object_create(enum kind kind)
{
    struct object *obj = xcalloc(1, sizes[kind]);

    obj->kind = kind;
    return obj;
}

/* ---- freeing ------------------------------------------------------------------------------- */

static void free_pod(struct pod_object *pod)
{
    pod_shape_unref(pod->shape);
    owner_deinit(&pod->owner);
    strs_free(pod->ips, pod->ip_count);
}

static void free_workload(struct workload_object *w)
{
    label_set_unref(w->template_labels);
    label_set_unref(w->template_annotations);
    pod_shape_unref(w->shape);
    owner_deinit(&w->owner);
}

static void free_service(struct service *svc)
{
    selector_destroy(svc->selector);
    for (uint32_t i = 0; i < svc->port_count; i++) {
        str_unref(svc->ports[i].name);
        str_unref(svc->ports[i].app_protocol);
        str_unref(svc->ports[i].target_name);
    }
    free(svc->ports);
    strs_free(svc->external_ips, svc->external_ip_count);
    strs_free(svc->source_ranges, svc->source_range_count);
    strs_free(svc->lb_ips, svc->lb_ip_count);
    str_unref(svc->external_name);
    str_unref(svc->load_balancer_class);
    str_unref(svc->cluster_ip);
}

static void free_backend(struct ingress_backend *b)
{
    str_unref(b->service);
    str_unref(b->port_name);
}

static void free_ingress(struct ingress *ing)
{
    str_unref(ing->class_name);
    free_backend(&ing->default_backend);
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        struct ingress_rule *rule = &ing->rules[i];

        str_unref(rule->host);
        for (uint32_t j = 0; j < rule->backend_count; j++) {
            free_backend(&rule->backends[j]);
        }
        free(rule->backends);
        strs_free(rule->paths, rule->backend_count);
    }
    free(ing->rules);
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        strs_free(ing->tls[i].hosts, ing->tls[i].host_count);
        str_unref(ing->tls[i].secret);
    }
    free(ing->tls);
    strs_free(ing->lb_ips, ing->lb_ip_count);
}

static void free_rules(struct policy_rule *rules, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < rules[i].peer_count; j++) {
            struct policy_peer *peer = &rules[i].peers[j];

            selector_destroy(peer->pods);
            selector_destroy(peer->namespaces);
            if (peer->ip_block != NULL) {
                str_unref(peer->ip_block->cidr);
                strs_free(peer->ip_block->except, peer->ip_block->except_count);
                free(peer->ip_block);
            }
        }
        for (uint32_t j = 0; j < rules[i].port_count; j++) {
            str_unref(rules[i].ports[j].port_name);
        }
        free(rules[i].peers);
        free(rules[i].ports);
    }
    free(rules);
}

static void free_policy(struct network_policy *np)
{
    selector_destroy(np->pods);
    free_rules(np->ingress_rules, np->ingress_count);
    free_rules(np->egress_rules, np->egress_count);
    str_unref(np->malformed);
}

void object_free_body(struct object *obj)
{
    if (obj->kind == KIND_POD) {
        free_pod((struct pod_object *)obj);
    } else if (kind_table[obj->kind].workload) {
        free_workload((struct workload_object *)obj);
    } else if (obj->kind == KIND_SERVICE) {
        free_service((struct service *)obj);
    } else if (obj->kind == KIND_INGRESS) {
        free_ingress((struct ingress *)obj);
    } else if (obj->kind == KIND_INGRESS_CLASS) {
        str_unref(((struct ingress_class *)obj)->controller);
    } else if (obj->kind == KIND_SECRET) {
        str_unref(((struct secret *)obj)->type);
    } else if (obj->kind == KIND_NETWORK_POLICY) {
        free_policy((struct network_policy *)obj);
    } else {
        policy_object_free_body(obj);
    }
}

void object_destroy(struct object *obj)
{
    if (obj == NULL) {
        return;
    }
    object_free_body(obj);
    str_unref(obj->ns);
    str_unref(obj->name);
    str_unref(obj->uid);
    str_unref(obj->resource_version);
    label_set_unref(obj->labels);
    label_set_unref(obj->annotations);
    str_unref(obj->cause.manager);
    str_unref(obj->cause.operation);
    free(obj);
}

/* ---- comparing ----------------------------------------------------------------------------- */

static bool same_strs(struct str *const *a, uint32_t a_count, struct str *const *b,
                      uint32_t b_count)
{
    return a_count == b_count &&
           (a_count == 0 || memcmp(a, b, a_count * sizeof(struct str *)) == 0);
}

static bool same_owner(const struct owner_ref *a, const struct owner_ref *b)
{
    return a->api_version == b->api_version && a->kind == b->kind && a->name == b->name &&
           a->uid == b->uid && a->controller == b->controller;
}

static bool same_pod(const struct pod_object *a, const struct pod_object *b)
{
    return a->shape == b->shape && a->finished == b->finished && a->mirror == b->mirror &&
           same_owner(&a->owner, &b->owner) && same_strs(a->ips, a->ip_count, b->ips, b->ip_count);
}

static bool same_workload(const struct workload_object *a, const struct workload_object *b)
{
    return a->template_labels == b->template_labels &&
           a->template_annotations == b->template_annotations && a->shape == b->shape &&
           same_owner(&a->owner, &b->owner);
}

static bool same_service_ports(const struct service *a, const struct service *b)
{
    if (a->port_count != b->port_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->port_count; i++) {
        const struct service_port *x = &a->ports[i], *y = &b->ports[i];

        if (x->name != y->name || x->app_protocol != y->app_protocol || x->port != y->port ||
            x->has_node_port != y->has_node_port || x->node_port != y->node_port ||
            x->protocol != y->protocol || x->target_name != y->target_name ||
            x->target_port != y->target_port) {
            return false;
        }
    }
    return true;
}

static bool same_service(const struct service *a, const struct service *b)
{
    return a->type == b->type && selector_equal(a->selector, b->selector) &&
           same_service_ports(a, b) && a->traffic_local == b->traffic_local &&
           a->external_name == b->external_name &&
           a->load_balancer_class == b->load_balancer_class && a->cluster_ip == b->cluster_ip &&
           same_strs(a->external_ips, a->external_ip_count, b->external_ips,
                     b->external_ip_count) &&
           same_strs(a->source_ranges, a->source_range_count, b->source_ranges,
                     b->source_range_count) &&
           same_strs(a->lb_ips, a->lb_ip_count, b->lb_ips, b->lb_ip_count);
}

static bool same_backend(const struct ingress_backend *a, const struct ingress_backend *b)
{
    return a->service == b->service && a->resource == b->resource && a->port_name == b->port_name &&
           a->port_number == b->port_number;
}

static bool same_ingress_rule(const struct ingress_rule *a, const struct ingress_rule *b)
{
    if (a->host != b->host || !same_strs(a->paths, a->backend_count, b->paths, b->backend_count)) {
        return false;
    }
    for (uint32_t i = 0; i < a->backend_count; i++) {
        if (!same_backend(&a->backends[i], &b->backends[i])) {
            return false;
        }
    }
    return true;
}

static bool same_ingress(const struct ingress *a, const struct ingress *b)
{
    if (a->class_name != b->class_name || a->class_by_default_only != b->class_by_default_only ||
        a->has_default_backend != b->has_default_backend ||
        !same_backend(&a->default_backend, &b->default_backend) || a->rule_count != b->rule_count ||
        a->tls_count != b->tls_count ||
        !same_strs(a->lb_ips, a->lb_ip_count, b->lb_ips, b->lb_ip_count)) {
        return false;
    }
    for (uint32_t i = 0; i < a->rule_count; i++) {
        if (!same_ingress_rule(&a->rules[i], &b->rules[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->tls_count; i++) {
        if (a->tls[i].secret != b->tls[i].secret ||
            !same_strs(a->tls[i].hosts, a->tls[i].host_count, b->tls[i].hosts,
                       b->tls[i].host_count)) {
            return false;
        }
    }
    return true;
}

static bool same_ingress_class(const struct ingress_class *a, const struct ingress_class *b)
{
    return a->controller == b->controller && a->has_parameters == b->has_parameters &&
           a->is_default == b->is_default;
}

static bool same_block(const struct ip_block *a, const struct ip_block *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->cidr == b->cidr && same_strs(a->except, a->except_count, b->except, b->except_count);
}

static bool same_policy_rule(const struct policy_rule *a, const struct policy_rule *b)
{
    if (a->peer_count != b->peer_count || a->port_count != b->port_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->peer_count; i++) {
        if (!selector_equal(a->peers[i].pods, b->peers[i].pods) ||
            !selector_equal(a->peers[i].namespaces, b->peers[i].namespaces) ||
            !same_block(a->peers[i].ip_block, b->peers[i].ip_block)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->port_count; i++) {
        const struct policy_port *x = &a->ports[i], *y = &b->ports[i];

        if (x->has_protocol != y->has_protocol || x->protocol != y->protocol ||
            x->has_port != y->has_port || x->port_name != y->port_name || x->port != y->port ||
            x->end_port != y->end_port) {
            return false;
        }
    }
    return true;
}

static bool same_policy_rules(const struct policy_rule *a, uint32_t a_count,
                              const struct policy_rule *b, uint32_t b_count)
{
    bool same = a_count == b_count;

    for (uint32_t i = 0; same && i < a_count; i++) {
        same = same_policy_rule(&a[i], &b[i]);
    }
    return same;
}

static bool same_policy(const struct network_policy *a, const struct network_policy *b)
{
    return selector_equal(a->pods, b->pods) && a->ingress == b->ingress && a->egress == b->egress &&
           a->types_given == b->types_given && a->has_ingress_rules == b->has_ingress_rules &&
           a->has_egress_rules == b->has_egress_rules && a->malformed == b->malformed &&
           same_policy_rules(a->ingress_rules, a->ingress_count, b->ingress_rules,
                             b->ingress_count) &&
           same_policy_rules(a->egress_rules, a->egress_count, b->egress_rules, b->egress_count);
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
    return a->type == b->type && a->cert_manager == b->cert_manager;
}

bool object_same(const struct object *a, const struct object *b)
{
    if (a->kind != b->kind || a->deleting != b->deleting || a->ns != b->ns || a->name != b->name ||
        a->uid != b->uid || a->labels != b->labels || a->annotations != b->annotations ||
        a->created_ms != b->created_ms || a->origin != b->origin ||
        a->acme_owned != b->acme_owned) {
        return false;
    }
    switch (a->kind) {
    case KIND_NAMESPACE:
        return ((const struct namespace_object *)a)->implied ==
               ((const struct namespace_object *)b)->implied;
    case KIND_POD:
        return same_pod((const struct pod_object *)a, (const struct pod_object *)b);
    case KIND_SERVICE:
        return same_service((const struct service *)a, (const struct service *)b);
    case KIND_INGRESS:
        return same_ingress((const struct ingress *)a, (const struct ingress *)b);
    case KIND_INGRESS_CLASS:
        return same_ingress_class((const struct ingress_class *)a, (const struct ingress_class *)b);
    case KIND_NETWORK_POLICY:
        return same_policy((const struct network_policy *)a, (const struct network_policy *)b);
    case KIND_SECRET:
        return same_secret((const struct secret *)a, (const struct secret *)b);
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
    case KIND_PEER_AUTHENTICATION:
        return policy_object_same(a, b);
    default:
        return same_workload((const struct workload_object *)a, (const struct workload_object *)b);
    }
}
