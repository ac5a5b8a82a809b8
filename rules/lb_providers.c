/* A Service speaks to a provider by its class or by an annotation of that provider. Manifests that
 * are made for several clouds speak to several, and must then be right for each. Inside a family
 * the first row that applies decides, and in it the first mark that is present. */
#include "rules/lb_providers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

#define S       "service.beta.kubernetes.io/"
#define IBM     "service.kubernetes.io/ibm-load-balancer-cloud-provider-"
#define LBAAS   "loadbalancer.openstack.org/"
#define OCI_NLB "oci-network-load-balancer.oraclecloud.com/"

enum lb_match { LB_IS, LB_PARSE_BOOL, LB_NOT_EMPTY, LB_ANY_BUT_FALSE };

struct lb_mark {
    const char *key;
    enum lb_match match;
    const char *values[2]; /* LB_IS: exactly one of these */
};

struct lb_row {
    const char *family;
    const char *classes[3];     /* the row applies to these classes ... */
    const char *when_key;       /* ... or, without a class, when this annotation ... */
    const char *when_values[2]; /* ... holds one of these ... */
    const char *prefixes[4];    /* ... or when any annotation begins so */
    struct lb_mark marks[3];    /* the first that is present decides */
    bool otherwise;             /* when none is */
};

/* Order inside a family counts: the narrower row first. */
static const struct lb_row internal_rows[] = {
    { .family = "aws", /* AWS Load Balancer Controller */
      .classes = { "service.k8s.aws/nlb" },
      .when_key = S "aws-load-balancer-type",
      .when_values = { "external", "nlb-ip" },
      .marks = { { S "aws-load-balancer-scheme", LB_IS, { "internal" } },
                 { S "aws-load-balancer-internal", LB_PARSE_BOOL, { NULL } } },
      .otherwise = true },
    { .family = "aws", /* the cloud controller */
      .prefixes = { S "aws-load-balancer-" },
      .marks = { { S "aws-load-balancer-internal", LB_ANY_BUT_FALSE, { NULL } } } },
    { .family = "gke",
      .classes = { "networking.gke.io/l4-regional-internal",
                   "networking.gke.io/l4-regional-internal-legacy" },
      .otherwise = true },
    { .family = "gke",
      .classes = { "networking.gke.io/l4-regional-external",
                   "networking.gke.io/l4-regional-external-legacy" } },
    { .family = "gke",
      .prefixes = { "networking.gke.io/", "cloud.google.com/" },
      .marks = { { "networking.gke.io/load-balancer-type", LB_IS, { "Internal", "internal" } },
                 { "cloud.google.com/load-balancer-type", LB_IS, { "Internal", "internal" } } } },
    { .family = "azure",
      .prefixes = { S "azure-", S "port_" },
      .marks = { { S "azure-load-balancer-internal", LB_IS, { "true" } } } },
    { .family = "oci", /* network load balancer */
      .when_key = "oci.oraclecloud.com/load-balancer-type",
      .when_values = { "nlb" },
      .marks = { { OCI_NLB "internal", LB_PARSE_BOOL, { NULL } } } },
    { .family = "oci",
      .prefixes = { S "oci-", "oci.oraclecloud.com/", OCI_NLB },
      .marks = { { S "oci-load-balancer-internal", LB_PARSE_BOOL, { NULL } } } },
    { .family = "ibm", .prefixes = { IBM }, .marks = { { IBM "ip-type", LB_IS, { "private" } } } },
    { .family = "alibaba",
      .prefixes = { S "alibaba-cloud-loadbalancer-", S "alicloud-loadbalancer-" },
      .marks = { { S "alibaba-cloud-loadbalancer-address-type", LB_IS, { "intranet" } },
                 { S "alicloud-loadbalancer-address-type", LB_IS, { "intranet" } } } },
    { .family = "openstack",
      .prefixes = { S "openstack-", LBAAS },
      .marks = { { S "openstack-internal-load-balancer", LB_IS, { "true" } } } },
    { .family = "tencent",
      .prefixes = { "service.kubernetes.io/qcloud-", "service.kubernetes.io/tke-",
                    "service.cloud.tencent.com/" },
      .marks = { { "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
                   LB_NOT_EMPTY,
                   { NULL } } } },
    { .family = "baidu",
      .prefixes = { S "cce-" },
      .marks = { { S "cce-load-balancer-internal-vpc", LB_IS, { "true" } } } },
};

