/* Policies of the families besides NetworkPolicy in files: what their API refuses, at its field and
 * line, and what is legal and doubtful. */
#include "cluster/manifest.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/check.h"

/* "3: Kind ns/name: field: sentence", warnings with "? " before them, one a line. */
static void note(void *ctx, const struct manifest_complaint *c)
{
    struct buf *out = ctx;

    buf_addf(out, "%s%s%u: %s %s%s%s: %s: %s", out->len > 0 ? "\n" : "", c->warning ? "? " : "",
             c->line, c->kind, c->ns != NULL ? c->ns : "", c->ns != NULL ? "/" : "", c->name,
             c->field != NULL ? c->field : "", c->sentence);
}

struct loaded {
    struct cluster *cluster;
    struct manifest_loader *loader;
    struct buf complaints;
};

static void load_text(struct loaded *l, const char *text)
{
    char path[] = "/tmp/test_manifest_policies.XXXXXX";
    int fd = mkstemp(path);

    REQUIRE("a file", fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    buf_init(&l->complaints, 1 << 20);
    l->cluster = cluster_create();
    l->loader = manifest_loader_create(l->cluster, note, &l->complaints);
    manifest_load(l->loader, path);
    manifest_finish(l->loader, false);
    unlink(path);
}

static void load_end(struct loaded *l)
{
    cluster_destroy(l->cluster);
    manifest_loader_destroy(l->loader);
    buf_deinit(&l->complaints);
}

/* `want` stands in the complaints; the name of the file, which is random, is left out of it. */
static void check_text(const char *fact, const char *text, const char *want)
{
    struct loaded l;
    const char *got;

    load_text(&l, text);
    got = buf_text(&l.complaints);
    if (want[0] == '\0' || strstr(got, want) == NULL) {
        CHECK_STR(fact, got, want);
    }
    CHECK_INT(fact, manifest_counts(l.loader)->errors, want[0] == '\0' || want[0] == '?' ? 0 : 1);
    CHECK_INT(fact, manifest_counts(l.loader)->warnings, want[0] == '?' ? 1 : 0);
    load_end(&l);
}

struct row {
    const char *fact, *text, *want;
};

static void check_rows(const struct row *rows, size_t count, const char *before)
{
    for (size_t i = 0; i < count; i++) {
        char *text = xasprintf("%s%s\n", before, rows[i].text);

        check_text(rows[i].fact, text, rows[i].want);
        free(text);
    }
}

#define HEAD(version, kind) "apiVersion: " version "\nkind: " kind "\n"
#define CNP_HEAD            HEAD("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy")
#define ANP_HEAD            HEAD("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy")
#define BANP_HEAD           HEAD("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy")
#define CNP_SPEC                                                                                   \
    CNP_HEAD                                                                                       \
    "metadata: {name: p}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n"
#define ANP_SPEC     ANP_HEAD "metadata: {name: p}\nspec:\n  priority: 1\n  subject: {namespaces: {}}\n"
#define DENY(rule)   "  ingress: [{action: Deny, " rule "}]"
#define TO(peer)     "  egress: [{action: Deny, to: [" peer "]}]"
#define HOST_BITS(n) "has bits set beyond its prefix length, which mean nothing; is " n " meant?"
#define NO_CIDR      "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64"

TEST(a_cluster_network_policy_is_validated_as_its_api_does)
{
#define AT(field, sentence) "8: ClusterNetworkPolicy p: " field ": " sentence
    static const struct row rows[] = {
        { "a deny of all", DENY("from: [{namespaces: {}}]"), "" },
        { "networks", TO("{networks: [10.0.0.0/8, 'fd00::/8']}"), "" },
        { "an empty peer", DENY("from: [{}]"),
          AT("spec.ingress[0].from[0]", "names no peer: give namespaces or pods") },
        { "an empty peer of egress", TO("{}"),
          AT("spec.egress[0].to[0]", "names no peer: give namespaces, pods or networks") },
        { "an unknown peer is complained of once", TO("{ipBlock: {cidr: 10.0.0.0/8}}"),
          AT("spec.egress[0].to[0].ipBlock", "unknown field") },
        { "pods without podSelector", DENY("from: [{pods: {namespaceSelector: {}}}]"),
          AT("spec.ingress[0].from[0].pods.podSelector", "is required") },
        { "leading zeros", TO("{networks: [010.0.0.0/8]}"),
          AT("spec.egress[0].to[0].networks[0]",
             "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "leading zeros of the length", TO("{networks: [10.0.0.0/08]}"),
          AT("spec.egress[0].to[0].networks[0]",
             "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "IPv4 mapped into IPv6", TO("{networks: ['::ffff:10.0.0.0/104']}"),
          AT("spec.egress[0].to[0].networks[0]", "must not be an IPv4-mapped IPv6 block") },
        { "host bits, which the API lets pass", TO("{networks: [10.0.0.1/8]}"),
          "? " AT("spec.egress[0].to[0].networks[0]", HOST_BITS("10.0.0.0/8")) },
        { "a bare address", TO("{networks: [10.0.0.1]}"),
          AT("spec.egress[0].to[0].networks[0]", NO_CIDR) },
        { "a network twice", TO("{networks: [10.0.0.0/8, 10.0.0.0/8]}"),
          AT("spec.egress[0].to[0].networks[1]", "is given already") },
        { "no protocols", DENY("from: [{namespaces: {}}], protocols: []"),
          AT("spec.ingress[0].protocols", "must not be empty; leave it out to mean all") },
        { "a protocol alone", DENY("from: [{namespaces: {}}], protocols: [{tcp: {}}]"),
          AT("spec.ingress[0].protocols[0].tcp.destinationPort", "is required") },
        { "a range of one",
          DENY("from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: "
               "{range: {start: 8, end: 8}}}}]"),
          AT("spec.ingress[0].protocols[0].tcp.destinationPort.range",
             "must go from a start of 1 or more to a larger end of at most 65535") },
        { "a named port towards networks",
          "  egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], "
          "protocols: [{destinationNamedPort: web}]}]",
          AT("spec.egress[0].protocols[0]",
             "a named port cannot go with networks, nodes or domainNames") },
    };

    check_rows(rows, ARRAY_LEN(rows), CNP_SPEC);
#undef AT
    check_text("a subject of pods without podSelector",
               CNP_HEAD "metadata: {name: p}\nspec:\n  tier: Admin\n  priority: 1\n"
                        "  subject: {pods: {namespaceSelector: {}}}\n",
               "7: ClusterNetworkPolicy p: spec.subject.pods.podSelector: is required");
    check_text("a tier in lower case",
               CNP_HEAD "metadata: {name: p}\nspec:\n  tier: admin\n  priority: 1\n"
                        "  subject: {namespaces: {}}\n",
               "5: ClusterNetworkPolicy p: spec.tier: must be Admin or Baseline");
}

TEST(an_admin_network_policy_is_validated_as_its_api_does)
{
#define AT(field, sentence) "7: AdminNetworkPolicy p: " field ": " sentence
    static const struct row rows[] = {
        { "the old shape", DENY("from: [{namespaces: {sameLabels: [team]}}]"), "" },
        { "the new shape", DENY("from: [{namespaces: {matchLabels: {team: a}}}]"), "" },
        { "a range of one",
          DENY("from: [{namespaces: {}}], ports: [{portRange: {start: 8, end: 8}}]"), "" },
        { "an empty peer", DENY("from: [{}]"),
          AT("spec.ingress[0].from[0]", "names no peer: give namespaces or pods") },
        { "no ports", DENY("from: [{namespaces: {}}], ports: []"),
          AT("spec.ingress[0].ports", "must not be empty; leave it out to mean all") },
        { "a range that falls",
          DENY("from: [{namespaces: {}}], ports: [{portRange: {start: 9, end: 8}}]"),
          AT("spec.ingress[0].ports[0].portRange",
             "must go from a start of 1 or more to a larger end of at most 65535") },
        { "port 0", DENY("from: [{namespaces: {}}], ports: [{portNumber: {port: 0}}]"),
          AT("spec.ingress[0].ports[0].portNumber.port", "must be from 1 to 65535") },
        { "leading zeros", TO("{networks: [10.0.0.00/8]}"),
          AT("spec.egress[0].to[0].networks[0]",
             "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "host bits", TO("{networks: ['fd00::1/8']}"),
          "? " AT("spec.egress[0].to[0].networks[0]", HOST_BITS("fd00::/8")) },
        { "a name of 101 letters",
          DENY("from: [{namespaces: {}}], name: "
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
          AT("spec.ingress[0].name", "must have at most 100 characters") },
    };

    check_rows(rows, ARRAY_LEN(rows), ANP_SPEC);
#undef AT
    check_text("a baseline of another name",
               BANP_HEAD "metadata: {name: base}\nspec:\n  subject: {namespaces: {}}\n",
               "3: BaselineAdminNetworkPolicy base: metadata.name: must be 'default'");
    check_text(
        "an empty peer of the baseline",
        BANP_HEAD
        "metadata: {name: default}\nspec:\n  subject: {namespaces: {}}\n" DENY("from: [{}]") "\n",
        "6: BaselineAdminNetworkPolicy default: spec.ingress[0].from[0]: names no peer: give "
        "namespaces or pods");
}

#define CILIUM                                                                                     \
    HEAD("cilium.io/v2", "CiliumNetworkPolicy")                                                    \
    "metadata: {name: p}\nspec:\n  endpointSelector: {}\n"
#define IN(entry)  "  ingress: [{" entry "}]"
#define OUT(entry) "  egress: [{" entry "}]"
#define NAME_IN_BLOCKS                                                                             \
    "is a port name, and addresses outside the cluster have none: the rule reaches at most pods "  \
    "whose addresses lie in these blocks"

TEST(a_cilium_policy_is_validated_as_its_schema_and_agent_do)
{
#define AT(field, sentence) "6: CiliumNetworkPolicy default/p: " field ": " sentence
    static const struct row rows[] = {
        { "blocks", OUT("toCIDR: [10.0.0.0/8, 'fd00::/8']"), "" },
        { "a bare address", OUT("toCIDR: [10.0.0.1]"),
          AT("spec.egress[0].toCIDR[0]", "must have a prefix length; is 10.0.0.1/32 meant?") },
        { "leading zeros", IN("fromCIDR: [010.0.0.0/8]"),
          AT("spec.ingress[0].fromCIDR[0]", "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "leading zeros of an exception",
          IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.01.0.0/16]}]"),
          AT("spec.ingress[0].fromCIDRSet[0].except[0]",
             "must not have leading zeros; is 10.1.0.0/16 meant?") },
        { "IPv4 mapped into IPv6, which Cilium takes", OUT("toCIDR: ['::ffff:10.0.0.0/104']"),
          "? " AT("spec.egress[0].toCIDR[0]",
                  "is an IPv4-mapped IPv6 block; is 10.0.0.0/8 meant?") },
        { "host bits, which Cilium takes", OUT("toCIDRSet: [{cidr: 10.0.0.1/8}]"),
          "? " AT("spec.egress[0].toCIDRSet[0].cidr", HOST_BITS("10.0.0.0/8")) },
        { "an exception outside", OUT("toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]"),
          AT("spec.egress[0].toCIDRSet[0].except[0]", "must lie in the cidr") },
        { "a set of neither", OUT("toCIDRSet: [{except: [11.0.0.0/16]}]"),
          AT("spec.egress[0].toCIDRSet[0]",
             "must hold exactly one of cidr, cidrGroupRef and cidrGroupSelector") },
        { "a protocol in lower case", IN("toPorts: [{ports: [{port: '80', protocol: tcp}]}]"),
          AT("spec.ingress[0].toPorts[0].ports[0].protocol", "must be TCP, UDP, SCTP, VRRP, IGMP, "
                                                             "GRE, IPIP, IPV6, ESP, AH or ANY; "
                                                             "upper and lower case count") },
        { "endPort below port", IN("toPorts: [{ports: [{port: '80', endPort: 79}]}]"),
          AT("spec.ingress[0].toPorts[0].ports[0].endPort", "must not be below port") },
        { "endPort with a named port", IN("toPorts: [{ports: [{port: web, endPort: 90}]}]"),
          AT("spec.ingress[0].toPorts[0].ports[0].endPort",
             "must not be given with a named port") },
        { "a port that is no text", IN("toPorts: [{ports: [{port: 80}]}]"),
          AT("spec.ingress[0].toPorts[0].ports[0].port",
             "must be a string, not a number; quote it") },
        { "an unknown entity", IN("fromEntities: [moon]"),
          AT("spec.ingress[0].fromEntities[0]", "is no entity") },
        { "two kinds of peer", IN("fromEntities: [world], fromCIDR: [10.0.0.0/8]"),
          AT("spec.ingress[0]", "names more than one kind of peer") },
        { "an operator that is none",
          IN("fromEndpoints: [{matchExpressions: [{key: a, operator: Is}]}]"),
          AT("spec.ingress[0].fromEndpoints[0].matchExpressions[0].operator",
             "must be In, NotIn, Exists or DoesNotExist") },
        { "a named port towards blocks",
          OUT("toCIDR: [10.0.0.0/8], toPorts: [{ports: [{port: web}]}]"),
          "? " AT("spec.egress[0].toPorts[0].ports[0].port", NAME_IN_BLOCKS) },
        { "a named port towards a set",
          OUT("toCIDRSet: [{cidr: 10.0.0.0/8}], toPorts: [{ports: [{port: '80'}, {port: web}]}]"),
          "? " AT("spec.egress[0].toPorts[0].ports[1].port", NAME_IN_BLOCKS) },
        { "a named port from blocks is the pod's own",
          IN("fromCIDR: [10.0.0.0/8], toPorts: [{ports: [{port: web}]}]"), "" },
        { "a named port towards pods", OUT("toEndpoints: [{}], toPorts: [{ports: [{port: web}]}]"),
          "" },
    };

    check_rows(rows, ARRAY_LEN(rows), CILIUM);
#undef AT
    check_text(
        "in specs, clusterwide",
        HEAD("cilium.io/v2",
             "CiliumClusterwideNetworkPolicy") "metadata: {name: p}\nspecs:\n- endpointSelector: "
                                               "{}\n  egress:\n  - toCIDR:\n"
                                               "    - 10.0.0.1\n",
        "8: CiliumClusterwideNetworkPolicy p: specs[0].egress[0].toCIDR[0]: must have a "
        "prefix length; is 10.0.0.1/32 meant?");
}

#define MESH(version)                                                                              \
    HEAD("security.istio.io/" version, "PeerAuthentication") "metadata: {name: p}\nspec:\n"

TEST(a_peer_authentication_is_validated_as_its_schema_does)
{
#define AT(line, field, sentence) #line ": PeerAuthentication default/p: " field ": " sentence
    static const struct row rows[] = {
        { "strict", "  mtls: {mode: STRICT}", "" },
        { "a port", "  selector: {matchLabels: {app: a}}\n  portLevelMtls: {80: {mode: DISABLE}}",
          "" },
        { "a mode in lower case", "  mtls: {mode: strict}",
          AT(5, "spec.mtls.mode", "must be UNSET, DISABLE, PERMISSIVE or STRICT") },
        { "a port without selector", "  portLevelMtls: {80: {mode: DISABLE}}",
          AT(5, "spec.portLevelMtls", "needs a selector with matchLabels") },
        { "no port", "  portLevelMtls: {}", AT(5, "spec.portLevelMtls", "must not be empty") },
        { "port 65536",
          "  selector: {matchLabels: {app: a}}\n  portLevelMtls: {65536: {mode: STRICT}}",
          AT(6, "spec.portLevelMtls.65536", "must be a port from 1 to 65535") },
        { "a port by name",
          "  selector: {matchLabels: {app: a}}\n  portLevelMtls: {http: {mode: STRICT}}",
          AT(6, "spec.portLevelMtls.http", "must be a port from 1 to 65535") },
        { "a mode of a port",
          "  selector: {matchLabels: {app: a}}\n  portLevelMtls: {80: {mode: ON}}",
          AT(6, "spec.portLevelMtls.80.mode", "must be") },
        { "a wildcard", "  selector: {matchLabels: {app: 'a*'}}",
          AT(5, "spec.selector.matchLabels.app", "'a*' is no label value") },
        { "expressions", "  selector: {matchExpressions: []}",
          AT(5, "spec.selector.matchExpressions", "unknown field") },
    };

    check_rows(rows, ARRAY_LEN(rows), MESH("v1"));
    check_rows(rows, ARRAY_LEN(rows), MESH("v1beta1"));
#undef AT
}

TEST(only_an_older_version_of_the_same_shape_is_taken)
{
    struct loaded l;

    load_text(&l, MESH("v1beta1") "  mtls: {mode: STRICT}\n");
    CHECK("v1beta1", cluster_find(l.cluster, KIND_PEER_AUTHENTICATION, "default", "p") != NULL);
    load_end(&l);
    load_text(
        &l, MESH("v1beta1") "  mtls: {mode: STRICT}\n---\n" MESH("v1") "  mtls: {mode: DISABLE}\n");
    CHECK("v1beta1 and v1 are one object",
          strstr(buf_text(&l.complaints), "is given again with other content") != NULL);
    load_end(&l);
    CHECK("v1alpha1", kind_find("security.istio.io/v1alpha1", "PeerAuthentication") == NULL);
    CHECK("v1beta1 of another kind", kind_find("apps/v1beta1", "Deployment") == NULL);
    CHECK("another group of the same beginning",
          kind_find("security.istio.iox/v1", "PeerAuthentication") == NULL);
    CHECK("core kinds have no group",
          kind_find("v1", "Pod") != NULL && kind_find("/v1", "Pod") == NULL);
}

#define NP_EGRESS(rule)                                                                            \
    HEAD("networking.k8s.io/v1", "NetworkPolicy")                                                  \
    "metadata: {name: p}\nspec:\n  podSelector: {}\n  egress: [{" rule "}]\n"

TEST(a_named_port_towards_blocks_only_is_doubtful)
{
    check_text("blocks only",
               NP_EGRESS("to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: web}]"),
               "? 6: NetworkPolicy default/p: spec.egress[0].ports[0].port: " NAME_IN_BLOCKS);
    check_text("pods as well",
               NP_EGRESS("to: [{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: {}}], "
                         "ports: [{port: web}]"),
               "");
    check_text("everyone", NP_EGRESS("ports: [{port: web}]"), "");
    check_text("a number", NP_EGRESS("to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]"),
               "");
    check_text("ingress, where the selected pods have the name",
               HEAD("networking.k8s.io/v1",
                    "NetworkPolicy") "metadata: {name: p}\nspec:\n  podSelector: {}\n"
                                     "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: "
                                     "[{port: web}]}]\n",
               "");
}

#define CNP_NAMED(name, tier, priority)                                                            \
    "---\n" CNP_HEAD "metadata: {name: " name "}\nspec:\n  tier: " tier "\n  priority: " priority  \
    "\n  subject: {namespaces: {}}\n"
#define ANP_NAMED(name, priority)                                                                  \
    "---\n" ANP_HEAD "metadata: {name: " name "}\nspec:\n  priority: " priority                    \
    "\n  subject: {namespaces: {}}\n"

TEST(policies_that_share_kind_tier_and_priority_are_warned_of)
{
    struct loaded l;
    const char *got;

    check_text("other priorities", CNP_NAMED("a", "Admin", "1") CNP_NAMED("b", "Admin", "2"), "");
    check_text("another tier", CNP_NAMED("a", "Admin", "1") CNP_NAMED("b", "Baseline", "1"), "");
    check_text("another kind", CNP_NAMED("a", "Admin", "1") ANP_NAMED("b", "1"), "");
    check_text("the same policy twice", CNP_NAMED("a", "Admin", "1") CNP_NAMED("a", "Admin", "1"),
               "");
    check_text("the same place", CNP_NAMED("a", "Admin", "7") CNP_NAMED("b", "Admin", "7"),
               "? 15: ClusterNetworkPolicy b: spec.priority: 7 is the priority of a too (");
    check_text("of the old API", ANP_NAMED("b", "0") ANP_NAMED("a", "0"),
               "? 13: AdminNetworkPolicy a: spec.priority: 0 is the priority of b too (");
    load_text(&l, CNP_NAMED("a", "Admin", "7") CNP_NAMED("c", "Admin", "3")
                      CNP_NAMED("b", "Admin", "7") CNP_NAMED("d", "Admin", "7"));
    got = buf_text(&l.complaints);
    CHECK("each but the first", manifest_counts(l.loader)->warnings == 2 &&
                                    strstr(got, "? 23: ClusterNetworkPolicy b") != NULL &&
                                    strstr(got, "? 31: ClusterNetworkPolicy d") != NULL);
    CHECK("the first has its line",
          strstr(got, ":7); where both apply, their order is not defined"));
    load_end(&l);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_cluster_network_policy_is_validated_as_its_api_does),
              cmocka_unit_test(an_admin_network_policy_is_validated_as_its_api_does),
              cmocka_unit_test(a_cilium_policy_is_validated_as_its_schema_and_agent_do),
              cmocka_unit_test(a_peer_authentication_is_validated_as_its_schema_does),
              cmocka_unit_test(only_an_older_version_of_the_same_shape_is_taken),
              cmocka_unit_test(a_named_port_towards_blocks_only_is_doubtful),
              cmocka_unit_test(policies_that_share_kind_tier_and_priority_are_warned_of));
}
