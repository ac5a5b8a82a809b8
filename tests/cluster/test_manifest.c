/* Manifests: what a text is refused for, with the exact complaint, and what the cluster holds
 * afterwards. Each text is one file. */
#include "cluster/manifest.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/check.h"

static char dir[64];

/* "f.yaml:3: Kind ns/name: field: sentence", warnings with "? " before them, one a line. */
static void note(void *ctx, const struct manifest_complaint *c)
{
    struct buf *out = ctx;
    const char *file = text_starts(c->file, dir) ? c->file + strlen(dir) : c->file;

    buf_addf(out, "%s%s%s", out->len > 0 ? "\n" : "", c->warning ? "? " : "",
             file[0] == '/' ? file + 1 : file);
    if (c->line > 0) {
        buf_addf(out, ":%u", c->line);
    }
    if (c->kind != NULL) {
        buf_addf(out, ": %s %s%s%s", c->kind, c->ns != NULL ? c->ns : "", c->ns != NULL ? "/" : "",
                 c->name != NULL ? c->name : "");
    }
    buf_addf(out, ": %s%s%s", c->field != NULL ? c->field : "",
             c->field != NULL && c->field[0] != '\0' ? ": " : "", c->sentence);
}

static const char *put(const char *name, const char *text)
{
    static char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    REQUIRE("a file", f != NULL);
    fputs(text, f);
    fclose(f);
    return path;
}

struct loaded {
    struct cluster *cluster;
    struct manifest_loader *loader;
    struct buf complaints;
};

static void load_begin(struct loaded *l)
{
    buf_init(&l->complaints, 1 << 20);
    l->cluster = cluster_create();
    l->loader = manifest_loader_create(l->cluster, note, &l->complaints);
}

static void load_text(struct loaded *l, const char *text)
{
    load_begin(l);
    manifest_load(l->loader, put("f.yaml", text));
    manifest_finish(l->loader, false);
}

static void load_end(struct loaded *l)
{
    cluster_destroy(l->cluster);
    manifest_loader_destroy(l->loader);
    buf_deinit(&l->complaints);
}

struct row {
    const char *fact, *text, *want;
};

static void check_rows(const struct row *rows, size_t count, const char *before, const char *after)
{
    for (size_t i = 0; i < count; i++) {
        char *text = xasprintf("%s%s%s", before, rows[i].text, after);
        struct loaded l;

        load_text(&l, text);
        CHECK_STR(rows[i].fact, buf_text(&l.complaints), rows[i].want);
        CHECK_INT(rows[i].fact, manifest_counts(l.loader)->objects,
                  rows[i].want[0] == '\0' || rows[i].want[0] == '?');
        load_end(&l);
        free(text);
    }
}

#define POLICY                    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"
#define AT(line, field, sentence) "f.yaml:" #line ": NetworkPolicy default/p: " field ": " sentence

