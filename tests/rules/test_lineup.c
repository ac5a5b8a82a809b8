/* Who may reach whom under NetworkPolicies, point by point (SEMANTICS 2). Each row: the policies,
 * one pair, one port, and the answer. */
#include "tests/rules/stage.h"

#define ALL    "\"podSelector\":{}"
#define DB     "\"podSelector\":{\"matchLabels\":{\"app\":\"db\"}}"
#define WEB    "{\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}}}"
#define IN(r)  "{" ALL ",\"policyTypes\":[\"Ingress\"],\"ingress\":[" r "]}"
#define OUT(r) "{" ALL ",\"policyTypes\":[\"Egress\"],\"egress\":[" r "]}"
#define TCP    PROTOCOL_TCP
#define UDP    PROTOCOL_UDP

static const struct stage_row network_policy[] = {
    { "without policies everything is allowed", { { 0 } }, "web", "db", TCP, 80, "allowed" },
    { "an isolated pod is closed", { NP(IN("")) }, "web", "db", TCP, 80, "denied" },
    { "to the outside as well", { NP(IN("")) }, "8.8.8.8", "db", TCP, 80, "denied" },
    { "only in that direction", { NP(IN("")) }, "db", "job", TCP, 80, "allowed" },
    { "source egress must allow as well", { NP(OUT("")) }, "web", "job", TCP, 80, "denied" },
    { "egress of others does not matter", { NP(OUT("")) }, "job", "web", TCP, 80, "allowed" },
    { "an empty rule allows everyone", { NP(IN("{}")) }, "8.8.8.8", "db", UDP, 9, "allowed" },
    { "an empty from is everyone",
      { NP(IN("{\"from\":[],\"ports\":[{\"port\":80}]}")) },
      "8.8.8.8",
      "db",
      TCP,
      80,
      "allowed" },
    { "a port without protocol is TCP",
      { NP(IN("{\"ports\":[{\"port\":80}]}")) },
      "web",
      "db",
      UDP,
      80,
      "denied" },
    { "an item without port is every port of its protocol",
      { NP(IN("{\"ports\":[{\"protocol\":\"UDP\"}]}")) },
      "web",
      "db",
      UDP,
      65535,
      "allowed" },
    { "and of no other",
      { NP(IN("{\"ports\":[{\"protocol\":\"UDP\"}]}")) },
      "web",
      "db",
      TCP,
      65535,
      "denied" },
    { "endPort is inside",
      { NP(IN("{\"ports\":[{\"port\":80,\"endPort\":90}]}")) },
      "web",
      "db",
      TCP,
      90,
      "allowed" },
    { "and the last one",
      { NP(IN("{\"ports\":[{\"port\":80,\"endPort\":90}]}")) },
      "web",
      "db",
      TCP,
      91,
      "denied" },
    { "a named port is the destination's",
      { NP(IN("{\"ports\":[{\"port\":\"sql\"}]}")) },
      "web",
      "db",
      TCP,
      5432,
      "allowed" },
    { "its protocol must be the same",
      { NP(IN("{\"ports\":[{\"port\":\"http\"}]}")) },
      "web",
      "db",
      TCP,
      80,
      "denied" },
    { "a restartable init container names ports",
      { NP(IN("{\"ports\":[{\"port\":\"metrics\"}]}")) },
      "web",
      "db",
      TCP,
      9100,
      "allowed" },
    { "another init container does not",
      { NP(IN("{\"ports\":[{\"port\":\"once\"}]}")) },
      "web",
      "db",
      TCP,
      7,
      "denied" },
    { "for egress the name is the destination's too",
      { NP(OUT("{\"ports\":[{\"port\":\"sql\"}]}")) },
      "web",
      "db",
      TCP,
      5432,
      "allowed" },
    { "nobody outside has named ports",
      { NP(OUT("{\"ports\":[{\"port\":\"http\"}]}")) },
      "web",
      "8.8.8.8",
      TCP,
      8080,
      "denied" },
    { "a named port is never one of an ipBlock",
      { NP(OUT(
          "{\"to\":[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}],\"ports\":[{\"port\":\"sql\"}]}")) },
      "web",
      "db",
      TCP,
      5432,
      "denied" },
    { "unless a selector matches the pod as well",
      { NP(OUT("{\"to\":[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}},{" DB
               "}],\"ports\":[{\"port\":\"sql\"}]}")) },
      "web",
      "db",
      TCP,
      5432,
      "allowed" },
    { "the block of a source does not take the destination's names",
      { NP(IN(
          "{\"from\":[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}],\"ports\":[{\"port\":\"sql\"}]}")) },
      "web",
      "db",
      TCP,
      5432,
      "allowed" },
    { "a podSelector alone is of the own namespace",
      { NP(IN("{\"from\":[{" ALL "}]}")) },
      "job",
      "db",
      TCP,
      80,
      "denied" },
    { "a namespaceSelector alone is all its pods",
      { NP(IN("{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"b\"}}}]}")) },
      "job",
      "db",
      TCP,
      80,
      "allowed" },
    { "both in one peer must match",
      { NP(IN("{\"from\":[{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"app\":"
              "\"web\"}}}]}")) },
      "job",
      "db",
      TCP,
      80,
      "denied" },
    { "every namespace carries its name",
      { NP(IN("{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":"
              "\"lab\"}}}]}")) },
      "job",
      "db",
      TCP,
      80,
      "allowed" },
    { "an ipBlock matches the outside",
      { NP(IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"8.8.0.0/16\"}}]}")) },
      "8.8.8.8",
      "db",
      TCP,
      80,
      "allowed" },
    { "but for its exceptions",
      { NP(
          IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"8.8.0.0/16\",\"except\":[\"8.8.8.8/32\"]}}]}")) },
      "8.8.8.8",
      "db",
      TCP,
      80,
      "denied" },
    { "an ipBlock matches pods by their address",
      { NP(IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"10.0.1.0/24\"}}]}")) },
      "job",
      "db",
      TCP,
      80,
      "allowed" },
    { "a pod of two families gets through by either",
      { NP(IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"fd00::/64\"}}]}")) },
      "web",
      "db",
      TCP,
      80,
      "allowed" },
    { "a pod without address is in no block",
      { NP(IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\"}}]}")) },
      "new",
      "db",
      TCP,
      80,
      "denied" },
    { "policies unite",
      { NP(IN("")), NP(IN("{\"ports\":[{\"port\":80}]}")) },
      "web",
      "db",
      TCP,
      80,
      "allowed" },
    { "a malformed policy may isolate, or allow",
      { NP(IN("{\"ports\":[{\"port\":99999}]}")) },
      "web",
      "db",
      TCP,
      80,
      "unknown" },
    { "what another allows stays allowed",
      { NP(IN("{\"ports\":[{\"port\":99999}]}")), NP(IN("{\"ports\":[{\"port\":80}]}")) },
      "web",
      "db",
      TCP,
      80,
      "allowed" },
    /* host network */
    { "host-network pods are no subjects", { NP(OUT("")) }, "host", "job", TCP, 80, "allowed" },
    { "nor isolated", { NP(IN("")) }, "job", "host", TCP, 80, "allowed" },
    { "nor peers by selector: the own node's word stays",
      { NP(IN("{\"from\":[" WEB "]}")) },
      "host",
      "db",
      TCP,
      80,
      "unknown" },
    { "an ipBlock matches a node by its address",
      { NP(IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"192.0.2.0/24\"}}]}")) },
      "host",
      "db",
      TCP,
      80,
      "allowed" },
    { "to the own node under egress isolation is unknown",
      { NP(OUT("")) },
      "web",
      "host",
      TCP,
      80,
      "unknown" },
};

