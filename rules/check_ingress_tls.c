/* require-ingress-tls: is what an Ingress publishes encrypted, by a certificate that is there, for
 * the hosts that it serves? What the certificate itself says is another rule's matter. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/controller.h"
#include "rules/host.h"
#include "rules/redirect.h"
#include "rules/rule.h"

#define CATEGORY "Ingress TLS"

static void proof_evidence(struct outcome *out, const struct tls_proof *proof)
{
    if (proof->key != NULL) {
        evidence_value(out, "annotation", "%s", proof->key);
    }
    if (proof->other != NULL) {
        evidence_object(out, "Ingress", &proof->other->head);
    }
}

/* NULL when spec.tls is complete. */
static const char *tls_fault(const struct ingress *ing, struct outcome *out)
{
    if (ing->tls_count == 0) {
        finding_field(out, "spec.tls");
        return "no TLS is configured; add spec.tls with the hosts and a secretName";
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        if (ing->tls[i].secret == NULL) {
            finding_field(out, "spec.tls[%u].secretName", i);
            return "a TLS entry names no Secret, so that the controller's default certificate is "
                   "served; set its "
                   "secretName";
        }
        if (ing->tls[i].host_count == 0) {
            finding_field(out, "spec.tls[%u].hosts", i);
            return "a TLS entry names no hosts; list the hosts that its certificate is for";
        }
    }
    return NULL;
}

static void tls_configured(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const char *fault = tls_fault(ing, out);
    struct tls_proof proof;

    if (fault == NULL) {
        finding_pass(out);
    } else if (ingress_tls_proved(in->cluster, ing, &proof)) {
        proof_evidence(out, &proof);
        finding_pass_because(out, proof.how);
    } else {
        finding_fail(out, fault);
    }
}

static const struct secret *find_secret(const struct rule_input *in, const struct str *name)
{
    return (const struct secret *)cluster_find(in->cluster, KIND_SECRET,
                                               str_text(in->subject->ingress->head.ns), name->text);
}

/* cert-manager has been asked for the certificate: by the issuer, or by any other annotation of its
 * groups. */
static bool asks_cert_manager(const struct ingress *ing)
{
    const struct label_set *set = ing->head.annotations;

    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        const char *key = set->items[i].key->text;

        if (text_starts(key, "cert-manager.io/") || text_starts(key, "acme.cert-manager.io/") ||
            strcmp(key, "kubernetes.io/tls-acme") == 0) {
            return true;
        }
    }
    return false;
}

static bool is_tls_secret(const struct rule_input *in, const struct secret *s)
{
    /* Live, the watch asks for that type alone. */
    return !cluster_offline(in->cluster) ||
           (s->type != NULL && strcmp(s->type->text, "kubernetes.io/tls") == 0);
}

static void secret_missing(const struct rule_input *in, struct outcome *out)
{
    bool issued = asks_cert_manager(in->subject->ingress);

    if (!cluster_offline(in->cluster)) {
        finding_grace(out, issued ? param_int(in, "grace") : 0);
        finding_fail(out, "a Secret of spec.tls is absent or of another type than "
                          "kubernetes.io/tls; create it with that "
                          "type");
    } else if (issued) {
        finding_skip(out, "cert-manager is asked to issue the Secret, which is not in the input");
    } else {
        finding_fail(out,
                     "a Secret of spec.tls does not exist; create it with type kubernetes.io/tls");
    }
}

static void secret_exists(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    bool skipped = false, named = false;

    for (uint32_t i = 0; i < ing->tls_count; i++) {
        named = named || ing->tls[i].secret != NULL;
    }
    if (!named) {
        finding_skip(out, "no Secret is named in spec.tls");
        return;
    }
    if (!rule_relies_on(in, out, KIND_SECRET)) {
        return;
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        const struct secret *s =
            ing->tls[i].secret != NULL ? find_secret(in, ing->tls[i].secret) : NULL;

        if (ing->tls[i].secret == NULL) {
            continue;
        }
        finding_field(out, "spec.tls[%u].secretName", i);
        if (s == NULL) {
            secret_missing(in, out);
            evidence_value(out, "secret", "%s", ing->tls[i].secret->text);
            if (out->result == RESULT_FAIL) {
                return;
            }
            skipped = true;
            continue;
        }
        evidence_object(out, "Secret", &s->head);
        if (!is_tls_secret(in, s)) {
            evidence_value(out, "type", "%s", s->type != NULL ? s->type->text : "Opaque");
            finding_fail(
                out,
                "a Secret of spec.tls is not of type kubernetes.io/tls; create it with that type");
            return;
        }
    }
    if (!skipped) {
        finding_pass(out);
    }
}