TEST(network_policies_are_validated_as_a_server_does)
{
    static const struct row rows[] = {
        { "an empty spec", "  {}", "" },
        { "an absent podSelector, empty rules and lists, nulls",
          "  ingress: [{}, {from: [], ports: []}, {from: null}]\n  egress:\n  policyTypes: []",
          "" },
        { "a rule that is null", "  ingress:\n  -",
          "? " AT(6, "spec.ingress[0]",
                  "is empty, which allows everything; write {} if that is meant") },
        { "duplicate policyTypes", "  policyTypes: [Ingress, Ingress]", "" },
        { "a good policy with everything",
          "  podSelector: {matchExpressions: [{key: a.b/c, operator: In, values: [x, '']}]}\n"
          "  ingress:\n  - from:\n    - podSelector: {}\n      namespaceSelector: {}\n"
          "    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n    - ipBlock: {cidr: "
          "'::/0'}\n"
          "    ports: [{port: http}, {port: 80, endPort: 90, protocol: SCTP}, {protocol: UDP}]",
          "" },
        { "policyTypes of more than two", "  policyTypes: [Ingress, Egress, Ingress]",
          AT(5, "spec.policyTypes", "must not have more than two entries") },
        { "policyTypes of another word", "  policyTypes: [ingress]",
          AT(5, "spec.policyTypes[0]", "must be Ingress or Egress") },
        { "a protocol in lower case", "  ingress: [{ports: [{protocol: tcp}]}]",
          AT(5, "spec.ingress[0].ports[0].protocol",
             "must be TCP, UDP or SCTP; upper and lower case count") },
        { "an unknown protocol", "  ingress: [{ports: [{protocol: ICMP}]}]",
          AT(5, "spec.ingress[0].ports[0].protocol", "must be TCP, UDP or SCTP") },
        { "port 0", "  ingress: [{ports: [{port: 0}]}]",
          AT(5, "spec.ingress[0].ports[0].port", "must be from 1 to 65535") },
        { "port 65536", "  egress:\n  - ports:\n    - port: 65536",
          AT(7, "spec.egress[0].ports[0].port", "must be from 1 to 65535") },
        { "a quoted number", "  ingress: [{ports: [{port: '80'}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is a number in quotes, which would be a port name; unquote it") },
        { "a port name that is too long", "  ingress: [{ports: [{port: abcdefghijklmnop}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, "
             "not beginning or ending with '-'") },
        { "a port name with two dashes", "  ingress: [{ports: [{port: a--b}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, "
             "not beginning or ending with '-'") },
        { "a port name without a letter", "  ingress: [{ports: [{port: 1-2}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, not beginning or ending with '-'") },
        { "a port name in upper case", "  ingress: [{ports: [{port: Web}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, not beginning or ending with '-'") },
        { "a port name with another sign", "  ingress: [{ports: [{port: a_b}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, not beginning or ending with '-'") },
        { "a port name that begins with a dash", "  ingress: [{ports: [{port: -a}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, not beginning or ending with '-'") },
        { "a port name that ends with a dash", "  ingress: [{ports: [{port: a-}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "is no port name: at most 15 lower case letters, digits and single '-', with a "
             "letter, not beginning or ending with '-'") },
        { "a port below zero", "  ingress: [{ports: [{port: -1}]}]",
          AT(5, "spec.ingress[0].ports[0].port", "must be from 1 to 65535") },
        { "endPort 0", "  ingress: [{ports: [{port: 80, endPort: 0}]}]",
          AT(5, "spec.ingress[0].ports[0].endPort", "must be from 1 to 65535") },
        { "endPort without port", "  ingress: [{ports: [{endPort: 5}]}]",
          AT(5, "spec.ingress[0].ports[0].endPort", "needs a port") },
        { "endPort with a named port", "  ingress: [{ports: [{port: http, endPort: 5}]}]",
          AT(5, "spec.ingress[0].ports[0].endPort", "must not be given with a named port") },
        { "endPort below port", "  ingress: [{ports: [{port: 80, endPort: 79}]}]",
          AT(5, "spec.ingress[0].ports[0].endPort", "must not be below port") },
        { "endPort out of range", "  ingress: [{ports: [{port: 80, endPort: 70000}]}]",
          AT(5, "spec.ingress[0].ports[0].endPort", "must be from 1 to 65535") },
        { "a peer with nothing", "  ingress:\n  - from:\n    - {}",
          AT(7, "spec.ingress[0].from[0]",
             "names no peer: give podSelector, namespaceSelector or ipBlock") },
        { "a null peer", "  ingress:\n  - from:\n    -",
          AT(7, "spec.ingress[0].from[0]",
             "names no peer: give podSelector, namespaceSelector or ipBlock") },
        { "ipBlock beside a selector",
          "  ingress:\n  - from:\n    - podSelector: {}\n      ipBlock: {cidr: 10.0.0.0/8}",
          AT(8, "spec.ingress[0].from[0].ipBlock", "must not stand beside a selector") },
        { "an empty cidr", "  ingress: [{from: [{ipBlock: {cidr: ''}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr", "must not be empty") },
        { "no cidr", "  ingress: [{from: [{ipBlock: {}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr", "is required") },
        { "a bare address", "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr",
             "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64") },
        { "host bits", "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr",
             "has bits set beyond its prefix length; is 10.0.0.0/8 meant?") },
        { "leading zeros", "  ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr",
             "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "IPv4 mapped into IPv6",
          "  ingress: [{from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr", "must not be an IPv4-mapped IPv6 block") },
        { "a cidr that is none", "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr",
             "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64") },
        { "host bits of IPv6", "  egress: [{to: [{ipBlock: {cidr: 'fd00::1/64'}}]}]",
          AT(5, "spec.egress[0].to[0].ipBlock.cidr",
             "has bits set beyond its prefix length; is fd00::/64 meant?") },
        { "host bits of an except",
          "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.1/16]}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.except[0]",
             "has bits set beyond its prefix length; is 10.1.0.0/16 meant?") },
        { "leading zeros of a length", "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/08}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.cidr",
             "must not have leading zeros; is 10.0.0.0/8 meant?") },
        { "ipBlock beside a selector of namespaces",
          "  ingress:\n  - from:\n    - namespaceSelector: {}\n      ipBlock: {cidr: 10.0.0.0/8}",
          AT(8, "spec.ingress[0].from[0].ipBlock", "must not stand beside a selector") },
        { "NotIn without values",
          "  podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}",
          AT(5, "spec.podSelector.matchExpressions[0].values", "is required with operator NotIn") },
        { "DoesNotExist with values",
          "  podSelector: {matchExpressions: [{key: a, operator: DoesNotExist, values: [x]}]}",
          AT(5, "spec.podSelector.matchExpressions[0].values",
             "must not be given with operator DoesNotExist") },
        { "peers that match nothing",
          "  ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Exists}, {key: "
          "a, "
          "operator: DoesNotExist}]}}]}]",
          "" },
        { "an except of another family",
          "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/8']}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.except[0]",
             "must be of the same IP family as cidr") },
        { "an except that is all",
          "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.except[0]",
             "must be a part of cidr, and smaller") },
        { "an except outside",
          "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.except[0]",
             "must be a part of cidr, and smaller") },
        { "an except that is none",
          "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [x]}}]}]",
          AT(5, "spec.ingress[0].from[0].ipBlock.except[0]",
             "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64") },
        { "In without values", "  podSelector: {matchExpressions: [{key: a, operator: In}]}",
          AT(5, "spec.podSelector.matchExpressions[0].values", "is required with operator In") },
        { "Exists with values",
          "  podSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}",
          AT(5, "spec.podSelector.matchExpressions[0].values",
             "must not be given with operator Exists") },
        { "an unknown operator",
          "  podSelector: {matchExpressions: [{key: a, operator: in, values: [x]}]}",
          AT(5, "spec.podSelector.matchExpressions[0].operator",
             "must be In, NotIn, Exists or DoesNotExist") },
        { "a bad key", "  podSelector: {matchLabels: {'a b': x}}",
          AT(5, "spec.podSelector.matchLabels",
             "'a b' is no label key: [prefix/]name with a DNS name as prefix and at most 63 "
             "letters, "
             "digits, '-', '_' and '.' as name") },
        { "a bad value", "  podSelector: {matchLabels: {a: -x}}",
          AT(5, "spec.podSelector.matchLabels.a",
             "'-x' is no label value: at most 63 letters, digits, '-', '_' and '.', beginning and "
             "ending with a letter or digit") },
        { "a value that YAML makes a boolean", "  podSelector: {matchLabels: {a: yes}}",
          AT(5, "spec.podSelector.matchLabels.a", "must be a string, not a boolean; quote it") },
        { "form", "  ingress: [{form: [{podSelector: {}}]}]",
          AT(5, "spec.ingress[0].form", "unknown field; did you mean 'from'?") },
        { "podselector", "  podselector: {}",
          AT(5, "spec.podselector", "unknown field; did you mean 'podSelector'?") },
        { "to in an ingress rule", "  ingress: [{to: []}]",
          AT(5, "spec.ingress[0].to", "unknown field") },
        { "ports in a peer",
          "  ingress:\n  - from:\n    - podSelector: {}\n      ports: [{port: 80}]",
          AT(8, "spec.ingress[0].from[0].ports",
             "unknown field here; it belongs to spec.ingress[0]") },
        { "cidr beside ipBlock", "  ingress:\n  - from:\n    - cidr: 10.0.0.0/8",
          AT(7, "spec.ingress[0].from[0].cidr", "unknown field here; it belongs into 'ipBlock'") },
        { "a list where a mapping belongs", "  podSelector: []",
          AT(5, "spec.podSelector", "must be a mapping, not a list") },
        { "a mapping where a list belongs", "  ingress: {}",
          AT(5, "spec.ingress", "must be a list, not a mapping") },
        { "a fraction as port", "  ingress: [{ports: [{port: 80.5}]}]",
          AT(5, "spec.ingress[0].ports[0].port",
             "must be a whole number or a string, not a fraction") "\n" AT(5,
                                                                           "spec.ingress[0].ports["
                                                                           "0].port",
                                                                           "must be from 1 to "
                                                                           "65535") },
    };

    check_rows(rows, ARRAY_LEN(rows), POLICY, "\n");
}