TEST(network_policies)
{
    for (size_t i = 0; i < ARRAY_LEN(network_policy); i++) {
        stage_check(&network_policy[i], NULL);
    }
}

TEST(families_that_are_not_modelled_may_do_anything_to_pods)
{
    static const char *const names[] = { "NetworkPolicy of crd.projectcalico.org", NULL };
    const struct stage_policy none[STAGE_POLICIES] = { { 0 } };
    struct cluster *c = stage_create(none);

    cluster_set_unmodelled(c, names);
    struct reach_book *b = reach_book_create(c, NULL);
    CHECK_STR("a pod", stage_ask(c, b, "web", "db", TCP, 80), "unknown");
    CHECK_STR("not a node", stage_ask(c, b, "8.8.8.8", "host", TCP, 80), "allowed");
    reach_book_destroy(b);
    cluster_destroy(c);
}

struct border_walk {
    struct reach_book *book;
    unsigned ranges, allowed;
    struct address_range last;
};

static void on_range(void *ctx, const struct address_range *r, struct side_answer a)
{
    struct border_walk *w = ctx;

    w->ranges++;
    w->allowed += a.allowed == PORTS_ALL ? 1 : 0;
    w->last = *r;
}

TEST(the_outside_is_cut_where_policies_name_a_border)
{
    const struct stage_policy policies[STAGE_POLICIES] = { NP(
        IN("{\"from\":[{\"ipBlock\":{\"cidr\":\"8.0.0.0/8\",\"except\":[\"8.8.0.0/16\"]}}]}")) };
    struct cluster *c = stage_create(policies);
    struct border_walk w = { .book = reach_book_create(c, NULL) };
    struct stage_end db;

    stage_end(c, "db", &db);
    lineup_outside(w.book, reach_lineup(w.book, db.peer.pod_class, DIRECTION_INGRESS),
                   DIRECTION_INGRESS, db.peer.pod_class, on_range, &w);
    CHECK_INT("five ranges of IPv4 and one of IPv6", w.ranges, 6);
    CHECK_INT("two of them are let in", w.allowed, 2);
    CHECK_INT("IPv6 comes last", w.last.family, 6);
    CHECK_INT("up to the end", w.last.hi[15], 0xff);
    reach_book_destroy(w.book);
    cluster_destroy(c);
}

TEST(classes_with_the_same_policies_share_a_lineup)
{
    const struct stage_policy policies[STAGE_POLICIES] = { NP(IN("")), NP("{" DB "}") };
    struct cluster *c = stage_create(policies);
    struct reach_book *b = reach_book_create(c, NULL);
    struct stage_end web, db, new, host;

    stage_end(c, "web", &web);
    stage_end(c, "db", &db);
    stage_end(c, "new", &new);
    stage_end(c, "host", &host);
    const struct lineup *l = reach_lineup(b, web.peer.pod_class, DIRECTION_INGRESS);
    CHECK("the same", l == reach_lineup(b, new.peer.pod_class, DIRECTION_INGRESS));
    CHECK("another", l != reach_lineup(b, db.peer.pod_class, DIRECTION_INGRESS));
    CHECK_INT("one policy", lineup_count(l), 1);
    CHECK("it isolates", lineup_isolates(l));
    CHECK("a host-network pod has none",
          reach_lineup(b, host.peer.pod_class, DIRECTION_INGRESS) == NULL);
    reach_book_destroy(b);
    cluster_destroy(c);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(network_policies),
              cmocka_unit_test(families_that_are_not_modelled_may_do_anything_to_pods),
              cmocka_unit_test(the_outside_is_cut_where_policies_name_a_border),
              cmocka_unit_test(classes_with_the_same_policies_share_a_lineup));
}
