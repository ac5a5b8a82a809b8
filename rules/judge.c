#include "rules/judge.h"

#include <string.h>

#include "rules/dns_places.h"
#include "rules/mesh.h"
#include "rules/outcome.h"

#define OWNER_ANNOTATION "netauditd.io/owner"

void judge_init(struct judge *j, const struct cluster *cluster, const struct ruleset *ruleset,
                const char *cluster_id)
{
    memset(j, 0, sizeof(*j));
    j->cluster = cluster;
    j->ruleset = ruleset;
    j->cluster_id = cluster_id;
    arena_init(&j->arena);
    buf_init(&j->json, EVIDENCE_MAX_BYTES);
    j->linkerd_in_use = linkerd_users(cluster) > 0;
    j->dns.places = dns_places_create();
    j->memo = reach_memo_create(cluster, ruleset_reach_options(ruleset));
}

void judge_set_ruleset(struct judge *j, const struct ruleset *ruleset)
{
    j->ruleset = ruleset;
    j->dns = (struct dns_memo){ .places = j->dns.places };
    dns_places_forget(j->dns.places, NULL);
    reach_memo_set_options(j->memo, ruleset_reach_options(ruleset));
}

static void forget_dns(struct judge *j)
{
    j->dns = (struct dns_memo){ .places = j->dns.places };
}

void judge_forget(struct judge *j)
{
    forget_dns(j);
    reach_memo_forget(j->memo);
}

void judge_forget_places(struct judge *j, const struct ns *ns)
{
    dns_places_forget(j->dns.places, ns);
}

void judge_deinit(struct judge *j)
{
    dns_places_destroy(j->dns.places);
    reach_memo_destroy(j->memo);
    buf_deinit(&j->json);
    arena_deinit(&j->arena);
}

/* ---- the subject ---- */

static const char *owner_of(const struct subject *s)
{
    const char *owner = NULL;

    if (s->kind == SUBJECT_WORKLOAD && s->workload->object != NULL) {
        owner = label_set_text(s->workload->object->head.annotations, OWNER_ANNOTATION);
    }
    if (owner == NULL) {
        owner = label_set_text(subject_annotations(s), OWNER_ANNOTATION);
    }
    if (owner == NULL && s->ns != NULL && s->ns->object != NULL) {
        owner = label_set_text(s->ns->object->head.annotations, OWNER_ANNOTATION);
    }
    return owner != NULL ? owner : "";
}

static bool is_deleting(const struct subject *s)
{
    if (s->kind == SUBJECT_WORKLOAD) {
        return s->workload->deleting;
    }
    const struct object *obj = subject_object(s);
    return obj != NULL && obj->deleting;
}

void judge_turn(struct judge *j, const struct subject *s, int64_t now_ms)
{
    arena_reset(&j->arena);
    j->subject = s;
    j->now_ms = now_ms;
    j->environment = ruleset_environment(j->ruleset, s->ns);
    j->owner = owner_of(s);
    subject_ref_of(s, &j->ref);
}

/* ---- the verdict ---- */

static void fill_from_row(const struct judge *j, const struct rule *r, struct verdict *out)
{
    *out = (struct verdict){ .policy = r->policy,
                             .rule = r->rule,
                             .category = r->category,
                             .severity = r->severity,
                             .subject = j->ref,
                             .subkey = "",
                             .environment = j->environment,
                             .result = RESULT_SKIP,
                             .message = "",
                             .evidence = "{}",
                             .remediation = r->remediation != NULL ? r->remediation : "",
                             .owner = j->owner,
                             .subject_deleting = is_deleting(j->subject) };
}

static void fill_place(const struct judge *j, const struct outcome *said, struct verdict *out)
{
    const struct origin *origin = subject_origin(j->subject);

    if (origin == NULL) {
        return;
    }
    out->file = str_text(origin->file);
    out->line = said->field != NULL ? origin_field_line(origin, said->field) : origin->line;
}