#define SERVICE                    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n"
#define SVC(line, field, sentence) "f.yaml:" #line ": Service default/s: " field ": " sentence

TEST(services_are_validated_as_a_server_does)
{
    static const struct row rows[] = {
        { "one unnamed port", "  ports: [{port: 80}]", "" },
        { "headless without ports", "  clusterIP: None", "" },
        { "several protocols on one port",
          "  ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]", "" },
        { "an external name", "  type: ExternalName\n  externalName: db.example.com.", "" },
        { "source ranges and a node port",
          "  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.0/8, ' 10.1.0.0/16']\n"
          "  externalTrafficPolicy: Local\n  ports: [{port: 80, nodePort: 45000, targetPort: web}]",
          "" },
        { "no ports", "  {}", SVC(4, "spec.ports", "is required") },
        { "no port number", "  ports: [{name: x}]", SVC(5, "spec.ports[0].port", "is required") },
        { "a duplicate port",
          "  ports:\n  - {name: a, port: 80}\n  - {name: b, port: 80, protocol: TCP}",
          SVC(7, "spec.ports[1].port", "is given for protocol TCP already") },
        { "a duplicate name", "  ports:\n  - {name: a, port: 80}\n  - {name: a, port: 81}",
          SVC(7, "spec.ports[1].name", "'a' is the name of another port already") },
        { "a missing name", "  ports:\n  - {name: a, port: 80}\n  - {port: 81}",
          SVC(7, "spec.ports[1].name", "is required when there are several ports") },
        { "a duplicate node port",
          "  type: NodePort\n  ports: [{name: a, port: 80, nodePort: 30000}, {name: b, port: 81, "
          "nodePort: 30000}]",
          SVC(6, "spec.ports[1].nodePort", "is given for protocol TCP already") },
        { "a node port on ClusterIP", "  ports: [{port: 80, nodePort: 30000}]",
          SVC(5, "spec.ports[0].nodePort", "must not be given with type ClusterIP") },
        { "an unknown type", "  type: Loadbalancer\n  ports: [{port: 80}]",
          SVC(5, "spec.type",
              "must be ClusterIP, NodePort, LoadBalancer or ExternalName; upper and lower case "
              "count") },
        { "a quoted target port", "  ports: [{port: 80, targetPort: '8080'}]",
          SVC(5, "spec.ports[0].targetPort",
              "is a number in quotes, which would be a port name; unquote it") },
        { "a port as text", "  ports: [{port: '80'}]",
          SVC(5, "spec.ports[0].port", "must be a whole number, not a string") },
        { "a port out of range", "  ports: [{port: 99999}]",
          SVC(5, "spec.ports[0].port", "must be from 1 to 65535") },
        { "an external address that is none", "  externalIPs: [x]\n  ports: [{port: 80}]",
          SVC(5, "spec.externalIPs[0]", "must be an IP address") },
        { "a loopback external address", "  externalIPs: [127.0.0.1]\n  ports: [{port: 80}]",
          SVC(5, "spec.externalIPs[0]",
              "must not be an unspecified, loopback or link-local address") },
        { "source ranges on a ClusterIP",
          "  loadBalancerSourceRanges: [10.0.0.0/8]\n  ports: [{port: 80}]",
          SVC(5, "spec.loadBalancerSourceRanges", "must not be given with type ClusterIP") },
        { "externalTrafficPolicy inside", "  externalTrafficPolicy: Local\n  ports: [{port: 80}]",
          SVC(5, "spec.externalTrafficPolicy",
              "must not be given for a Service that is not reachable from outside (type "
              "ClusterIP)") },
        { "an external name that is missing", "  type: ExternalName",
          SVC(4, "spec.externalName", "is required with type ExternalName") },
        { "a selector value that is a number", "  selector: {app: 1}\n  ports: [{port: 80}]",
          SVC(5, "spec.selector.app", "must be a string, not a number; quote it") },
        { "a field in the wrong case", "  externalIps: [1.2.3.4]\n  ports: [{port: 80}]",
          SVC(5, "spec.externalIps", "unknown field; did you mean 'externalIPs'?") },
    };

    check_rows(rows, ARRAY_LEN(rows), SERVICE, "\n");
}

#define INGRESS                    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n"
#define ING(line, field, sentence) "f.yaml:" #line ": Ingress default/i: " field ": " sentence
#define BACKEND(b)                 "  defaultBackend: " b