static bool covered(const struct ingress *ing, const char *host)
{
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        if (ing->tls[i].host_count == 0) {
            return true; /* covers every host; that it names none is another rule's finding */
        }
        for (uint32_t k = 0; k < ing->tls[i].host_count; k++) {
            if (host_covers(ing->tls[i].hosts[k]->text, host)) {
                return true;
            }
        }
    }
    return false;
}

static bool used(const struct ingress *ing, const char *tls_host)
{
    if (ing->has_default_backend) {
        return true;
    }
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        const char *host = str_text(ing->rules[i].host);

        if (host_is_any(host) || host_covers(tls_host, host) || host_covers(host, tls_host)) {
            return true;
        }
    }
    return false;
}

static void hosts_match(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;

    if (ing->tls_count == 0) {
        finding_skip(out,
                     "no TLS is configured, which is the finding of validate-tls-configuration");
        return;
    }
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        const char *host = str_text(ing->rules[i].host);

        if (!host_is_any(host) && !covered(ing, host)) {
            finding_field(out, "spec.rules[%u].host", i);
            evidence_value(out, "host", "%s", host);
            finding_fail(
                out, "a rule's host is covered by no TLS host; add it to the hosts of a TLS entry");
            return;
        }
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        for (uint32_t k = 0; k < ing->tls[i].host_count; k++) {
            const char *host = ing->tls[i].hosts[k]->text;

            if (!used(ing, host)) {
                finding_field(out, "spec.tls[%u].hosts[%u]", i, k);
                evidence_value(out, "host", "%s", host);
                finding_fail(out, "a TLS host is used by no rule; remove it or add the rule that "
                                  "it is meant for");
                return;
            }
        }
    }
    finding_pass(out);
}

static void redirects(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    struct redirect_answer answer;
    struct tls_proof proof;

    if (ing->tls_count == 0 && !ingress_tls_proved(in->cluster, ing, &proof)) {
        finding_skip(out,
                     "no TLS is configured, which is the finding of validate-tls-configuration");
        return;
    }
    redirect_of(in->cluster, ing, &answer);
    evidence_value(out, "controller", "%s", controller_name(answer.controller));
    if (answer.key != NULL) {
        const struct ingress *holder = answer.by != NULL ? answer.by : ing;
        const char *value = annotation_text(&holder->head, answer.key);

        finding_field(out, "metadata.annotations.%s", answer.key);
        evidence_value(out, answer.key, "%s", value != NULL ? value : "");
    }
    if (answer.by != NULL) {
        evidence_object(out, "Ingress", &answer.by->head);
    }
    switch (answer.state) {
    case REDIRECT_ON:
        finding_pass(out);
        return;
    case REDIRECT_OFF:
        finding_fail(out, answer.mend);
        return;
    case REDIRECT_NOT_VISIBLE:
        finding_skip(out, answer.why);
        return;
    }
}

/* Every Secret of the Ingress is one that cert-manager made. Unknown Secrets count as not made by
 * it. */
static bool secrets_are_issued(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;

    for (uint32_t i = 0; i < ing->tls_count; i++) {
        const struct secret *s =
            ing->tls[i].secret != NULL ? find_secret(in, ing->tls[i].secret) : NULL;

        if (ing->tls[i].secret != NULL && (s == NULL || !s->cert_manager)) {
            return false;
        }
        if (s != NULL) {
            evidence_object(out, "Secret", &s->head);
        }
    }
    return true;
}

/* Asked for and not to be had: a Secret that would prove it may be there. Where Secrets are not
 * asked for, the annotations alone decide. */
static bool secrets_unreadable(const struct rule_input *in)
{
    enum kind_state state = cluster_kind(in->cluster, KIND_SECRET)->state;

    return !cluster_offline(in->cluster) && state != KIND_STATE_OFF && state != KIND_STATE_SYNCED &&
           state != KIND_STATE_ABSENT;
}

