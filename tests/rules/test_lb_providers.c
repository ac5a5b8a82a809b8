#include "rules/lb_providers.h"
#include "tests/check.h"

#define S   "service.beta.kubernetes.io/"
#define IBM "service.kubernetes.io/ibm-load-balancer-cloud-provider-"
#define OS  "loadbalancer.openstack.org/"
#define NLB "oci-network-load-balancer.oraclecloud.com/"

/* `annotations` are members of a JSON object without its braces. */
static struct service *service_of(const char *class_name, const char *annotations)
{
    struct object *obj = NULL;
    struct error err = { 0 };
    char json[2048];

    snprintf(
        json, sizeof(json),
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"annotations\":{%s}},\"spec\":{"
        "\"type\":\"LoadBalancer\",\"ports\":[{\"name\":\"a\",\"port\":80},{\"name\":\"b\","
        "\"port\":443}]"
        "%s%s%s}}",
        annotations, class_name != NULL ? ",\"loadBalancerClass\":\"" : "",
        class_name != NULL ? class_name : "", class_name != NULL ? "\"" : "");
    if (object_decode(KIND_SERVICE, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s: %s\n", json, err.text);
        abort();
    }
    return (struct service *)obj;
}

static const struct {
    const char *fact, *class_name, *annotations, *provider;
    enum lb_internal state;
    const char *decided_by;
} internals[] = {
    { "nothing at all", NULL, "", "", LB_UNRECOGNISED, NULL },
    { "a class that is not known", "example.com/lb", "", "", LB_CLASS_FOREIGN, NULL },
    { "annotations do nothing beside a foreign class", "example.com/lb",
      "\"" S "aws-load-balancer-internal\":\"true\"", "", LB_CLASS_FOREIGN, NULL },

    { "AWS controller by class, internal by default", "service.k8s.aws/nlb", "", "", LB_INTERNAL,
      "aws" },
    { "AWS controller by class, scheme internal", "service.k8s.aws/nlb",
      "\"" S "aws-load-balancer-scheme\":\"internal\"", "", LB_INTERNAL, "aws" },
    { "AWS controller by class, scheme internet-facing", "service.k8s.aws/nlb",
      "\"" S "aws-load-balancer-scheme\":\"internet-facing\"", "", LB_EXTERNAL, "aws" },
    { "AWS controller, any other scheme is internet-facing", "service.k8s.aws/nlb",
      "\"" S "aws-load-balancer-scheme\":\"Internal\"", "", LB_EXTERNAL, "aws" },
    { "AWS controller by type external, internal by default", NULL,
      "\"" S "aws-load-balancer-type\":\"external\"", "", LB_INTERNAL, "aws" },
    { "AWS controller by type nlb-ip, internal by default", NULL,
      "\"" S "aws-load-balancer-type\":\"nlb-ip\"", "", LB_INTERNAL, "aws" },
    { "AWS controller, the scheme beats the older key", NULL,
      "\"" S "aws-load-balancer-type\":\"external\",\"" S
      "aws-load-balancer-scheme\":\"internet-facing\",\"" S "aws-load-balancer-internal\":\"true\"",
      "", LB_EXTERNAL, "aws" },
    { "AWS controller, the older key without scheme", NULL,
      "\"" S "aws-load-balancer-type\":\"external\",\"" S "aws-load-balancer-internal\":\"false\"",
      "", LB_EXTERNAL, "aws" },
    { "AWS controller, the older key is a bool", NULL,
      "\"" S "aws-load-balancer-type\":\"external\",\"" S
      "aws-load-balancer-internal\":\"0.0.0.0/0\"",
      "", LB_EXTERNAL, "aws" },
    { "AWS cloud controller, true", NULL, "\"" S "aws-load-balancer-internal\":\"true\"", "",
      LB_INTERNAL, "aws" },
    { "AWS cloud controller, any non-empty value", NULL,
      "\"" S "aws-load-balancer-internal\":\"0.0.0.0/0\"", "", LB_INTERNAL, "aws" },
    { "AWS cloud controller, false", NULL, "\"" S "aws-load-balancer-internal\":\"false\"", "",
      LB_EXTERNAL, "aws" },
    { "AWS cloud controller, empty", NULL, "\"" S "aws-load-balancer-internal\":\"\"", "",
      LB_EXTERNAL, "aws" },
    { "AWS cloud controller ignores the scheme", NULL,
      "\"" S "aws-load-balancer-scheme\":\"internal\"", "", LB_EXTERNAL, "aws" },
    { "AWS cloud controller, type nlb", NULL, "\"" S "aws-load-balancer-type\":\"nlb\"", "",
      LB_EXTERNAL, "aws" },
    { "AWS named, nothing said", NULL, "", "aws", LB_EXTERNAL, "aws" },

    { "GKE class internal", "networking.gke.io/l4-regional-internal", "", "", LB_INTERNAL, "gke" },
    { "GKE class internal legacy", "networking.gke.io/l4-regional-internal-legacy", "", "",
      LB_INTERNAL, "gke" },
    { "GKE class external", "networking.gke.io/l4-regional-external",
      "\"networking.gke.io/load-balancer-type\":\"Internal\"", "", LB_EXTERNAL, "gke" },
    { "GKE class external legacy", "networking.gke.io/l4-regional-external-legacy", "", "",
      LB_EXTERNAL, "gke" },
    { "GKE annotation Internal", NULL, "\"networking.gke.io/load-balancer-type\":\"Internal\"", "",
      LB_INTERNAL, "gke" },
    { "GKE annotation internal", NULL, "\"networking.gke.io/load-balancer-type\":\"internal\"", "",
      LB_INTERNAL, "gke" },
    { "GKE annotation in capitals", NULL, "\"networking.gke.io/load-balancer-type\":\"INTERNAL\"",
      "", LB_EXTERNAL, "gke" },
    { "GKE older annotation", NULL, "\"cloud.google.com/load-balancer-type\":\"Internal\"", "",
      LB_INTERNAL, "gke" },
    { "GKE older annotation only if the newer is absent", NULL,
      "\"cloud.google.com/load-balancer-type\":\"Internal\",\"networking.gke.io/"
      "load-balancer-type\":\"External\"",
      "", LB_EXTERNAL, "gke" },

    { "Azure true", NULL, "\"" S "azure-load-balancer-internal\":\"true\"", "", LB_INTERNAL,
      "azure" },
    { "Azure True is not true", NULL, "\"" S "azure-load-balancer-internal\":\"True\"", "",
      LB_EXTERNAL, "azure" },
    { "Azure false", NULL, "\"" S "azure-load-balancer-internal\":\"false\"", "", LB_EXTERNAL,
      "azure" },

    { "OCI load balancer, a bool", NULL, "\"" S "oci-load-balancer-internal\":\"T\"", "",
      LB_INTERNAL, "oci" },
    { "OCI load balancer, no bool", NULL, "\"" S "oci-load-balancer-internal\":\"yes\"", "",
      LB_EXTERNAL, "oci" },
    { "OCI network load balancer", NULL,
      "\"oci.oraclecloud.com/load-balancer-type\":\"nlb\",\"" NLB "internal\":\"true\"", "",
      LB_INTERNAL, "oci" },
    { "OCI network load balancer ignores the other key", NULL,
      "\"oci.oraclecloud.com/load-balancer-type\":\"nlb\",\"" S
      "oci-load-balancer-internal\":\"true\"",
      "", LB_EXTERNAL, "oci" },
    { "OCI load balancer ignores the network one's key", NULL, "\"" NLB "internal\":\"true\"", "",
      LB_EXTERNAL, "oci" },

    { "IBM private", NULL, "\"" IBM "ip-type\":\"private\"", "", LB_INTERNAL, "ibm" },
    { "IBM public", NULL, "\"" IBM "ip-type\":\"public\"", "", LB_EXTERNAL, "ibm" },
    { "Alibaba intranet", NULL, "\"" S "alibaba-cloud-loadbalancer-address-type\":\"intranet\"", "",
      LB_INTERNAL, "alibaba" },
    { "Alibaba intranet, older key", NULL,
      "\"" S "alicloud-loadbalancer-address-type\":\"intranet\"", "", LB_INTERNAL, "alibaba" },
    { "Alibaba internet", NULL, "\"" S "alicloud-loadbalancer-address-type\":\"internet\"", "",
      LB_EXTERNAL, "alibaba" },
    { "OpenStack true", NULL, "\"" S "openstack-internal-load-balancer\":\"true\"", "", LB_INTERNAL,
      "openstack" },
    { "OpenStack false", NULL, "\"" S "openstack-internal-load-balancer\":\"false\"", "",
      LB_EXTERNAL, "openstack" },
    { "Tencent subnet", NULL,
      "\"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid\":\"subnet-1\"", "",
      LB_INTERNAL, "tencent" },
    { "Tencent empty subnet", NULL,
      "\"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid\":\"\"", "", LB_EXTERNAL,
      "tencent" },
    { "Baidu true", NULL, "\"" S "cce-load-balancer-internal-vpc\":\"true\"", "", LB_INTERNAL,
      "baidu" },
    { "Baidu false", NULL, "\"" S "cce-load-balancer-internal-vpc\":\"false\"", "", LB_EXTERNAL,
      "baidu" },

    { "two clouds, internal on both", NULL,
      "\"" S "aws-load-balancer-internal\":\"true\",\"" S "azure-load-balancer-internal\":\"true\"",
      "", LB_INTERNAL, "azure" },
    { "two clouds, internal on one", NULL,
      "\"" S "aws-load-balancer-internal\":\"true\",\"" S
      "azure-load-balancer-internal\":\"false\"",
      "", LB_EXTERNAL, "azure" },
    { "two clouds, the named one decides", NULL,
      "\"" S "aws-load-balancer-internal\":\"true\",\"" S
      "azure-load-balancer-internal\":\"false\"",
      "aws", LB_INTERNAL, "aws" },
};

TEST(internal_is_what_the_provider_makes_of_it)
{
    for (size_t i = 0; i < ARRAY_LEN(internals); i++) {
        struct service *svc = service_of(internals[i].class_name, internals[i].annotations);
        struct lb_internal_answer answer;

        lb_internal(svc, internals[i].provider, &answer);
        CHECK_INT(internals[i].fact, answer.state, internals[i].state);
        CHECK_STR(internals[i].fact, answer.provider, internals[i].decided_by);
        object_destroy(&svc->head);
    }
}

static const struct {
    const char *fact, *class_name, *annotations, *provider;
    enum lb_health state;
} healths[] = {
    { "nothing at all", NULL, "", "", LB_HEALTH_UNRECOGNISED },
    { "a foreign class", "example.com/lb", "\"" S "aws-load-balancer-healthcheck-path\":\"/\"", "",
      LB_HEALTH_UNRECOGNISED },
    { "AWS without", NULL, "\"" S "aws-load-balancer-type\":\"nlb\"", "", LB_HEALTH_MISSING },
    { "AWS by class without", "service.k8s.aws/nlb", "", "", LB_HEALTH_MISSING },
    { "AWS by name without", NULL, "", "aws", LB_HEALTH_MISSING },
    { "AWS protocol", NULL, "\"" S "aws-load-balancer-healthcheck-protocol\":\"HTTP\"", "",
      LB_HEALTH_SET },
    { "AWS port", NULL, "\"" S "aws-load-balancer-healthcheck-port\":\"80\"", "", LB_HEALTH_SET },
    { "AWS path", NULL, "\"" S "aws-load-balancer-healthcheck-path\":\"/\"", "", LB_HEALTH_SET },
    { "AWS interval", NULL, "\"" S "aws-load-balancer-healthcheck-interval\":\"10\"", "",
      LB_HEALTH_SET },
    { "AWS timeout", NULL, "\"" S "aws-load-balancer-healthcheck-timeout\":\"5\"", "",
      LB_HEALTH_SET },
    { "AWS healthy threshold", NULL,
      "\"" S "aws-load-balancer-healthcheck-healthy-threshold\":\"2\"", "", LB_HEALTH_SET },
    { "AWS unhealthy threshold", NULL,
      "\"" S "aws-load-balancer-healthcheck-unhealthy-threshold\":\"2\"", "", LB_HEALTH_SET },
    { "AWS success codes", NULL, "\"" S "aws-load-balancer-healthcheck-success-codes\":\"200\"", "",
      LB_HEALTH_SET },
    { "AWS empty value", NULL, "\"" S "aws-load-balancer-healthcheck-path\":\"\"", "",
      LB_HEALTH_MISSING },
    { "AWS unknown key", NULL, "\"" S "aws-load-balancer-healthcheck-magic\":\"1\"", "",
      LB_HEALTH_MISSING },

    { "Azure without", NULL, "\"" S "azure-load-balancer-internal\":\"true\"", "",
      LB_HEALTH_MISSING },
    { "Azure protocol", NULL, "\"" S "azure-load-balancer-health-probe-protocol\":\"http\"", "",
      LB_HEALTH_SET },
    { "Azure interval", NULL, "\"" S "azure-load-balancer-health-probe-interval\":\"5\"", "",
      LB_HEALTH_SET },
    { "Azure number", NULL, "\"" S "azure-load-balancer-health-probe-num-of-probe\":\"2\"", "",
      LB_HEALTH_SET },
    { "Azure path", NULL, "\"" S "azure-load-balancer-health-probe-request-path\":\"/\"", "",
      LB_HEALTH_SET },
    { "Azure, of one port", NULL, "\"" S "port_443_health-probe_protocol\":\"tcp\"", "",
      LB_HEALTH_SET },
    { "Azure, port of one port", NULL, "\"" S "port_80_health-probe_port\":\"8080\"", "",
      LB_HEALTH_SET },
    { "Azure, interval of one port", NULL, "\"" S "port_80_health-probe_interval\":\"5\"", "",
      LB_HEALTH_SET },
    { "Azure, number of one port", NULL, "\"" S "port_80_health-probe_num-of-probe\":\"2\"", "",
      LB_HEALTH_SET },
    { "Azure, path of one port", NULL, "\"" S "port_80_health-probe_request-path\":\"/\"", "",
      LB_HEALTH_SET },
    { "Azure, of a port that is not there", NULL,
      "\"" S "port_8080_health-probe_protocol\":\"tcp\"", "", LB_HEALTH_MISSING },
    { "Azure, no probe on any port", NULL,
      "\"" S "azure-load-balancer-health-probe-protocol\":\"tcp\",\"" S
      "port_80_no_probe_rule\":\"true\",\"" S "port_443_no_probe_rule\":\"true\"",
      "", LB_HEALTH_OFF },
    { "Azure, no probe on one port", NULL,
      "\"" S "azure-load-balancer-health-probe-protocol\":\"tcp\",\"" S
      "port_80_no_probe_rule\":\"true\"",
      "", LB_HEALTH_SET },
    { "Azure, no probe and nothing else", NULL, "\"" S "port_80_no_probe_rule\":\"true\"", "",
      LB_HEALTH_OFF },
    { "Azure, no_probe_rule false", NULL,
      "\"" S "port_80_no_probe_rule\":\"false\",\"" S "port_80_health-probe_protocol\":\"tcp\"", "",
      LB_HEALTH_SET },

    { "OCI without", NULL, "\"" S "oci-load-balancer-internal\":\"true\"", "", LB_HEALTH_MISSING },
    { "OCI retries", NULL, "\"" S "oci-load-balancer-health-check-retries\":\"3\"", "",
      LB_HEALTH_SET },
    { "OCI interval", NULL, "\"" S "oci-load-balancer-health-check-interval\":\"10000\"", "",
      LB_HEALTH_SET },
    { "OCI timeout", NULL, "\"" S "oci-load-balancer-health-check-timeout\":\"3000\"", "",
      LB_HEALTH_SET },
    { "OCI network retries", NULL, "\"" NLB "health-check-retries\":\"3\"", "", LB_HEALTH_SET },
    { "OCI network interval", NULL, "\"" NLB "health-check-interval\":\"10000\"", "",
      LB_HEALTH_SET },
    { "OCI network timeout", NULL, "\"" NLB "health-check-timeout\":\"3000\"", "", LB_HEALTH_SET },

    { "IBM without", NULL, "\"" IBM "ip-type\":\"private\"", "", LB_HEALTH_MISSING },
    { "IBM protocol", NULL, "\"" IBM "vpc-health-check-protocol\":\"http\"", "", LB_HEALTH_SET },
    { "IBM port", NULL, "\"" IBM "vpc-health-check-port\":\"80\"", "", LB_HEALTH_SET },
    { "IBM path", NULL, "\"" IBM "vpc-health-check-path\":\"/\"", "", LB_HEALTH_SET },
    { "IBM delay", NULL, "\"" IBM "vpc-health-check-delay\":\"5\"", "", LB_HEALTH_SET },
    { "IBM retries", NULL, "\"" IBM "vpc-health-check-retries\":\"2\"", "", LB_HEALTH_SET },
    { "IBM timeout", NULL, "\"" IBM "vpc-health-check-timeout\":\"2\"", "", LB_HEALTH_SET },
    { "IBM udp", NULL, "\"" IBM "vpc-health-check-udp\":\"8080\"", "", LB_HEALTH_SET },

    { "Alibaba without", NULL, "\"" S "alibaba-cloud-loadbalancer-address-type\":\"intranet\"", "",
      LB_HEALTH_MISSING },
    { "Alibaba type", NULL, "\"" S "alibaba-cloud-loadbalancer-health-check-type\":\"tcp\"", "",
      LB_HEALTH_SET },
    { "Alibaba older uri", NULL, "\"" S "alicloud-loadbalancer-health-check-uri\":\"/\"", "",
      LB_HEALTH_SET },
    { "Alibaba connect port", NULL,
      "\"" S "alicloud-loadbalancer-health-check-connect-port\":\"80\"", "", LB_HEALTH_SET },
    { "Alibaba method", NULL, "\"" S "alibaba-cloud-loadbalancer-health-check-method\":\"get\"", "",
      LB_HEALTH_SET },
    { "Alibaba switch on", NULL, "\"" S "alibaba-cloud-loadbalancer-health-check-switch\":\"on\"",
      "", LB_HEALTH_SET },
    { "Alibaba switch off", NULL,
      "\"" S "alibaba-cloud-loadbalancer-health-check-switch\":\"off\",\"" S
      "alibaba-cloud-loadbalancer-health-check-type\":\"tcp\"",
      "", LB_HEALTH_OFF },
    { "Alibaba flag off", NULL,
      "\"" S "alicloud-loadbalancer-health-check-flag\":\"off\",\"" S
      "alicloud-loadbalancer-health-check-type\":\"tcp\"",
      "", LB_HEALTH_OFF },

    { "OpenStack without", NULL, "\"" S "openstack-internal-load-balancer\":\"true\"", "",
      LB_HEALTH_MISSING },
    { "OpenStack monitor", NULL, "\"" OS "enable-health-monitor\":\"true\"", "", LB_HEALTH_SET },
    { "OpenStack delay", NULL, "\"" OS "health-monitor-delay\":\"5\"", "", LB_HEALTH_SET },
    { "OpenStack timeout", NULL, "\"" OS "health-monitor-timeout\":\"3\"", "", LB_HEALTH_SET },
    { "OpenStack retries", NULL, "\"" OS "health-monitor-max-retries\":\"3\"", "", LB_HEALTH_SET },
    { "OpenStack retries down", NULL, "\"" OS "health-monitor-max-retries-down\":\"3\"", "",
      LB_HEALTH_SET },
    { "OpenStack monitor false", NULL, "\"" OS "enable-health-monitor\":\"false\"", "",
      LB_HEALTH_OFF },

    { "GKE has none", NULL, "\"cloud.google.com/load-balancer-type\":\"Internal\"", "",
      LB_HEALTH_NONE_KNOWN },
    { "GKE by class has none", "networking.gke.io/l4-regional-external", "", "",
      LB_HEALTH_NONE_KNOWN },
    { "MetalLB has none", NULL, "\"metallb.io/address-pool\":\"a\"", "", LB_HEALTH_NONE_KNOWN },
    { "MetalLB's older group has none", NULL, "\"metallb.universe.tf/address-pool\":\"a\"", "",
      LB_HEALTH_NONE_KNOWN },
    { "MetalLB by name has none", NULL, "", "metallb", LB_HEALTH_NONE_KNOWN },
    { "GKE beside AWS: AWS decides", NULL,
      "\"cloud.google.com/load-balancer-type\":\"Internal\",\"" S
      "aws-load-balancer-healthcheck-path\":\"/\"",
      "", LB_HEALTH_SET },
    { "two clouds, switched off on the first", NULL,
      "\"" S "alicloud-loadbalancer-health-check-flag\":\"off\",\"" OS
      "health-monitor-delay\":\"5\"",
      "", LB_HEALTH_OFF },
    { "two clouds, one without", NULL,
      "\"" S "aws-load-balancer-healthcheck-path\":\"/\",\"" S
      "azure-load-balancer-internal\":\"true\"",
      "", LB_HEALTH_MISSING },
};

TEST(a_health_check_is_an_annotation_of_its_provider)
{
    for (size_t i = 0; i < ARRAY_LEN(healths); i++) {
        struct service *svc = service_of(healths[i].class_name, healths[i].annotations);
        struct lb_health_answer answer;

        lb_health(svc, healths[i].provider, &answer);
        CHECK_INT(healths[i].fact, answer.state, healths[i].state);
        CHECK(healths[i].fact, (answer.key != NULL) == (answer.state == LB_HEALTH_SET ||
                                                        answer.state == LB_HEALTH_OFF));
        object_destroy(&svc->head);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(internal_is_what_the_provider_makes_of_it),
              cmocka_unit_test(a_health_check_is_an_annotation_of_its_provider));
}