TEST(ingresses_are_validated_as_a_server_does)
{
    static const struct row rows[] = {
        { "rules, TLS and a class",
          "  ingressClassName: nginx\n  tls: [{hosts: ['*.example.com'], secretName: t}]\n  "
          "rules:\n"
          "  - host: a.example.com\n    http:\n      paths:\n      - path: /\n        pathType: "
          "Prefix\n"
          "        backend: {service: {name: s, port: {name: http}}}\n  - {}",
          "" },
        { "an empty class name is for its rule to judge",
          "  ingressClassName: ''\n" BACKEND("{service: {name: s, port: {number: 80}}}"), "" },
        { "a resource backend", BACKEND("{resource: {kind: Bucket, name: b}}"), "" },
        { "no rules", "  tls: []", ING(4, "spec", "needs rules or a defaultBackend") },
        { "a backend without anything", BACKEND("{}"),
          ING(5, "spec.defaultBackend", "needs a service or a resource") },
        { "a backend with both",
          BACKEND("{service: {name: s, port: {number: 80}}, resource: {kind: B, name: b}}"),
          ING(5, "spec.defaultBackend", "must have either service or resource, not both") },
        { "a port by name and number", BACKEND("{service: {name: s, port: {number: 80, name: x}}}"),
          ING(5, "spec.defaultBackend.service.port", "must have either name or number, not both") },
        { "no port", BACKEND("{service: {name: s}}"),
          ING(5, "spec.defaultBackend.service.port", "needs a name or a number") },
        { "a port out of range", BACKEND("{service: {name: s, port: {number: 65536}}}"),
          ING(5, "spec.defaultBackend.service.port.number", "must be from 1 to 65535") },
        { "a port as text", BACKEND("{service: {name: s, port: {number: '80'}}}"),
          ING(5, "spec.defaultBackend.service.port.number",
              "must be a whole number, not a string") },
        { "no service name", BACKEND("{service: {port: {number: 80}}}"),
          ING(5, "spec.defaultBackend.service.name", "is required") },
        { "the backend of v1beta1", BACKEND("{serviceName: s, servicePort: 80}"),
          ING(5, "spec.defaultBackend.serviceName",
              "unknown field") "\n" ING(5, "spec.defaultBackend.servicePort", "unknown field") },
        { "a host with a port", "  rules: [{host: 'a.example.com:80'}]",
          ING(5, "spec.rules[0].host",
              "is no host: a DNS name in lower case such as shop.example.com, or *. and such a "
              "name") },
        { "a host that is an address", "  rules: [{host: 10.0.0.1}]",
          ING(5, "spec.rules[0].host", "must be a DNS name, not an IP address") },
        { "a star in the middle", "  rules: [{host: 'a.*.com'}]",
          ING(5, "spec.rules[0].host",
              "is no host: a DNS name in lower case such as shop.example.com, or *. and such a "
              "name") },
        { "no pathType",
          "  rules:\n  - http:\n      paths:\n      - backend: {service: {name: s, port: {number: "
          "80}}}",
          ING(8, "spec.rules[0].http.paths[0].pathType",
              "is required: Exact, Prefix or ImplementationSpecific") },
        { "a pathType in lower case",
          "  rules:\n  - http:\n      paths:\n      - path: /\n        pathType: prefix\n"
          "        backend: {service: {name: s, port: {number: 80}}}",
          ING(9, "spec.rules[0].http.paths[0].pathType",
              "must be Exact, Prefix or ImplementationSpecific; upper and lower case count") },
        { "a relative path",
          "  rules:\n  - http:\n      paths:\n      - path: x\n        pathType: Exact\n"
          "        backend: {service: {name: s, port: {number: 80}}}",
          ING(8, "spec.rules[0].http.paths[0].path", "must begin with '/'") },
        { "no paths", "  rules: [{http: {}}]", ING(5, "spec.rules[0].http.paths", "is required") },
        { "an empty TLS host", "  rules: [{}]\n  tls: [{hosts: ['']}]",
          ING(6, "spec.tls[0].hosts[0]", "must not be empty") },
        { "hosts that are no list", "  rules: [{}]\n  tls: [{hosts: a.example.com}]",
          ING(6, "spec.tls[0].hosts", "must be a list, not a string") },
        { "a Secret name that is none", "  rules: [{}]\n  tls: [{secretName: a_b}]",
          ING(6, "spec.tls[0].secretName", "is no Secret name") },
    };

    check_rows(rows, ARRAY_LEN(rows), INGRESS, "\n");
}