static void cert_manager_annotated(const struct rule_input *in, struct outcome *out)
{
    static const char *const keys[] = { "cert-manager.io/cluster-issuer",
                                        "cert-manager.io/issuer" };
    const struct ingress *ing = in->subject->ingress;
    bool by_secret = false;

    for (uint32_t i = 0; i < ing->tls_count; i++) {
        by_secret = by_secret || ing->tls[i].secret != NULL;
    }
    if (!by_secret) {
        finding_skip(out, "no Secret is named in spec.tls");
        return;
    }
    if (!cluster_cert_manager(in->cluster)) {
        finding_skip(out, "the cluster serves no cert-manager.io");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (annotation_text(&ing->head, keys[i]) != NULL) {
            finding_pass(out);
            return;
        }
    }
    if (label_set_has(ing->head.annotations, "kubernetes.io/tls-acme", "true")) {
        finding_pass_because(out, "kubernetes.io/tls-acme asks cert-manager for the certificate");
        return;
    }
    if (secrets_unreadable(in) && !rule_relies_on(in, out, KIND_SECRET)) {
        return;
    }
    if (secrets_are_issued(in, out)) {
        finding_pass_because(out, "cert-manager issued the Secret");
        return;
    }
    finding_field(out, "metadata.annotations");
    finding_fail(out, "the certificate is not renewed by cert-manager; add annotation "
                      "cert-manager.io/cluster-issuer or "
                      "cert-manager.io/issuer");
}

/* Other Ingresses of the class may hold TLS for the same hosts, from any namespace; and ALB groups
 * span namespaces. */
static const struct depend on_ingresses[] = { { KIND_INGRESS, DEPEND_SELF },
                                              { KIND_INGRESS, DEPEND_RELATED },
                                              { KIND_INGRESS_CLASS, DEPEND_REFERENCED },
                                              { 0, DEPEND_END } };
static const struct depend on_self[] = { { KIND_INGRESS, DEPEND_SELF }, { 0, DEPEND_END } };
static const struct depend on_secrets[] = { { KIND_INGRESS, DEPEND_SELF },
                                            { KIND_SECRET, DEPEND_REFERENCED },
                                            { 0, DEPEND_END } };

static const struct param secret_params[] = { { "grace", PARAM_DURATION, "10m",
                                                "how long cert-manager may take to issue a Secret "
                                                "that an Ingress asks it for, on a live cluster" },
                                              { NULL, PARAM_END, NULL, NULL } };

static const char *const local_dev[] = { "local-dev", NULL };
static const char *const dev_namespaces[] = { "local-dev", "dev", "test", NULL };
static const struct label_pair manual_issuer[] = { { "cert-manager.io/issuer", "manual" },
                                                   { NULL, NULL } };

#define K8S_TLS "Kubernetes documentation: Ingress, TLS"
#define PCI_TLS "PCI DSS 4.0 4.2.1"

