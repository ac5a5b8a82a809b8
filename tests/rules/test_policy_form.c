/* Policies of all families in one form: what becomes of their parts; and why a line-up answers as
 * it does (SEMANTICS 2 to 5). */
#include "base/arena.h"
#include "tests/rules/stage.h"

#define DB     "\"podSelector\":{\"matchLabels\":{\"app\":\"db\"}}"
#define FROM_B "\"from\":[{\"namespaces\":{\"matchLabels\":{\"team\":\"b\"}}}]"

enum { EVERY_FAMILY = BIT(FAMILY_COUNT) - 1 };

struct forms { /* of one policy of a staged cluster */
    struct cluster *cluster;
    struct arena arena;
    struct port_table *ports;
    struct form_vec all;
};

static void make(struct forms *f, enum kind kind, const char *body, unsigned enforced)
{
    const struct stage_policy policies[STAGE_POLICIES] = { { kind, body } };
    const struct form_options options = { .ports = port_table_create(),
                                          .blocks_match_pods = true,
                                          .enforced = enforced };

    memset(f, 0, sizeof(*f));
    f->cluster = stage_create(policies);
    f->ports = options.ports;
    arena_init(&f->arena);
    const struct ns *ns = kind_table[kind].namespaced ? cluster_ns(f->cluster, "shop") : NULL;
    policy_form_add(&f->all, &f->arena,
                    kind_table[kind].namespaced ? cluster_find(f->cluster, kind, "shop", "p0")
                                                : cluster_objects(f->cluster, kind)->v.items[0],
                    ns, &options);
}

static void drop(struct forms *f)
{
    vec_free(&f->all.v);
    arena_deinit(&f->arena);
    port_table_destroy(f->ports);
    cluster_destroy(f->cluster);
}

TEST(a_network_policy_is_one_form_of_the_policy_stage)
{
    struct forms f;

    make(
        &f, KIND_NETWORK_POLICY,
        ",\"spec\":{" DB ",\"ingress\":[{\"from\":[{" DB "},{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\","
        "\"except\":[\"10.1.0.0/16\"]}}],\"ports\":[{\"port\":80},{\"port\":81},{\"port\":\"sql\"}]"
        "},{}]}",
        EVERY_FAMILY);
    REQUIRE("one", f.all.v.len == 1);
    const struct policy_form *p = &f.all.v.items[0];
    CHECK_INT("stage", p->stage, STAGE_POLICY);
    CHECK("isolates ingress", p->isolates[DIRECTION_INGRESS]);
    CHECK("not egress", !p->isolates[DIRECTION_EGRESS]);
    REQUIRE("two rules", p->rule_count[DIRECTION_INGRESS] == 2);
    const struct form_rule *r = p->rules[DIRECTION_INGRESS];
    CHECK_INT("two peers", r->peer_count, 2);
    CHECK("the podSelector alone is of the own namespace", r->peers[0].own_namespace);
    CHECK_INT("the block is read", r->peers[1].range->cidr.bits, 8);
    CHECK_INT("and its exception", r->peers[1].range->except_count, 1);
    CHECK("adjacent ports are one range",
          r->fixed == port_set_range(f.ports, PROTOCOL_TCP, 80, 81));
    CHECK("one goes by name", r->names_ports);
    CHECK_STR("where it stands", r->section, "spec.ingress");
    CHECK_INT("an empty rule is everyone", r[1].peers[0].kind, FORM_PEER_EVERYONE);
    CHECK_INT("on everything", r[1].fixed, PORTS_ALL);
    CHECK_INT("its index", r[1].index, 1);
    drop(&f);
}

TEST(egress_without_policyTypes_has_no_effect_when_empty)
{
    struct forms f;

    make(&f, KIND_NETWORK_POLICY, ",\"spec\":{\"podSelector\":{},\"egress\":[]}", EVERY_FAMILY);
    REQUIRE("it isolates ingress", f.all.v.len == 1);
    CHECK("not egress", !f.all.v.items[0].isolates[DIRECTION_EGRESS]);
    drop(&f);
}

