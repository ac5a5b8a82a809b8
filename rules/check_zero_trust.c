/* zero-trust: workloads that the network's own rules cannot protect: without mutual TLS, on the
 * node's network, or reachable at the node's address. */
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/mesh.h"
#include "rules/rule.h"
#include "rules/workload_field.h"

#define CATEGORY "Zero Trust"

/* ---- require-mtls ---- */

/* From bad to good. What is certain and wrong counts before what is not known. */
static int rank(enum mesh_word word)
{
    static const int ranks[] = { [MESH_OUTSIDE] = 0,
                                 [MESH_PERMISSIVE] = 1,
                                 [MESH_PORT] = 2,
                                 [MESH_UNKNOWN] = 3,
                                 [MESH_STRICT] = 4 };

    return ranks[word];
}

struct worst {
    struct mesh_answer answer;
    bool linkerd, any;
};

static void ask_class(const struct rule_input *in, const struct pod_class *pc, bool istio,
                      struct worst *w)
{
    struct mesh_answer a = { .word = MESH_OUTSIDE };
    bool linkerd = false;

    if (istio && istio_has(pc)) {
        istio_mtls(in->cluster, param_text(in, "istio-root-namespace"), pc, &a);
    } else if (in->linkerd_in_use && linkerd_has(pc)) {
        linkerd_mtls(pc, &a);
        linkerd = true;
    }
    if (!w->any || rank(a.word) < rank(w->answer.word)) {
        *w = (struct worst){ a, linkerd, true };
    }
}

static void say_linkerd(const struct rule_input *in, struct outcome *out, enum mesh_word word)
{
    if (word == MESH_PERMISSIVE) {
        finding_fail(out, "the workload's proxy accepts traffic that is not authenticated; set "
                          "config.linkerd.io/default-inbound-policy to all-authenticated");
    } else if (!cluster_offline(in->cluster)) {
        finding_warn(out, "the default inbound policy asks for mutual TLS, but objects of "
                          "policy.linkerd.io may allow more; see that none does, and exempt the "
                          "workload");
    } else {
        finding_pass(out);
    }
}

static void say_istio(struct outcome *out, const struct mesh_answer *a)
{
    if (a->word == MESH_PORT) {
        evidence_value(out, "port", "%u", (unsigned)a->port);
        finding_fail(out, "a portLevelMtls of the workload's PeerAuthentication lets a port accept "
                          "plain text; set its mode to STRICT");
    } else if (a->word == MESH_PERMISSIVE) {
        finding_fail(out, "the workload accepts plain text; let a PeerAuthentication set mTLS mode "
                          "STRICT for it, its namespace or the mesh");
    } else {
        finding_pass(out);
    }
}

static void require_mtls(const struct rule_input *in, struct outcome *out)
{
    const struct workload *w = in->subject->workload;
    bool istio = cluster_kind_served(in->cluster, KIND_PEER_AUTHENTICATION);
    struct worst worst = { .any = false };

    if (!istio && !in->linkerd_in_use) {
        finding_skip(out, "there is no service mesh");
        return;
    }
    for (size_t i = 0; i < w->classes.len; i++) {
        if (workload_class_counts(w, w->classes.items[i])) {
            ask_class(in, w->classes.items[i], istio, &worst);
        }
    }
    if (!worst.any) {
        finding_skip(out, "the pods of the workload are not known");
        return;
    }
    if (worst.answer.decided_by != NULL) {
        evidence_object(out, "PeerAuthentication", &worst.answer.decided_by->head);
    }
    if (worst.answer.mode != NULL) {
        evidence_value(out, worst.linkerd ? "default-inbound-policy" : "mode", "%s",
                       worst.answer.mode);
    }
    if (worst.answer.word == MESH_OUTSIDE) {
        finding_field(out, "%s", workload_metadata_field(w, "labels"));
        finding_fail(out, "the workload is outside the service mesh, so that its traffic is in "
                          "plain text; let the mesh take it in, by its proxy or ambient mode");
    } else if (worst.answer.word == MESH_UNKNOWN) {
        finding_error(out, worst.answer.why);
    } else if (worst.linkerd) {
        say_linkerd(in, out, worst.answer.word);
    } else {
        say_istio(out, &worst.answer);
    }
}

/* ---- the node's network ---- */

static bool any_class(const struct workload *w, bool (*is)(const struct pod_shape *shape))
{
    for (size_t i = 0; i < w->classes.len; i++) {
        if (workload_class_counts(w, w->classes.items[i]) && is(w->classes.items[i]->shape)) {
            return true;
        }
    }
    return false;
}

static bool on_host_network(const struct pod_shape *shape)
{
    return shape->host_network;
}

static bool with_host_port(const struct pod_shape *shape)
{
    return shape->has_host_port;
}

static void host_network(const struct rule_input *in, struct outcome *out)
{
    const struct workload *w = in->subject->workload;

    if (any_class(w, on_host_network)) {
        finding_field(out, "%s", workload_spec_field(w, "hostNetwork"));
        finding_fail(out, "the workload is on the host network, where no network policy can "
                          "isolate it; set hostNetwork to false");
    } else {
        finding_pass(out);
    }
}

