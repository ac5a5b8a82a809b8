#!/usr/bin/env python3
"""The oracle against hand-made cases of CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy."""
from cases import SMALL, pod, policy, reach_table, tap, verdict_table

WEB, DB, CLIENT, HOST = "a/web[Pod]", "a/db[Pod]", "b/client[Pod]", "b/host[Pod]"
REST4 = "0.0.0.0-255.255.255.255[External]"
REST6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]"
SEEN = SMALL + [pod("b/robot", "10.0.0.7", account="robot")]


def cnp(text, **more):
    return SEEN + [policy("CiliumNetworkPolicy", "endpointSelector: {}\n" + text, **more)]


def ccnp(text):
    return SEEN + [policy("CiliumClusterwideNetworkPolicy", "endpointSelector: {}\n" + text)]


def ingress(entry):
    return cnp("ingress: [%s]" % entry)


HARMLESS = policy("CiliumNetworkPolicy", "endpointSelector: {matchLabels: {app: nobody}}\ningress: [{}]", name="harmless")
BY_ADDRESS = policy("NetworkPolicy", "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", name="np")

reach_table([
    ("ingress: [{}] counts and allows nothing", ingress("{}"), CLIENT, WEB, False),
    ("ingress: [{}] denies the outside too", ingress("{}"), REST4, WEB, False),
    ("an empty section does nothing", cnp("ingress: []\negress: [{}]"), CLIENT, WEB, True),
    ("and an entry isolates only its direction", cnp("egress: [{}]"), WEB, CLIENT, False),
    ("enableDefaultDeny false does not isolate", cnp("ingress: [{}]\nenableDefaultDeny: {ingress: false}"), CLIENT, WEB, True),
    ("enableDefaultDeny true without entry does nothing", cnp("ingress: []\negress: [{}]\nenableDefaultDeny: {ingress: true}"), CLIENT, WEB, True),
    ("any rule that asks for default-deny wins", cnp("ingress: [{}]\nenableDefaultDeny: {ingress: false}") + [
        policy("NetworkPolicy", "podSelector: {}", name="np")], CLIENT, WEB, False),
    ("its allow unites with a NetworkPolicy", cnp("ingress: [{fromEntities: [cluster]}]\nenableDefaultDeny: {ingress: false}") + [
        policy("NetworkPolicy", "podSelector: {}", name="np")], CLIENT, WEB, True),
    ("a deny section makes default-deny", cnp("ingressDeny: [{fromEntities: [world]}]"), CLIENT, WEB, False),
    ("a deny beats every allow", cnp("ingress: [{fromEntities: [all]}]\ningressDeny: [{fromEndpoints: [{matchLabels: {app: db}}]}]"), DB, WEB, False),
    ("and leaves others", cnp("ingress: [{fromEntities: [all]}]\ningressDeny: [{fromEndpoints: [{matchLabels: {app: db}}]}]"), CLIENT, WEB, True),
    ("a deny beats a NetworkPolicy's allow", cnp("ingressDeny: [{fromEntities: [cluster]}]") + [policy("NetworkPolicy", "ingress: [{}]", name="np")],
     CLIENT, WEB, False),
    ("only denies without default-deny: the rest is allowed",
     cnp("ingressDeny: [{fromEndpoints: [{matchLabels: {app: db}}]}]\nenableDefaultDeny: {ingress: false}"), CLIENT, WEB, True),
    ("an empty peer selector of a CNP is its namespace", ingress("{fromEndpoints: [{}]}"), CLIENT, WEB, False),
    ("and admits its own", ingress("{fromEndpoints: [{}]}"), DB, WEB, True),
    ("a namespace key lifts that", ingress("{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}]}"), CLIENT, WEB, True),
    ("a namespace label lifts it too", ingress("{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.env': dev}}]}"), CLIENT, WEB, True),
    ("a CCNP's peers are of any namespace", ccnp("ingress: [{fromEndpoints: [{matchLabels: {app: client}}]}]"), CLIENT, WEB, True),
    ("an empty peer selector of a CCNP is no outside", ccnp("ingress: [{fromEndpoints: [{}]}]"), REST4, WEB, False),
    ("any: and k8s: are the same label", ingress("{fromEndpoints: [{matchLabels: {'any:app': db}}, {matchLabels: {'k8s:app': x}}]}"), DB, WEB, True),
    ("by service account", ccnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: robot}}]}]"), "b/robot[Pod]", WEB, True),
    ("and not another's", ccnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: robot}}]}]"), CLIENT, WEB, False),
    ("fromEndpoints: [] is nobody", ingress("{fromEndpoints: []}"), DB, WEB, False),
    ("no peer field with toPorts is everyone", ingress("{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}"), REST4, WEB, {"TCP": [[80, 80]]}),
    ("no protocol is any", ingress("{toPorts: [{ports: [{port: '80'}]}]}"), CLIENT, WEB, {"TCP": [[80, 80]], "UDP": [[80, 80]], "SCTP": [[80, 80]]}),
    ("port 0 is every port", ingress("{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}"), CLIENT, WEB, {"UDP": [[1, 65535]]}),
    ("endPort", ingress("{toPorts: [{ports: [{port: '80', endPort: 81, protocol: TCP}]}]}"), CLIENT, WEB, {"TCP": [[80, 81]]}),
    ("a named port", ingress("{toPorts: [{ports: [{port: http, protocol: TCP}]}]}"), CLIENT, WEB, {"TCP": [[8080, 8080]]}),
    ("toPorts without ports is nothing", ingress("{toPorts: [{ports: []}]}"), CLIENT, WEB, False),
    ("CIDRs match no pods", ingress("{fromCIDR: [0.0.0.0/0]}"), CLIENT, WEB, False),
    ("CIDRs match the outside", ingress("{fromCIDR: [0.0.0.0/0]}"), REST4, WEB, True),
    ("CIDR sets have excepts", ingress("{fromCIDRSet: [{cidr: 0.0.0.0/0, except: [128.0.0.0/1]}]}"), "128.0.0.0-255.255.255.255[External]", WEB, False),
    ("a CIDR group is not in the file", ingress("{fromCIDRSet: [{cidrGroupRef: g}]}"), REST4, WEB, None),
    ("world is the outside", ingress("{fromEntities: [world]}"), REST4, WEB, True),
    ("world-ipv4 is no IPv6", ingress("{fromEntities: [world-ipv4]}"), REST6, WEB, False),
    ("world is no pod", ingress("{fromEntities: [world]}"), CLIENT, WEB, False),
    ("cluster is no outside", ingress("{fromEntities: [cluster]}"), REST4, WEB, False),
    ("cluster is nodes too", ingress("{fromEntities: [cluster]}"), HOST, WEB, True),
    ("host may be a host pod", cnp("egress: [{toEntities: [host]}]"), WEB, HOST, None),
    ("kube-apiserver may be outside", ingress("{fromEntities: [kube-apiserver]}"), REST4, WEB, None),
    ("none is nobody", ingress("{fromEntities: [none]}"), CLIENT, WEB, False),
    ("a host pod that is denied may be on the own node", ingress("{}"), HOST, WEB, None),
    ("on Cilium an ipBlock matches no pods", SEEN + [HARMLESS, BY_ADDRESS], CLIENT, WEB, False),
    ("on Cilium an ipBlock matches the outside", SEEN + [HARMLESS, BY_ADDRESS], REST4, WEB, True),
    ("Valid=False is unknown", cnp("ingress: [{}]", status={"conditions": [{"type": "Valid", "status": "False"}]}), CLIENT, WEB, None),
    ("Valid=True is normal", cnp("ingress: [{}]", status={"conditions": [{"type": "Valid", "status": "True"}]}), CLIENT, WEB, False),
    ("specs are rules too", SEEN + [dict(policy("CiliumNetworkPolicy", {}), spec=None, specs=[
        {"endpointSelector": {}, "ingress": [{"fromEntities": ["world"]}]}, {"endpointSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}])],
     CLIENT, WEB, True),
])

verdict_table([
    ("ingress: [{}] isolates", ingress("{}"), WEB, "ingress", "isolated"),
    ("and leaves egress open", ingress("{}"), WEB, "egress", "open"),
    ("fromEntities all opens", ingress("{fromEntities: [all]}"), WEB, "ingress", "selected-but-open"),
    ("world opens", ingress("{fromEntities: [world]}"), WEB, "ingress", "selected-but-open"),
    ("cluster opens to every pod", ingress("{fromEntities: [cluster]}"), WEB, "ingress", "selected-but-open"),
    ("its namespace is not every pod", ingress("{fromEndpoints: [{}]}"), WEB, "ingress", "isolated"),
    ("every namespace by key", ingress("{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}]}"), WEB, "ingress",
     "selected-but-open"),
    ("one port for everyone is isolation still", ingress("{toPorts: [{ports: [{port: '80'}]}]}"), WEB, "ingress", "isolated"),
    ("a deny of some without default-deny: open",
     cnp("ingressDeny: [{fromEndpoints: [{}]}]\nenableDefaultDeny: {ingress: false}"), WEB, "ingress", "open"),
    ("a deny of everyone outside without default-deny is open to pods",
     cnp("ingressDeny: [{fromEntities: [world]}]\nenableDefaultDeny: {ingress: false}"), WEB, "ingress", "selected-but-open"),
    ("a deny of everybody isolates, without default-deny too",
     cnp("ingressDeny: [{fromEntities: [all]}]\nenableDefaultDeny: {ingress: false}"), WEB, "ingress", "isolated"),
    ("Valid=False: unknown", cnp("ingress: [{}]", status={"conditions": [{"type": "Valid", "status": "False"}]}), WEB, "ingress", "unknown"),
    ("a host pod is not isolatable by a CCNP", ccnp("ingress: [{}]"), HOST, "ingress", "not-isolatable"),
])
tap.finish()
