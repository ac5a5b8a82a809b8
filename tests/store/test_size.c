/* What a transition costs on disk: at most 120 bytes, all indexes included, with a cause of its own
 * for each. */
#include "tests/store/helpers.h"

enum { FINDINGS = 2000 };

static int64_t used_bytes(struct fixture *f)
{
    return (atoll(ask(f, "PRAGMA page_count")) - atoll(ask(f, "PRAGMA freelist_count"))) * 4096;
}

/* Every finding opens or resolves once, each by a write of its own. `policies`: the write is
 * another object's, which causes `shared` transitions. */
static void round_of(struct fixture *f, unsigned round, unsigned shared)
{
    for (unsigned n = 0; n < FINDINGS; n++) {
        char ns[32], name[48], version[24], policy[32], uid[40];
        snprintf(ns, sizeof(ns), "team-%03u-production", n / 40);
        snprintf(name, sizeof(name), "checkout-service-%04u", n);
        snprintf(version, sizeof(version), "%u",
                 48123456 + round * FINDINGS + (shared > 1 ? n / shared : n));
        snprintf(policy, sizeof(policy), "default-deny-%04u", n / shared);
        snprintf(uid, sizeof(uid), "6f9619ff-8b86-d011-b42d-00c04fc9%04x",
                 shared > 1 ? n / shared : n);
        struct verdict v = failing(ns, name);
        struct cause c = shared > 1 ? wrote(CHANGE_UPDATE, "NetworkPolicy", ns, policy, version)
                                    : wrote(CHANGE_UPDATE, "Service", ns, name, version);
        c.uid = uid;
        c.to_ms = c.from_ms = T0 + round * 60000 + n / shared;
        c.manager_ms = T0 + round * 60000;
        v.result = round % 2 == 0 ? RESULT_FAIL : RESULT_SKIP;
        life_verdict(f->life, &v, &c, T0 + (int64_t)round * 60000 + n);
    }
    fixture_settle(f);
}

static double per_transition(unsigned shared, double *finding)
{
    struct fixture f;
    enum { ROUNDS = 20 };

    fixture_init(&f);
    fixture_open(&f);
    int64_t empty = used_bytes(&f);
    round_of(&f, 0, shared);
    int64_t before = used_bytes(&f);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        round_of(&f, round, shared);
    }
    int64_t after = used_bytes(&f);
    CHECK_INT("as many transitions", atoll(ask(&f, "SELECT count(*) FROM transition")),
              (ROUNDS + 1) * FINDINGS);
    fixture_deinit(&f);
    *finding = (double)(before - empty) / FINDINGS;
    return (double)(after - before) / (ROUNDS * FINDINGS);
}

TEST(a_transition_costs_at_most_120_bytes)
{
    double finding, own = per_transition(1, &finding), shared = per_transition(20, &finding);

    printf("# bytes per transition: %.1f with a cause each, %.1f where one write causes 20; %.0f "
           "per new finding\n",
           own, shared, finding);
    CHECK("with a cause each", own <= 120);
    CHECK("where one write causes 20", shared <= 60);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_transition_costs_at_most_120_bytes));
}