TEST(workloads_metadata_and_kinds)
{
    static const struct row rows[] = {
        { "a Deployment",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
          "  selector: {matchLabels: {a: b}}\n"
          "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n",
          "" },
        { "its selector misses its template",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
          "  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: c}}, spec: {}}\n",
          "f.yaml:5: Deployment default/d: spec.selector: does not match the labels of the "
          "template" },
        { "it has no selector",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
          "  template: {metadata: {labels: {a: c}}, spec: {}}\n",
          "f.yaml:4: Deployment default/d: spec.selector: is required" },
        { "an unknown field deep in a pod",
          "apiVersion: v1\nkind: Pod\nmetadata: {name: d}\nspec:\n  containers:\n  - name: c\n"
          "    readinessProbe: {httpget: {port: 80}}\n",
          "f.yaml:7: Pod default/d: spec.containers[0].readinessProbe.httpget: unknown field; did "
          "you mean 'httpGet'?" },
        { "host networking in the wrong place",
          "apiVersion: v1\nkind: Pod\nmetadata: {name: d}\nspec:\n  containers:\n  - name: c\n"
          "    hostNetwork: true\n",
          "f.yaml:7: Pod default/d: spec.containers[0].hostNetwork: unknown field here; it belongs "
          "to spec" },
        { "a boolean in quotes",
          "apiVersion: v1\nkind: Pod\nmetadata: {name: d}\nspec: {hostNetwork: 'true'}\n",
          "f.yaml:4: Pod default/d: spec.hostNetwork: must be true or false, not a string" },
        { "container ports",
          "apiVersion: v1\nkind: Pod\nmetadata: {name: d}\nspec:\n  hostNetwork: true\n"
          "  containers:\n  - ports:\n    - {name: a, containerPort: 80, hostPort: 81}\n"
          "    - {name: a, containerPort: 82}\n",
          "f.yaml:8: Pod default/d: spec.containers[0].ports[0].hostPort: must equal containerPort "
          "on the host network\nf.yaml:9: Pod default/d: spec.containers[0].ports[1].name: 'a' is "
          "the name of another port of the container already" },
        { "a CronJob's template",
          "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: d}\nspec:\n  schedule: '* * * * "
          "*'\n"
          "  jobTemplate:\n    spec:\n      template: {spec: {containers: [{ports: [{}]}]}}\n",
          "f.yaml:8: CronJob default/d: spec.jobTemplate.spec.template.spec.containers[0].ports[0]."
          "containerPort: is required" },
        { "a name in upper case", "apiVersion: v1\nkind: Namespace\nmetadata: {name: Shop}\n",
          "f.yaml:3: Namespace Shop: metadata.name: must consist of lower case letters, digits and "
          "'-', begin and end with a letter or digit, and have at most 63 characters" },
        { "a control character in a name is escaped",
          "apiVersion: v1\nkind: Namespace\nmetadata: {name: \"a\\e[31m\"}\n",
          "f.yaml:3: Namespace a\\x1b[31m: metadata.name: must consist of lower case letters, "
          "digits and '-', begin and end with a letter or digit, and have at most 63 characters" },
        { "no name", "apiVersion: v1\nkind: Namespace\nmetadata: {}\n",
          "f.yaml:3: Namespace : metadata.name: is required" },
        { "no metadata", "apiVersion: v1\nkind: Namespace\n",
          "f.yaml:1: Namespace : metadata.name: is required" },
        { "a namespace on what has none",
          "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n",
          "f.yaml:3: Namespace b/a: metadata.namespace: must not be given: Namespace is not "
          "namespaced" },
        { "an unknown field at the top", "apiVersion: v1\nkind: Namespace\nmetdata: {name: a}\n",
          "f.yaml:3: Namespace : metdata: unknown field; did you mean 'metadata'?\n"
          "f.yaml:1: Namespace : metadata.name: is required" },
        { "a label that is a number",
          "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    v: 1.0\n",
          "f.yaml:6: Namespace a: metadata.labels.v: must be a string, not a number; quote it" },
        { "a duplicate key", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  name: b\n",
          "f.yaml:5: key 'name' is already set on line 4" },
        { "an old version",
          "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a, namespace: shop}\n",
          "f.yaml:1: Ingress shop/a: apiVersion: Ingress of extensions/v1beta1 is not read; write "
          "it "
          "as networking.k8s.io/v1" },
        { "another old version",
          "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\n",
          "f.yaml:1: Ingress default/a: apiVersion: Ingress of networking.k8s.io/v1beta1 is not "
          "read; write it as networking.k8s.io/v1" },
        { "the wrong group", "apiVersion: v1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
          "f.yaml:1: NetworkPolicy default/a: apiVersion: there is no NetworkPolicy in v1; it is "
          "in "
          "networking.k8s.io/v1" },
        { "a kind misspelt",
          "apiVersion: networking.k8s.io/v1\nkind: Networkpolicy\nmetadata: {name: a}\n",
          "f.yaml:1: Networkpolicy default/a: apiVersion: there is no kind Networkpolicy in "
          "networking.k8s.io/v1; did you mean NetworkPolicy of networking.k8s.io/v1?" },
        { "no manifest", "a: 1\n",
          "f.yaml:1: is no Kubernetes manifest: apiVersion and kind are required" },
        { "every item of a list that is none",
          "apiVersion: v1\nkind: List\nitems:\n- {}\n- 3\n- {apiVersion: v1}\n",
          "f.yaml:4: is no Kubernetes manifest: apiVersion and kind are required\n"
          "f.yaml:5: is no Kubernetes manifest: apiVersion and kind are required\n"
          "f.yaml:6: is no Kubernetes manifest: apiVersion and kind are required" },
        { "no kind", "apiVersion: v1\nmetadata: {name: a}\n",
          "f.yaml:1: is no Kubernetes manifest: apiVersion and kind are required" },
        { "a template", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ .Release.Name }}\n",
          "f.yaml:4: a key must be a single word or text, not a mapping; it holds template "
          "directives ('{{'): render it first, for example with helm template" },
        { "a quoted template", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: '{{ .x }}'\n",
          "f.yaml:1: holds template directives ('{{'); render it first, for example with helm "
          "template" },
        { "JSON",
          "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\"}}",
          "" },
    };

    check_rows(rows, ARRAY_LEN(rows), "", "");
}