static void evaluate(struct judge *j, const struct rule *r, struct outcome *said)
{
    struct rule_input in = { .rule = r,
                             .cluster = j->cluster,
                             .subject = j->subject,
                             .environment = j->environment,
                             .params = ruleset_params(j->ruleset, r),
                             .now_ms = j->now_ms,
                             .arena = &j->arena,
                             .linkerd_in_use = j->linkerd_in_use,
                             .memo = j->memo,
                             .dns = &j->dns };
    unsigned needs = r->needs | BIT(subject_own_kind(j->subject));

    outcome_init(said, &j->arena);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if ((needs & BIT(k)) && !rule_relies_on(&in, said, (enum kind)k)) {
            return;
        }
    }
    r->evaluate(&in, said);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What an exemption makes of it: a raw fail or warn is suppressed and kept, everything else is
 * skipped. Of what cannot be judged nothing is known, so that it stays as it is. */
static void exempt(struct judge *j, const struct rule *r, struct verdict *out)
{
    int64_t until = 0;
    const char *why = ruleset_exempt(j->ruleset, r, j->subject, j->now_ms, &j->arena, &until);

    if (why == NULL) {
        return;
    }
    out->exemption = why;
    out->valid_until_ms = sooner(out->valid_until_ms, until);
    if (out->kind_unavailable) {
        return;
    }
    if (out->result == RESULT_FAIL || out->result == RESULT_WARN) {
        out->suppressed = true;
        return;
    }
    out->result = RESULT_SKIP;
    out->message = why;
}

static const char *evidence_text(struct judge *j, const struct outcome *said)
{
    if (said->evidence_count == 0) {
        return "{}";
    }
    buf_reset(&j->json);
    outcome_evidence(said, &j->json);
    return arena_strndup(&j->arena, j->json.data, j->json.len);
}

void judge_rule(struct judge *j, const struct rule *r, struct verdict *out,
                struct judge_kinds *kinds)
{
    enum level level = ruleset_level(j->ruleset, r, j->environment);
    struct outcome said;

    fill_from_row(j, r, out);
    *kinds = (struct judge_kinds){ KIND_COUNT, KIND_COUNT };
    if (level == LEVEL_OFF) {
        out->off = true;
        return;
    }
    evaluate(j, r, &said);
    out->result = said.result;
    out->message = said.message != NULL ? said.message : "";
    out->subkey = said.subkey != NULL ? said.subkey : "";
    out->grace_ms = said.grace_ms;
    out->valid_until_ms = said.valid_until_ms;
    if (said.kind_unavailable) {
        out->kind_unavailable = true;
        kinds->unavailable = said.kind;
    } else if (said.kind_off) {
        kinds->off = said.kind;
    }
    if (level == LEVEL_WARN && out->result == RESULT_FAIL) {
        out->result = RESULT_WARN;
    }
    out->evidence = evidence_text(j, &said);
    fill_place(j, &said, out);
    exempt(j, r, out);
}

void judge_fingerprint(const struct judge *j, struct verdict *v)
{
    verdict_fingerprint(j->cluster_id, v->policy, v->rule, &v->subject, v->subkey, v->fingerprint);
}

void judge_kind(struct judge *j, const struct rule *r, enum kind kind, bool unavailable,
                struct verdict *out)
{
    const struct kind_status *status = cluster_kind(j->cluster, kind);
    char resource[64];
    struct outcome said;
    bool still;

    arena_reset(&j->arena);
    kind_resource_name(&kind_table[kind], resource);
    *out = (struct verdict){ .policy = r->policy,
                             .rule = r->rule,
                             .category = r->category,
                             .severity = r->severity,
                             .subject = { .group = "",
                                          .version = "v1",
                                          .kind = "APIResource",
                                          .ns = "",
                                          .name = arena_strdup(&j->arena, resource),
                                          .uid = "" },
                             .subkey = "",
                             .environment = ENV_STANDARD,
                             .result = unavailable ? RESULT_ERROR : RESULT_PASS,
                             .message = "",
                             .evidence = "{}",
                             .remediation = "",
                             .owner = "" };
    outcome_init(&said, &j->arena);
    evidence_value(&said, "state", "%s", kind_state_name(status->state));
    if (unavailable) {
        out->message = kind_trouble(j->cluster, kind, &still, &j->arena);
        out->remediation = "Let the daemon list and watch this resource, and see its log for why "
                           "it cannot.\n";
        if (status->reason[0] != '\0') {
            evidence_value(&said, "reason", "%s", status->reason);
        }
    }
    out->evidence = evidence_text(j, &said);
}