static const char *const aws_health[] = { S "aws-load-balancer-healthcheck-protocol",
                                          S "aws-load-balancer-healthcheck-port",
                                          S "aws-load-balancer-healthcheck-path",
                                          S "aws-load-balancer-healthcheck-interval",
                                          S "aws-load-balancer-healthcheck-timeout",
                                          S "aws-load-balancer-healthcheck-healthy-threshold",
                                          S "aws-load-balancer-healthcheck-unhealthy-threshold",
                                          S "aws-load-balancer-healthcheck-success-codes",
                                          NULL };
static const char *const azure_health[] = { S "azure-load-balancer-health-probe-protocol",
                                            S "azure-load-balancer-health-probe-interval",
                                            S "azure-load-balancer-health-probe-num-of-probe",
                                            S "azure-load-balancer-health-probe-request-path",
                                            NULL };
static const char *const azure_port_health[] = {
    "_health-probe_protocol",     "_health-probe_port",         "_health-probe_interval",
    "_health-probe_num-of-probe", "_health-probe_request-path", NULL
};
static const char *const oci_health[] = { S "oci-load-balancer-health-check-retries",
                                          S "oci-load-balancer-health-check-interval",
                                          S "oci-load-balancer-health-check-timeout",
                                          OCI_NLB "health-check-retries",
                                          OCI_NLB "health-check-interval",
                                          OCI_NLB "health-check-timeout",
                                          NULL };
static const char *const ibm_health[] = {
    IBM "vpc-health-check-protocol", IBM "vpc-health-check-port",
    IBM "vpc-health-check-path",     IBM "vpc-health-check-delay",
    IBM "vpc-health-check-retries",  IBM "vpc-health-check-timeout",
    IBM "vpc-health-check-udp",      NULL
};
#define ALIBABA(prefix)                                                                            \
    prefix "health-check-type", prefix "health-check-uri", prefix "health-check-connect-port",     \
        prefix "health-check-interval", prefix "health-check-connect-timeout",                     \
        prefix "health-check-timeout", prefix "health-check-domain",                               \
        prefix "health-check-httpcode", prefix "health-check-method", prefix "health-check-flag",  \
        prefix "health-check-switch"
static const char *const alibaba_health[] = { ALIBABA(S "alibaba-cloud-loadbalancer-"),
                                              ALIBABA(S "alicloud-loadbalancer-"), NULL };
static const struct label_text {
    const char *key, *value;
} alibaba_off[] = {
    { S "alibaba-cloud-loadbalancer-health-check-switch", "off" },
    { S "alibaba-cloud-loadbalancer-health-check-flag", "off" },
    { S "alicloud-loadbalancer-health-check-switch", "off" },
    { S "alicloud-loadbalancer-health-check-flag", "off" },
    { NULL, NULL },
};
static const char *const openstack_health[] = {
    LBAAS "enable-health-monitor",           LBAAS "health-monitor-delay",
    LBAAS "health-monitor-timeout",          LBAAS "health-monitor-max-retries",
    LBAAS "health-monitor-max-retries-down", NULL
};
static const struct label_text openstack_off[] = { { LBAAS "enable-health-monitor", "false" },
                                                   { NULL, NULL } };

static const struct lb_health_row {
    const char *family;
    const char *const *keys;      /* NULL: the provider has none */
    const struct label_text *off; /* any of these pairs: none, whatever else is set */
    const char *const *port_keys; /* suffixes of "port_<port>", per port of the Service */
    const char *no_probe;         /* likewise: "true" there means none for the port */
    const char
        *extra_prefixes[3]; /* recognised so, where internal_rows have no row for the family */
} health_rows[] = {
    { .family = "aws", .keys = aws_health },
    { .family = "azure",
      .keys = azure_health,
      .port_keys = azure_port_health,
      .no_probe = "_no_probe_rule" },
    { .family = "oci", .keys = oci_health },
    { .family = "ibm", .keys = ibm_health },
    { .family = "alibaba", .keys = alibaba_health, .off = alibaba_off },
    { .family = "openstack", .keys = openstack_health, .off = openstack_off },
    { .family = "gke" },
    { .family = "tencent" },
    { .family = "baidu" },
    { .family = "metallb", .extra_prefixes = { "metallb.io/", "metallb.universe.tf/" } },
};