TEST(a_tier_policy_keeps_order_and_priority)
{
    struct forms f;

    make(&f, KIND_CLUSTER_NETWORK_POLICY,
         ",\"spec\":{\"tier\":\"Baseline\",\"priority\":7,\"subject\":{\"namespaces\":{}},"
         "\"ingress\":[{\"name\":\"first\",\"action\":\"Accept\"," FROM_B "},{\"action\":\"Pass\","
         "\"from\":[{\"later\":{}},{\"namespaces\":{}}]}]}",
         EVERY_FAMILY);
    REQUIRE("one", f.all.v.len == 1);
    const struct policy_form *p = &f.all.v.items[0];
    CHECK_INT("stage", p->stage, STAGE_BASELINE);
    CHECK_INT("priority", p->priority, 7);
    CHECK("it is of no namespace", p->ns == NULL);
    CHECK("tiers do not isolate", !p->isolates[DIRECTION_INGRESS]);
    REQUIRE("a peer that is not understood is a rule of its own",
            p->rule_count[DIRECTION_INGRESS] == 3);
    const struct form_rule *r = p->rules[DIRECTION_INGRESS];
    CHECK_STR("the name", str_text(r[0].name), "first");
    CHECK_INT("Accept allows", r[0].action, FORM_ALLOW);
    CHECK_INT("it perhaps denies", r[1].action, FORM_DENY);
    CHECK_INT("everyone", r[1].peers[0].kind, FORM_PEER_MAYBE);
    CHECK_INT("and the rest passes", r[2].action, FORM_PASS);
    CHECK_INT("with the index that is written", r[2].index, 1);
    drop(&f);
}

TEST(each_rule_of_a_cilium_policy_is_a_form)
{
    struct forms f;

    make(&f, KIND_CILIUM_NETWORK_POLICY,
         ",\"spec\":{\"endpointSelector\":{},\"ingress\":[{}]},\"specs\":[{\"endpointSelector\":{},"
         "\"egressDeny\":[{\"toEntities\":[\"world\"],\"toPorts\":[{\"ports\":[{\"port\":\"53\"}]}]"
         "}]}]",
         EVERY_FAMILY);
    REQUIRE("two", f.all.v.len == 2);
    CHECK("the first isolates ingress", f.all.v.items[0].isolates[DIRECTION_INGRESS]);
    CHECK_INT("an empty entry is nobody", f.all.v.items[0].rules[DIRECTION_INGRESS][0].peer_count,
              0);
    const struct form_rule *r = &f.all.v.items[1].rules[DIRECTION_EGRESS][0];
    CHECK_STR("the second stands in specs", r->section, "specs[0].egressDeny");
    CHECK_INT("it denies", r->action, FORM_DENY);
    CHECK_INT("the outside", r->peers[0].kind, FORM_PEER_WORLD);
    CHECK("a port without protocol is of all three",
          port_set_has(f.ports, r->fixed, PROTOCOL_SCTP, 53) &&
              port_set_has(f.ports, r->fixed, PROTOCOL_UDP, 53));
    drop(&f);
}

TEST(what_is_malformed_is_unclear_or_nothing)
{
    struct forms f;

    make(&f, KIND_NETWORK_POLICY,
         ",\"spec\":{\"podSelector\":{},\"ingress\":[{\"ports\":[{\"port\":0}]}]}", EVERY_FAMILY);
    REQUIRE("a NetworkPolicy may have an effect", f.all.v.len == 1);
    CHECK("on ingress", f.all.v.items[0].unclear[DIRECTION_INGRESS] != NULL);
    CHECK("not on egress", f.all.v.items[0].unclear[DIRECTION_EGRESS] == NULL);
    drop(&f);
    make(&f, KIND_CILIUM_NETWORK_POLICY, ",\"spec\":{\"endpointSelector\":{}}", EVERY_FAMILY);
    CHECK_INT("the agent refuses a Cilium policy as a whole", f.all.v.len, 0);
    drop(&f);
}

TEST(a_family_that_is_not_enforced_is_doubted)
{
    struct forms f;

    make(&f, KIND_NETWORK_POLICY, ",\"spec\":{\"podSelector\":{}}", BIT(FAMILY_CILIUM));
    REQUIRE("one", f.all.v.len == 1);
    CHECK("it says so", f.all.v.items[0].unenforced && f.all.v.items[0].doubt != NULL);
    drop(&f);
}

/* ---- why ---- */

#define ALLOW_80 "{" DB ",\"ingress\":[{\"ports\":[{\"port\":1}]},{\"ports\":[{\"port\":80}]}]}"
#define DENY_B                                                                                     \
    "{\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}},\"ingress\":["             \
    "{\"action\":\"Deny\"," FROM_B "}]}"
#define PASS_ALL                                                                                   \
    "{\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}},\"ingress\":["             \
    "{\"action\":\"Pass\",\"from\":[{\"namespaces\":{}}]}]}"