TEST(lists_documents_and_unknown_kinds)
{
    static const struct {
        const char *fact, *text;
        unsigned documents, objects, skipped, errors;
    } rows[] = {
        { "nothing", "", 0, 0, 0, 0 },
        { "empty documents", "---\n---\n# x\n", 0, 0, 0, 0 },
        { "a v1 List",
          "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n"
          "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
          "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
          1, 1, 1, 0 },
        { "a typed list whose items say nothing",
          "apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n- metadata: {name: "
          "b}\n",
          1, 2, 0, 0 },
        { "a typed list of an unknown kind",
          "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- metadata: {name: "
          "b}\n",
          1, 0, 2, 0 },
        { "a list in a list",
          "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
          "  - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n",
          1, 1, 0, 0 },
        { "JSON lines",
          "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}}\n"
          "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"b\"}}\n",
          2, 2, 0, 0 },
        { "a CRD's kind of the same name is unknown",
          "apiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n", 1, 0,
          1, 0 },
        { "a bad document does not hide the next",
          "a: [\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", 1, 1, 0, 1 },
        { "a malformed object does not hide the next",
          "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {nme: "
          "a}}\n"
          "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n",
          1, 1, 0, 2 },
        { "an item that is no object",
          "apiVersion: v1\nkind: List\nitems: [1, {apiVersion: v1, kind: Namespace, metadata: "
          "{name: a}}]\n",
          1, 1, 0, 1 },
        { "generated names are not the same",
          "apiVersion: batch/v1\nkind: JobList\nitems:\n"
          "- {metadata: {generateName: j-}, spec: {template: {spec: {}}}}\n"
          "- {metadata: {generateName: j-}, spec: {template: {spec: {}}}}\n"
          "- {metadata: {generateName: j-}, spec: {template: {spec: {}}}}\n",
          1, 3, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct loaded l;

        load_text(&l, rows[i].text);
        const struct manifest_counts *n = manifest_counts(l.loader);
        CHECK_INT(rows[i].fact, n->documents, rows[i].documents);
        CHECK_INT(rows[i].fact, n->objects, rows[i].objects);
        CHECK_INT(rows[i].fact, n->skipped_objects, rows[i].skipped);
        CHECK_INT(rows[i].fact, n->errors, rows[i].errors);
        load_end(&l);
    }
}

TEST(names_are_generated_however_many_share_a_prefix)
{
    enum { MANY = 100002, ITEMS_MAX_BYTES = 16 * 1024 * 1024 }; /* more than five digits number */
    struct loaded l;
    struct buf text;

    buf_init(&text, ITEMS_MAX_BYTES);
    for (int i = 0; i < MANY; i++) {
        buf_adds(&text, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"
                        "\"generateName\":\"n-\"}}\n");
    }
    load_begin(&l);
    manifest_load(l.loader, put("many.json", buf_text(&text)));
    CHECK_INT("every one is an object of its own", manifest_counts(l.loader)->objects, MANY);
    CHECK_STR("without a complaint", buf_text(&l.complaints), "");
    load_end(&l);
    buf_deinit(&text);
}

TEST(the_same_object_twice)
{
    struct loaded l;
    static const char once[] =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n";
    static const char again[] =
        "kind: Service\nspec: {ports: [{port: 80, nodePort: null}]}\napiVersion: v1\n"
        "metadata: {namespace: default, name: s, resourceVersion: '7'}\n";
    static const char other[] =
        "# x\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 81}]}\n";

    load_begin(&l);
    manifest_load(l.loader, put("a.yaml", once));
    manifest_load(l.loader, put("b.yaml", again));
    CHECK_STR("order, nulls and what the server writes do not count", buf_text(&l.complaints), "");
    CHECK_INT("merged", manifest_counts(l.loader)->objects, 1);
    manifest_load(l.loader, put("c.yaml", other));
    char *want = xasprintf("c.yaml:2: Service default/s: is given again with other content; the "
                           "first is at %s/a.yaml:1",
                           dir);
    CHECK_STR("both places are named", buf_text(&l.complaints), want);
    free(want);
    manifest_finish(l.loader, false);
    const struct service *svc =
        (const struct service *)cluster_find(l.cluster, KIND_SERVICE, "default", "s");
    REQUIRE("the first stays", svc != NULL);
    CHECK_INT("the first stays", svc->ports[0].port, 80);
    load_end(&l);
}

TEST(joining_does_what_a_server_would)
{
    struct loaded l;

    load_text(
        &l,
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"
        "  labels: {kubernetes.io/metadata.name: wrong, a: b}\n---\n" INGRESS "  rules: [{}]\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: old, annotations: "
        "{kubernetes.io/ingress.class: x}}\nspec: {rules: [{}]}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: IngressClassList\nitems:\n"
        "- metadata: {name: a, annotations: {ingressclass.kubernetes.io/is-default-class: "
        "'true'}}\n  spec: {controller: x.y/z}\n"
        "- metadata: {name: b, creationTimestamp: '2024-01-01T00:00:00Z', annotations: "
        "{ingressclass.kubernetes.io/is-default-class: 'true'}}\n  spec: {controller: x.y/z}\n"
        "- metadata: {name: c, creationTimestamp: '2025-01-01T00:00:00Z'}\n"
        "  spec: {controller: x.y/z}\n");
    CHECK_STR("no complaint", buf_text(&l.complaints), "");

    const struct object *ns = cluster_find(l.cluster, KIND_NAMESPACE, NULL, "shop");
    REQUIRE("the namespace", ns != NULL);
    CHECK_STR("its name label is set", label_set_text(ns->labels, "kubernetes.io/metadata.name"),
              "shop");
    CHECK_STR("its other labels stay", label_set_text(ns->labels, "a"), "b");
    CHECK("it is not implied", !((const struct namespace_object *)ns)->implied);

    ns = cluster_find(l.cluster, KIND_NAMESPACE, NULL, "default");
    REQUIRE("a namespace that is spoken of exists", ns != NULL);
    CHECK("and is implied", ((const struct namespace_object *)ns)->implied && ns->origin == NULL);
    CHECK_STR("with its name label", label_set_text(ns->labels, "kubernetes.io/metadata.name"),
              "default");

    const struct ingress *ing =
        (const struct ingress *)cluster_find(l.cluster, KIND_INGRESS, "default", "i");
    REQUIRE("the ingress", ing != NULL);
    CHECK_STR("it got the newest default class", str_text(ing->class_name), "b");
    CHECK("and says so", ing->class_by_default_only);
    ing = (const struct ingress *)cluster_find(l.cluster, KIND_INGRESS, "default", "old");
    CHECK("the annotation is a class", ing != NULL && ing->class_name == NULL);

    CHECK("the cluster is offline", cluster_offline(l.cluster));
    CHECK("ingresses were there", cluster_kind_in_input(l.cluster, KIND_INGRESS));
    CHECK("secrets were not", !cluster_kind_in_input(l.cluster, KIND_SECRET));
    load_end(&l);
}

TEST(fields_have_lines)
{
    static const char yaml[] =
        "# comment\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n"
        "  annotations:\n    kubernetes.io/ingress.class: nginx\nspec:\n  tls:\n  - hosts: [a.b]\n"
        "    secretName: t\n  - hosts:\n    - c.d\n    - e.f\n  rules:\n  - host: a.b\n";
    static const struct {
        const char *path;
        unsigned line;
    } rows[] = {
        { NULL, 2 },
        { "", 2 },
        { "nothing", 2 },
        { "spec", 8 },
        { "spec.nothing.more", 8 },
        { "spec.tls[0].secretName", 11 },
        { "spec.tls[0].hosts[0]", 10 },
        { "spec.tls[1].hosts[1]", 14 },
        { "spec.tls[7]", 9 },
        { "spec.rules[0].host", 16 },
        { "spec.rules[0].http.paths", 16 },
        { "metadata.annotations.kubernetes.io/ingress.class", 7 },
        { "metadata.annotations[\"kubernetes.io/ingress.class\"]", 7 },
        { "metadata.annotations[kubernetes.io/ingress.class]", 7 },
        { "metadata.annotations.kubernetes\\.io/ingress\\.class", 7 },
    };
    struct loaded l;

    load_text(&l, yaml);
    const struct object *obj = cluster_find(l.cluster, KIND_INGRESS, "default", "i");
    REQUIRE("the ingress", obj != NULL && obj->origin != NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(rows[i].path != NULL ? rows[i].path : "(none)",
                  origin_field_line(obj->origin, rows[i].path), rows[i].line);
    }
    CHECK_INT("no origin", origin_field_line(NULL, "spec"), 0);
    load_end(&l);

    load_text(&l,
              "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\"}}");
    obj = cluster_find(l.cluster, KIND_NAMESPACE, NULL, "a");
    REQUIRE("the namespace", obj != NULL);
    CHECK("what stands on one line costs nothing", obj->origin->fields == NULL);
    CHECK_INT("and has its line", origin_field_line(obj->origin, "metadata.name"), 1);
    load_end(&l);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

TEST(directories_are_walked)
{
    static const char good[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n";
    char path[256], text[256];
    struct loaded l;

    snprintf(path, sizeof(path), "%s/d", dir);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/d/b", dir);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/d/.hidden", dir);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/d/empty", dir);
    mkdir(path, 0755);
    static const char *const names[] = { "d/c.yaml", "d/b/a.yml",   "d/b/z.json",
                                         "d/a.yaml", "d/notes.txt", "d/.hidden/x.yaml" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char name[8] = { 'n', (char)('0' + i), '\0' };
        snprintf(text, sizeof(text), good, name);
        put(names[i], text);
    }
    put("d/values.yaml", "replicas: 3\n");
    put("d/template.yaml", "metadata:\n  name: {{ .Values.x }}\n");
    put("d/broken.yaml", "a: [\n");
    put("d/half.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: half}\n---\nkind: X\n");
    snprintf(path, sizeof(path), "%s/d/b/loop", dir);
    CHECK_INT("a link", symlink("..", path), 0);

    load_begin(&l);
    snprintf(path, sizeof(path), "%s/d", dir);
    manifest_load(l.loader, path);
    CHECK_STR("what is no manifest is said, in order", buf_text(&l.complaints),
              "d/broken.yaml:2: did not find expected node content while parsing a flow node\n"
              "d/half.yaml:5: is no Kubernetes manifest: apiVersion and kind are required\n"
              "? d/template.yaml:2: a key must be a single word or text, not a mapping; it holds "
              "template directives ('{{'): render it first, for example with helm template\n"
              "? d/values.yaml: is no Kubernetes manifest (no apiVersion and kind); skipped");
    CHECK_INT("files", manifest_counts(l.loader)->files, 8);
    CHECK_INT("objects", manifest_counts(l.loader)->objects, 5);
    buf_reset(&l.complaints);
    snprintf(path, sizeof(path), "%s/d/empty", dir);
    manifest_load(l.loader, path);
    CHECK_STR("an empty directory", buf_text(&l.complaints),
              "? d/empty: holds no *.yaml, *.yml or *.json file");
    buf_reset(&l.complaints);
    snprintf(path, sizeof(path), "%s/absent", dir);
    manifest_load(l.loader, path);
    CHECK_STR("an absent path", buf_text(&l.complaints), "absent: No such file or directory");
    manifest_finish(l.loader, true);
    CHECK("complete input has every kind", cluster_kind_in_input(l.cluster, KIND_SECRET));
    load_end(&l);
}

TEST(complaints_are_bounded)
{
    struct buf text;
    struct loaded l;

    buf_init(&text, 1 << 20);
    buf_adds(&text, "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    for (int i = 0; i < 120; i++) {
        buf_addf(&text, "unknown%d: 1\n", i);
    }
    load_text(&l, buf_text(&text));
    CHECK_INT("fifty faults and a sum", manifest_counts(l.loader)->errors, 51);
    CHECK("the sum is the last",
          text_ends(buf_text(&l.complaints), "f.yaml:1: Namespace a: and 70 more faults"));
    load_end(&l);

    char path[256];
    snprintf(path, sizeof(path), "%s/huge.yaml", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK_INT("a sparse file", ftruncate(fd, 257L << 20), 0);
    close(fd);
    load_begin(&l);
    manifest_load(l.loader, path);
    CHECK_STR("a huge file", buf_text(&l.complaints), "huge.yaml: is larger than 256 MiB");
    load_end(&l);
    buf_deinit(&text);
}

/* ---- random texts: nothing to check but that sanitizers stay silent and nothing is judged that
 * was refused ---- */

static uint64_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33);
}

static const char *const words[] = {
    "null", "true",  "-1",        "80",         "'80'",  "65536",   "''",    "[]",
    "{}",   "[{}]",  "[null]",    "x",          "*a",    "&a ",     "1e9",   "1.5",
    "\x1b", "TCP",   "udp",       "None",       "spec:", "kind",    "ports", "items",
    "- ",   "{{ }}", "0.0.0.0/0", "10.0.0.1/8", "a: ",   "\n---\n",
};

/* Replaces, drops or inserts a word or a line somewhere. */
static size_t mutate(char *text, size_t len, size_t size)
{
    const char *word = words[next_random() % ARRAY_LEN(words)];
    size_t n = strlen(word), at = len > 0 ? next_random() % len : 0;
    size_t drop = next_random() % 3 == 0 ? 0 : next_random() % 12;

    drop = drop > len - at ? len - at : drop;
    if (len - drop + n >= size) {
        return len;
    }
    memmove(text + at + n, text + at + drop, len - at - drop + 1);
    memcpy(text + at, word, n);
    return len - drop + n;
}

TEST(any_mutation_is_loaded_or_refused)
{
    static const char *const seeds[] = {
        POLICY
        "  podSelector: {matchExpressions: [{key: a, operator: In, values: [x]}]}\n  ingress:\n"
        "  - from:\n    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n    - podSelector: "
        "{}\n"
        "    ports: [{port: 80, endPort: 90, protocol: TCP}]\n",
        SERVICE "  type: LoadBalancer\n  externalIPs: [1.2.3.4]\n  ports: [{name: a, port: 80, "
                "targetPort: x}, "
                "{name: b, port: 81}]\n",
        INGRESS
        "  tls: [{hosts: [a.b], secretName: t}]\n  rules:\n  - host: a.b\n    http:\n      paths:\n"
        "      - {path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}\n",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: CronJob\n  metadata: "
        "{name: c}\n"
        "  spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: b}}, spec: {hostNetwork: "
        "true, containers: "
        "[{ports: [{containerPort: 80, hostPort: 80, name: x}]}]}}}}}\n- apiVersion: apps/v1\n  "
        "kind: Deployment\n"
        "  metadata: {name: d}\n  spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
        "{labels: {a: b}}, "
        "spec: {}}}\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  ownerReferences: [{apiVersion: "
        "apps/v1, kind: ReplicaSet, "
        "name: d-1, uid: u, controller: true}]\nspec: {containers: [], initContainers: "
        "[{restartPolicy: Always}]}\n"
        "status: {phase: Running, podIPs: [{ip: 1.2.3.4}]}\n",
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        "metadata: {name: c}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n"
        "  egress:\n  - action: Deny\n    to: [{networks: [10.0.0.0/8]}, {pods: {podSelector: "
        "{}}}]\n"
        "    protocols: [{tcp: {destinationPort: {range: {start: 1, end: 2}}}}]\n",
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
        "metadata: {name: default}\nspec:\n  subject: {pods: {podSelector: {}}}\n  ingress:\n"
        "  - action: Allow\n    from: [{namespaces: {sameLabels: [a]}}]\n"
        "    ports: [{portNumber: {port: 80}}, {namedPort: a}]\n",
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c}\nspec:\n"
        "  endpointSelector: {matchLabels: {'k8s:a': b}}\n  egress:\n  - toCIDRSet: [{cidr: "
        "10.0.0.0/8, except: [10.1.0.0/16]}]\n    toPorts: [{ports: [{port: '53', endPort: 54}, "
        "{port: a}], rules: {dns: [{matchPattern: '*'}], http: [{headerMatches: [{}]}]}}]\n"
        "  - toFQDNs: [{matchName: a.b}]\n    icmps: [{fields: [{type: 8, family: IPv4}]}]\n",
        "apiVersion: security.istio.io/v1beta1\nkind: PeerAuthentication\nmetadata: {name: p}\n"
        "spec:\n  selector: {matchLabels: {a: b}}\n  mtls: {mode: STRICT}\n"
        "  portLevelMtls: {80: {mode: DISABLE}}\n",
    };
    const char *seed = getenv("SEED"), *rounds = getenv("MANIFEST_ROUNDS");
    int count = rounds != NULL ? atoi(rounds) : 3000;
    static char text[4096];

    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20240607;
    printf("# SEED=%llu\n", (unsigned long long)random_state);
    for (int i = 0; i < count; i++) {
        struct loaded l;
        size_t len = (size_t)snprintf(text, sizeof(text), "%s---\n%s",
                                      seeds[next_random() % ARRAY_LEN(seeds)],
                                      seeds[next_random() % ARRAY_LEN(seeds)]);

        for (uint32_t edits = next_random() % 8; edits > 0; edits--) {
            len = mutate(text, len, sizeof(text));
        }
        load_text(&l, text);
        const struct manifest_counts *n = manifest_counts(l.loader);
        CHECK("every error is told", n->errors == 0 || l.complaints.len > 0);
        CHECK("nothing holds a control character",
              strpbrk(buf_text(&l.complaints), "\x1b\r\t") == NULL);
        load_end(&l);
    }
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_manifest.XXXXXX");
    return mkdtemp(dir) != NULL ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_policies_are_validated_as_a_server_does),
        cmocka_unit_test(services_are_validated_as_a_server_does),
        cmocka_unit_test(ingresses_are_validated_as_a_server_does),
        cmocka_unit_test(workloads_metadata_and_kinds),
        cmocka_unit_test(lists_documents_and_unknown_kinds),
        cmocka_unit_test(names_are_generated_however_many_share_a_prefix),
        cmocka_unit_test(the_same_object_twice),
        cmocka_unit_test(joining_does_what_a_server_would),
        cmocka_unit_test(fields_have_lines),
        cmocka_unit_test(directories_are_walked),
        cmocka_unit_test(complaints_are_bounded),
        cmocka_unit_test(any_mutation_is_loaded_or_refused),
    };

    if (getenv("CMOCKA_MESSAGE_OUTPUT") == NULL) {
        cmocka_set_message_output(CM_OUTPUT_TAP);
    }
    return cmocka_run_group_tests(tests, set_up, tear_down) == 0 ? 0 : 1;
}