static const char *annotation(const struct service *svc, const char *key)
{
    return label_set_text(svc->head.annotations, key);
}

static bool is_one_of(const char *const *values, size_t count, const char *value)
{
    for (size_t i = 0; i < count && values[i] != NULL; i++) {
        if (strcmp(values[i], value) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_prefix(const struct service *svc, const char *const *prefixes, size_t count)
{
    const struct label_set *set = svc->head.annotations;

    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        for (size_t k = 0; k < count && prefixes[k] != NULL; k++) {
            if (text_starts(set->items[i].key->text, prefixes[k])) {
                return true;
            }
        }
    }
    return false;
}

/* A class takes the Service away from every controller but its own, so that annotations recognise
 * nobody then. */
static bool row_applies(const struct lb_row *row, const struct service *svc)
{
    const char *when;

    if (svc->load_balancer_class != NULL) {
        return is_one_of(row->classes, ARRAY_LEN(row->classes), svc->load_balancer_class->text);
    }
    when = row->when_key != NULL ? annotation(svc, row->when_key) : NULL;
    return (when != NULL && is_one_of(row->when_values, ARRAY_LEN(row->when_values), when)) ||
           has_prefix(svc, row->prefixes, ARRAY_LEN(row->prefixes));
}

/* A named provider is looked at without any annotation of its own: its last row is the general one.
 */
static const struct lb_row *row_of(const struct service *svc, const char *family, bool named)
{
    const struct lb_row *general = NULL;

    for (size_t i = 0; i < ARRAY_LEN(internal_rows); i++) {
        const struct lb_row *row = &internal_rows[i];

        if (strcmp(row->family, family) != 0) {
            continue;
        }
        if (row_applies(row, svc)) {
            return row;
        }
        if (named && svc->load_balancer_class == NULL && row->classes[0] == NULL &&
            row->when_key == NULL) {
            general = row;
        }
    }
    return general;
}

static bool mark_holds(const struct lb_mark *mark, const char *value)
{
    bool parsed = false;

    switch (mark->match) {
    case LB_IS:
        return is_one_of(mark->values, ARRAY_LEN(mark->values), value);
    case LB_PARSE_BOOL:
        return text_parse_bool(value, &parsed) && parsed;
    case LB_NOT_EMPTY:
        return value[0] != '\0';
    case LB_ANY_BUT_FALSE:
        return value[0] != '\0' && strcmp(value, "false") != 0;
    }
    return false;
}

static bool row_is_internal(const struct lb_row *row, const struct service *svc, const char **key)
{
    *key = NULL;
    for (size_t i = 0; i < ARRAY_LEN(row->marks) && row->marks[i].key != NULL; i++) {
        const char *value = annotation(svc, row->marks[i].key);

        if (value != NULL) {
            *key = row->marks[i].key;
            return mark_holds(&row->marks[i], value);
        }
    }
    return row->otherwise;
}

void lb_internal(const struct service *svc, const char *provider, struct lb_internal_answer *out)
{
    const char *seen = NULL;

    *out = (struct lb_internal_answer){
        .state = svc->load_balancer_class != NULL ? LB_CLASS_FOREIGN : LB_UNRECOGNISED,
    };
    for (size_t i = 0; i < ARRAY_LEN(internal_rows); i++) {
        const char *family = internal_rows[i].family, *key;
        bool named = strcmp(provider, family) == 0;
        const struct lb_row *row;

        if ((seen != NULL && strcmp(seen, family) == 0) || (provider[0] != '\0' && !named)) {
            continue;
        }
        seen = family;
        row = row_of(svc, family, named);
        if (row == NULL) {
            continue;
        }
        if (!row_is_internal(row, svc, &key)) {
            *out = (struct lb_internal_answer){ LB_EXTERNAL, family, key };
            return;
        }
        *out = (struct lb_internal_answer){ LB_INTERNAL, family, key };
    }
}

/* "service.beta.kubernetes.io/port_443<suffix>" of one of the Service's ports. */
static const char *port_annotation(const struct service *svc, const struct service_port *port,
                                   const char *suffix, const char **key)
{
    char text[128];
    const struct label_set *set = svc->head.annotations;

    snprintf(text, sizeof(text), S "port_%u%s", port->port, suffix);
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        if (strcmp(set->items[i].key->text, text) == 0) {
            *key = set->items[i].key->text;
            return set->items[i].value->text;
        }
    }
    return NULL;
}

static bool set_for_service(const struct lb_health_row *row, const struct service *svc,
                            const char **key)
{
    for (size_t i = 0; row->keys[i] != NULL; i++) {
        const char *value = annotation(svc, row->keys[i]);

        if (value != NULL && value[0] != '\0') {
            *key = row->keys[i];
            return true;
        }
    }
    return false;
}

static bool set_for_port(const struct lb_health_row *row, const struct service *svc,
                         const struct service_port *port, const char **key)
{
    for (size_t i = 0; row->port_keys != NULL && row->port_keys[i] != NULL; i++) {
        const char *value = port_annotation(svc, port, row->port_keys[i], key);

        if (value != NULL && value[0] != '\0') {
            return true;
        }
    }
    return false;
}

/* One port with a check suffices; a port for which it is switched off has none, whatever holds for
 * all ports. */
static enum lb_health ports_health(const struct lb_health_row *row, const struct service *svc,
                                   bool for_all, const char **key)
{
    const char *off = NULL, *of_all = *key;
    enum lb_health state = for_all && svc->port_count == 0 ? LB_HEALTH_SET : LB_HEALTH_MISSING;

    for (uint32_t i = 0; i < svc->port_count; i++) {
        const char *value = port_annotation(svc, &svc->ports[i], row->no_probe, &off);

        if (value != NULL && strcmp(value, "true") == 0) {
            state = LB_HEALTH_OFF;
            *key = off;
            continue;
        }
        if (set_for_port(row, svc, &svc->ports[i], key)) {
            return LB_HEALTH_SET;
        }
        if (for_all) {
            *key = of_all;
            return LB_HEALTH_SET;
        }
    }
    return state;
}

static enum lb_health family_health(const struct lb_health_row *row, const struct service *svc,
                                    const char **key)
{
    bool for_all;

    *key = NULL;
    if (row->keys == NULL) {
        return LB_HEALTH_NONE_KNOWN;
    }
    for (size_t i = 0; row->off != NULL && row->off[i].key != NULL; i++) {
        if (label_set_has(svc->head.annotations, row->off[i].key, row->off[i].value)) {
            *key = row->off[i].key;
            return LB_HEALTH_OFF;
        }
    }
    for_all = set_for_service(row, svc, key);
    if (row->no_probe != NULL) {
        return ports_health(row, svc, for_all, key);
    }
    return for_all ? LB_HEALTH_SET : LB_HEALTH_MISSING;
}

void lb_health(const struct service *svc, const char *provider, struct lb_health_answer *out)
{
    *out = (struct lb_health_answer){ .state = LB_HEALTH_UNRECOGNISED };
    for (size_t i = 0; i < ARRAY_LEN(health_rows); i++) {
        const struct lb_health_row *row = &health_rows[i];
        bool named = strcmp(provider, row->family) == 0, recognised;
        enum lb_health state;
        const char *key;

        if (provider[0] != '\0' && !named) {
            continue;
        }
        recognised = named || row_of(svc, row->family, false) != NULL ||
                     (svc->load_balancer_class == NULL &&
                      has_prefix(svc, row->extra_prefixes, ARRAY_LEN(row->extra_prefixes)));
        if (!recognised) {
            continue;
        }
        state = family_health(row, svc, &key);
        if (state == LB_HEALTH_NONE_KNOWN && out->provider != NULL) {
            continue; /* another provider has them and has been looked at */
        }
        *out = (struct lb_health_answer){ state, row->family, key };
        if (state == LB_HEALTH_MISSING || state == LB_HEALTH_OFF) {
            return;
        }
    }
}