struct why_row {
    const char *fact;
    struct stage_policy policies[STAGE_POLICIES];
    const char *from;
    int answer, because;
    int steps;
    int deciding; /* index of the step, -1: none */
    enum verdict_word word;
    int rule; /* index of its rule, -1: none */
};

static const struct why_row why[] = {
    { "no policy selects it", { { 0 } }, "job", SIDE_ALLOWED, BECAUSE_NO_POLICY, 0, -1, 0, -1 },
    { "a rule allows", { NP(ALLOW_80) }, "job", SIDE_ALLOWED, BECAUSE_RULE, 1, 0, SAYS_ALLOW, 1 },
    { "no rule allows", { NP("{" DB "}") }, "job", SIDE_DENIED, BECAUSE_NO_RULE, 1, -1, 0, -1 },
    { "a tier denies before",
      { NP(ALLOW_80), CNP(DENY_B) },
      "job",
      SIDE_DENIED,
      BECAUSE_RULE,
      2,
      0,
      SAYS_DENY,
      0 },
    { "a tier passes on",
      { NP(ALLOW_80), CNP(PASS_ALL) },
      "job",
      SIDE_ALLOWED,
      BECAUSE_RULE,
      2,
      1,
      SAYS_ALLOW,
      1 },
    { "tiers select it, and nothing matched",
      { CNP(DENY_B) },
      "web",
      SIDE_ALLOWED,
      BECAUSE_NOTHING_MATCHED,
      1,
      -1,
      0,
      -1 },
    { "a Cilium denial goes before an allowance",
      { CIL("{\"endpointSelector\":{},\"ingress\":[{\"fromEntities\":[\"all\"]}],\"ingressDeny\":[{"
            "\"fromEntities\":[\"cluster\"]}]}") },
      "job",
      SIDE_DENIED,
      BECAUSE_RULE,
      1,
      0,
      SAYS_DENY,
      0 },
    { "what is not modelled is named",
      { CIL("{\"endpointSelector\":{},\"ingress\":[{\"fromNodes\":[{}]}]}") },
      "8.8.8.8",
      SIDE_UNKNOWN,
      BECAUSE_CONSTRUCT,
      1,
      -1,
      0,
      -1 },
    { "denied, but for the own node",
      { NP("{" DB "}") },
      "host",
      SIDE_UNKNOWN,
      BECAUSE_OWN_NODE,
      1,
      -1,
      0,
      -1 },
};

static void check_why(const struct why_row *row)
{
    struct cluster *c = stage_create(row->policies);
    struct reach_book *b = reach_book_create(c, NULL);
    struct stage_end from, to;
    struct side_reason r;
    int deciding = -1;

    stage_end(c, row->from, &from);
    stage_end(c, "db", &to);
    lineup_explain(b, reach_lineup(b, to.peer.pod_class, DIRECTION_INGRESS), DIRECTION_INGRESS,
                   to.peer.pod_class, &from.peer, PROTOCOL_TCP, 80, &r);
    CHECK_INT(row->fact, r.answer, row->answer);
    CHECK_INT(row->fact, r.because, row->because);
    CHECK_INT(row->fact, r.steps.len, row->steps);
    CHECK(row->fact, (r.because == BECAUSE_CONSTRUCT) == (r.construct != NULL));
    for (size_t i = 0; i < r.steps.len; i++) {
        deciding = r.steps.items[i].deciding ? (int)i : deciding;
    }
    CHECK_INT(row->fact, deciding, row->deciding);
    if (deciding >= 0) {
        const struct side_step *s = &r.steps.items[deciding];
        CHECK_INT(row->fact, s->word, row->word);
        CHECK_INT(row->fact, s->rule != NULL ? (int)s->rule->index : -1, row->rule);
    }
    vec_free(&r.steps);
    reach_book_destroy(b);
    cluster_destroy(c);
}

TEST(a_reason_lists_the_policies_and_the_rule_that_decides)
{
    for (size_t i = 0; i < ARRAY_LEN(why); i++) {
        check_why(&why[i]);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_network_policy_is_one_form_of_the_policy_stage),
              cmocka_unit_test(egress_without_policyTypes_has_no_effect_when_empty),
              cmocka_unit_test(a_tier_policy_keeps_order_and_priority),
              cmocka_unit_test(each_rule_of_a_cilium_policy_is_a_form),
              cmocka_unit_test(what_is_malformed_is_unclear_or_nothing),
              cmocka_unit_test(a_family_that_is_not_enforced_is_doubted),
              cmocka_unit_test(a_reason_lists_the_policies_and_the_rule_that_decides));
}