static void host_port(const struct rule_input *in, struct outcome *out)
{
    const struct workload *w = in->subject->workload;

    if (any_class(w, with_host_port)) {
        finding_field(out, "%s", workload_spec_field(w, "containers"));
        finding_fail(out, "a container has a hostPort, which makes it reachable at the node's "
                          "address around every Ingress; remove the hostPort and use a Service");
    } else if (any_class(w, on_host_network)) {
        finding_skip(out, "the workload is on the host network, which is the finding of "
                          "host-network-workload");
    } else {
        finding_pass(out);
    }
}

/* ---- the rows ---- */

static const struct depend on_mesh[] = { { KIND_POD, DEPEND_SELF },
                                         { KIND_NAMESPACE, DEPEND_MESH },
                                         { KIND_PEER_AUTHENTICATION, DEPEND_MESH },
                                         { 0, DEPEND_END } };
static const struct depend on_workload[] = { { KIND_POD, DEPEND_SELF }, { 0, DEPEND_END } };

static const struct param mesh_params[] = {
    { "istio-root-namespace", PARAM_TEXT, "istio-system",
      "the namespace whose PeerAuthentications count for the whole mesh" },
    { NULL, PARAM_END, NULL, NULL }
};

#define NIST_207 "NIST SP 800-207 2.1: Tenets of Zero Trust"
#define NSA      "NSA/CISA Kubernetes Hardening Guidance 1.2"

const struct rule zero_trust_rules[] = {
    { .policy = "zero-trust",
      .rule = "require-mtls",
      .title = "Workload that accepts plain text",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_mesh,
      .needs = BIT(KIND_PEER_AUTHENTICATION),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_OFF },
      .params = mesh_params,
      .description =
          "Where a service mesh is present, a workload should be in it and refuse plain text, so "
          "that who calls is proved and nobody on the way reads along. For Istio the effective "
          "mode counts: the PeerAuthentication that selects the workload, then its namespace's, "
          "then the root namespace's, and without any PERMISSIVE, which accepts plain text. For "
          "Linkerd the default inbound policy of pod or namespace counts. Workloads without pods "
          "are judged by what injection would make of them. Without a mesh there is nothing to "
          "judge.",
      .remediation = "Istio: take the namespace into the mesh and refuse plain text there:\n\n"
                     "  apiVersion: v1\n"
                     "  kind: Namespace\n"
                     "  metadata:\n"
                     "    name: NAMESPACE\n"
                     "    labels:\n"
                     "      istio-injection: enabled\n"
                     "  ---\n"
                     "  apiVersion: security.istio.io/v1\n"
                     "  kind: PeerAuthentication\n"
                     "  metadata:\n"
                     "    name: default\n"
                     "    namespace: NAMESPACE\n"
                     "  spec:\n"
                     "    mtls:\n"
                     "      mode: STRICT\n\n"
                     "Linkerd: annotate the namespace, then restart its workloads:\n\n"
                     "  linkerd.io/inject: enabled\n"
                     "  config.linkerd.io/default-inbound-policy: all-authenticated\n",
      .false_positives =
          "Workloads that do TLS by themselves; Linkerd's own policy objects are not read.",
      .references = (const char *const[]){ NIST_207, "NIST SP 800-204A 4",
                                           "Istio documentation: PeerAuthentication", NULL },
      .evaluate = require_mtls },
    { .policy = "zero-trust",
      .rule = "host-network-workload",
      .title = "Workload on the host network",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_workload,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description = "A pod with hostNetwork: true has the node's address. No network policy "
                     "selects it and none can name it as a peer; it sees the node's loopback "
                     "services, and its traffic is taken for the node's own, which every pod of "
                     "that node must admit.",
      .remediation = "Give the pods a network of their own and publish what must be reached:\n\n"
                     "  spec:\n"
                     "    template:\n"
                     "      spec:\n"
                     "        hostNetwork: false\n\n"
                     "Agents that really manage the node get an exemption with a reason.\n",
      .false_positives = "Node agents (network plugins, node exporters) need the host network.",
      .references =
          (const char *const[]){ "CIS Kubernetes Benchmark 5.2.5",
                                 "Pod Security Standards: Baseline, Host Namespaces", NSA, NULL },
      .evaluate = host_network },
    { .policy = "zero-trust",
      .rule = "host-port-workload",
      .title = "Workload with a hostPort",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_workload,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description = "A hostPort opens the container at the address of every node that runs it. "
                     "Traffic comes around every Ingress and load balancer, without their TLS, "
                     "authentication and logs.",
      .remediation = "Remove the hostPort and publish the port by a Service and an Ingress:\n\n"
                     "  ports:\n"
                     "  - name: http\n"
                     "    containerPort: 8080\n",
      .false_positives = "Ingress controllers that are deployed on the nodes' own ports.",
      .references =
          (const char *const[]){ "CIS Kubernetes Benchmark 5.2.12",
                                 "Pod Security Standards: Baseline, Host Ports", NSA, NULL },
      .evaluate = host_port },
};
const size_t zero_trust_rule_count = ARRAY_LEN(zero_trust_rules);