const struct rule ingress_tls_rules[] = {
    { .policy = "require-ingress-tls",
      .rule = "validate-tls-configuration",
      .title = "Ingress without TLS",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_ingresses,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_OFF, LEVEL_FAIL },
      .exempt_namespaces = dev_namespaces,
      .description = "Without spec.tls, requests and sessions travel in clear. An entry without "
                     "secretName makes the controller "
                     "serve its default certificate, which no client trusts; one without hosts "
                     "leaves open for whom it is. TLS that "
                     "is set otherwise counts where the controller is one that reads it: AWS "
                     "certificates and HTTPS listeners, "
                     "Google-managed and pre-shared certificates, Application Gateway "
                     "certificates, Traefik's router.tls, or the "
                     "same host under tls in another Ingress of the class.",
      .remediation =
          "Add a TLS entry for every host:\n\n"
          "  spec:\n"
          "    tls:\n"
          "    - hosts: [shop.example.com]\n"
          "      secretName: shop-tls\n\n"
          "With cert-manager, annotation cert-manager.io/cluster-issuer makes the Secret.\n",
      .false_positives =
          "A load balancer in front of the controller that ends TLS itself is not seen.",
      .references =
          (const char *const[]){ K8S_TLS, PCI_TLS,
                                 "NSA/CISA Kubernetes Hardening Guidance 1.2: Encryption", NULL },
      .evaluate = tls_configured },
    { .policy = "require-ingress-tls",
      .rule = "validate-tls-secret-exists",
      .title = "TLS Secret that does not exist",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_secrets,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = secret_params,
      .exempt_namespaces = local_dev,
      .description = "When the Secret of a TLS entry is absent or of another type, the controller "
                     "serves its default certificate "
                     "and clients see an error or learn to ignore it. Needs `secrets: metadata`: "
                     "Secrets are then listed by type, "
                     "never read. A Secret that cert-manager is asked for has time to appear.",
      .remediation = "Create the Secret with the right type:\n\n"
                     "  kubectl create secret tls shop-tls --cert=tls.crt --key=tls.key -n shop\n",
      .false_positives =
          "A controller may read certificates from elsewhere under the Secret's name.",
      .references =
          (const char *const[]){ K8S_TLS, "Kubernetes documentation: Secrets, TLS Secrets", PCI_TLS,
                                 NULL },
      .evaluate = secret_exists },
    { .policy = "require-ingress-tls",
      .rule = "enforce-tls-hostname-match",
      .title = "TLS hosts and rule hosts differ",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "A host that no TLS entry covers is served in clear or with the default "
                     "certificate, beside others that are "
                     "encrypted. A TLS host that no rule uses is a left-over or a spelling "
                     "mistake. `*.a.b` covers exactly one more "
                     "label and never `a.b`; a wildcard rule needs the same wildcard.",
      .remediation = "List every rule's host under tls, and nothing else:\n\n"
                     "  spec:\n"
                     "    tls:\n"
                     "    - hosts: [shop.example.com]\n"
                     "      secretName: shop-tls\n"
                     "    rules:\n"
                     "    - host: shop.example.com\n",
      .false_positives = "A TLS host kept for a rule in another Ingress: move the entry there.",
      .references = (const char *const[]){ K8S_TLS, "RFC 9525", PCI_TLS, NULL },
      .evaluate = hosts_match },
    { .policy = "require-ingress-tls",
      .rule = "block-http-redirect-annotation-removal",
      .title = "No redirect from HTTP to HTTPS",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_ingresses,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_OFF, LEVEL_WARN },
      .exempt_namespaces = local_dev,
      .description = "TLS protects only those who use it. Where the redirect is off, the same "
                     "pages answer in clear, and an old "
                     "link or somebody in between keeps users there. Judged by what the controller "
                     "does with its annotations and "
                     "their defaults; Traefik and Istio decide elsewhere and are skipped.",
      .remediation =
          "Remove the annotation that switches the redirect off, or set the one that switches it "
          "on:\n\n"
          "  ingress-nginx     nginx.ingress.kubernetes.io/ssl-redirect: \"true\" (the default "
          "with TLS)\n"
          "  NGINX Inc         nginx.org/ssl-redirect: \"true\" (the default with TLS)\n"
          "  HAProxy           haproxy.org/ssl-redirect: \"true\" (the default with TLS)\n"
          "  haproxy-ingress   haproxy-ingress.github.io/ssl-redirect: \"true\" (the default)\n"
          "  AWS ALB           alb.ingress.kubernetes.io/ssl-redirect: \"443\"\n"
          "  App Gateway       appgw.ingress.kubernetes.io/ssl-redirect: \"true\"\n"
          "  Contour           ingress.kubernetes.io/force-ssl-redirect: \"true\"\n"
          "  Kong              konghq.com/protocols: https and "
          "konghq.com/https-redirect-status-code: \"301\"\n"
          "  GKE               kubernetes.io/ingress.allow-http: \"false\", or a FrontendConfig\n",
      .false_positives = "Defaults that a controller's own ConfigMap or flags change are not seen.",
      .references =
          (const char *const[]){
              "ingress-nginx documentation: TLS/HTTPS, Server-side HTTPS enforcement through "
              "redirect",
              PCI_TLS, NULL },
      .evaluate = redirects },
    { .policy = "require-ingress-tls",
      .rule = "require-cert-manager-annotation",
      .title = "TLS certificate that nobody renews",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_secrets,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .exempt_labels = manual_issuer,
      .description = "A certificate that is put there by hand expires by surprise. An issuer "
                     "annotation, kubernetes.io/tls-acme, or "
                     "a Secret that carries cert-manager.io/certificate-name shows that "
                     "cert-manager renews it.",
      .remediation =
          "Name the issuer:\n\n"
          "  metadata:\n"
          "    annotations:\n"
          "      cert-manager.io/cluster-issuer: letsencrypt\n\n"
          "or say that it is managed by hand with label `cert-manager.io/issuer: manual`.\n",
      .false_positives =
          "A Certificate object of its own, when Secrets are not watched; other tools that renew.",
      .references = (const char *const[]){ "cert-manager documentation: Annotated Ingress resource",
                                           "PCI DSS 4.0 4.2.1.1", NULL },
      .evaluate = cert_manager_annotated },
};
const size_t ingress_tls_rule_count = ARRAY_LEN(ingress_tls_rules);
