#include "cli/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/reach_matrix.h"

static struct address_range single(const struct cidr *ip)
{
    struct address_range r = { .family = ip->family };

    memcpy(r.lo, ip->addr, sizeof(r.lo));
    memcpy(r.hi, ip->addr, sizeof(r.hi));
    return r;
}

static void add_pod(struct cli_peer *out, const struct pod_view *pod)
{
    struct peer_pod p = { .pod_class = pod->pod_class, .name = pod->name };

    for (uint8_t i = 0; i < pod->ip_count; i++) {
        p.addresses[p.address_count++] = single(&pod->ips[i]);
    }
    vec_push(&out->pods, p);
}

static void set_title(struct cli_peer *out, const struct workload *w)
{
    out->workload = w;
    snprintf(out->title, sizeof(out->title), "%s/%s[%s]", w->ns->name->text, w->name->text,
             w->kind->text);
}

/* ---- by address ---- */

struct address_search {
    const struct cidr *ip;
    struct pod_view found;
    bool any;
};

static void match_address(void *ctx, const struct pod_view *pod)
{
    struct address_search *s = ctx;

    for (uint8_t i = 0; !pod->finished && i < pod->ip_count; i++) {
        if (pod->ips[i].family == s->ip->family &&
            memcmp(pod->ips[i].addr, s->ip->addr, sizeof(s->ip->addr)) == 0 &&
            (!s->any || !pod->pod_class->shape->host_network)) {
            s->found = *pod;
            s->any = true;
        }
    }
}

static void find_address(const struct cli_input *in, const struct cidr *ip, struct cli_peer *out)
{
    struct address_search s = { .ip = ip };

    cluster_each_pod(in->cluster, NULL, match_address, &s);
    if (s.any) {
        add_pod(out, &s.found);
        set_title(out, s.found.pod_class->workload);
        return;
    }
    ip_format(ip, out->title);
    vec_push(&out->pods, ((struct peer_pod){ .addresses = { single(ip) }, .address_count = 1 }));
}

/* ---- by name ---- */

struct workload_search {
    const struct workload *workload;
    struct cli_peer *out;
};

static void match_workload(void *ctx, const struct pod_view *pod)
{
    struct workload_search *s = ctx;

    if (!pod->finished && pod->pod_class != NULL && pod->pod_class->workload == s->workload) {
        add_pod(s->out, pod);
    }
}

static void take_workload(const struct cli_input *in, const struct workload *w,
                          struct cli_peer *out)
{
    struct workload_search s = { w, out };

    set_title(out, w);
    out->whole = true;
    cluster_each_pod(in->cluster, w->ns, match_workload, &s);
    if (out->pods.len == 0 && w->template_class != NULL) {
        vec_push(&out->pods, ((struct peer_pod){ .pod_class = w->template_class }));
    }
}

/* The workload of that name, and kind where one is given; several: NULL and *several. */
static const struct workload *workload_named(const struct ns *ns, const char *name,
                                             const char *kind, bool *several)
{
    const struct workload *found = NULL;

    *several = false;
    for (size_t i = 0; i < ns->workloads.len; i++) {
        const struct workload *w = ns->workloads.items[i];
        if (strcmp(w->name->text, name) == 0 &&
            (kind == NULL || strcmp(w->kind->text, kind) == 0)) {
            *several = *several || found != NULL;
            found = w;
        }
    }
    return *several ? NULL : found;
}

static int find_named(const struct cli *cli, const struct cli_input *in, const char *option,
                      const char *text, struct cli_peer *out)
{
    char ns[256], name[300], *kind = NULL;
    const char *slash = strchr(text, '/');
    struct pod_view pod;
    bool several = false;

    if ((size_t)(slash - text) >= sizeof(ns) || strlen(slash + 1) >= sizeof(name)) {
        return cli_usage(cli, "%s '%s': no such pod or workload", option, text);
    }
    snprintf(ns, sizeof(ns), "%.*s", (int)(slash - text), text);
    snprintf(name, sizeof(name), "%s", slash + 1);
    char *bracket = strchr(name, '[');
    if (bracket != NULL && name[strlen(name) - 1] == ']') {
        name[strlen(name) - 1] = '\0';
        *bracket = '\0';
        kind = bracket + 1;
    }
    const struct ns *n = cluster_ns(in->cluster, ns);
    if (n == NULL) {
        return cli_usage(cli, "%s '%s': there is no namespace %s", option, text, ns);
    }
    if ((kind == NULL || strcmp(kind, "Pod") == 0) && cluster_pod(in->cluster, ns, name, &pod) &&
        !pod.finished) {
        add_pod(out, &pod);
        set_title(out, pod.pod_class->workload);
        return 0;
    }
    const struct workload *w = workload_named(n, name, kind, &several);
    if (several) {
        return cli_usage(cli,
                         "%s '%s': there are workloads of several kinds of that name; say which: "
                         "%s/%s[Kind]",
                         option, text, ns, name);
    }
    if (w == NULL) {
        return cli_usage(cli, "%s '%s': there is no such pod or workload", option, text);
    }
    take_workload(in, w, out);
    if (out->pods.len == 0) {
        return cli_usage(cli, "%s '%s': has neither pods nor a pod template", option, text);
    }
    return 0;
}

int cli_peer_find(const struct cli *cli, const struct cli_input *in, const char *option,
                  const char *text, struct cli_peer *out)
{
    struct cidr ip;

    if (ip_parse(text, &ip)) {
        find_address(in, &ip, out);
        return 0;
    }
    if (strchr(text, '/') == NULL) {
        return cli_usage(cli, "%s '%s': must be namespace/pod, namespace/workload or an IP address",
                         option, text);
    }
    return find_named(cli, in, option, text, out);
}

void cli_peer_deinit(struct cli_peer *p)
{
    vec_free(&p->pods);
}

struct reach_peer cli_peer_of(const struct peer_pod *p)
{
    return (struct reach_peer){ .kind = p->pod_class == NULL                ? PEER_OUTSIDE
                                        : p->pod_class->shape->host_network ? PEER_NODE
                                                                            : PEER_POD,
                                .pod_class = p->pod_class,
                                .addresses = p->addresses,
                                .address_count = p->address_count };
}

bool cli_peer_same_pod(const struct peer_pod *a, const struct peer_pod *b)
{
    return a->pod_class != NULL && b->pod_class != NULL && a->pod_class->ns == b->pod_class->ns &&
           a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
}
