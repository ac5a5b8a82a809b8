#!/usr/bin/env python3
"""The oracle against hand-made cases of networking.k8s.io/v1 NetworkPolicy."""
from cases import SMALL, namespace, pod, policy, reach_table, tap, verdict_table

WEB, DB, CLIENT, HOST = "a/web[Pod]", "a/db[Pod]", "b/client[Pod]", "b/host[Pod]"
REST4 = "0.0.0.0-255.255.255.255[External]"
REST6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]"
DUAL = [namespace("a"), namespace("b"), pod("a/dual", ["10.0.0.8", "fd00::8"])]
TCP_ALL = {"TCP": [[1, 65535]]}


def with_policy(*specs):
    return SMALL + [policy("NetworkPolicy", spec, name="p%d" % i) for i, spec in enumerate(specs)]


def ports(text):
    return with_policy("podSelector: {}\ningress: [{ports: %s}]" % text)


def ingress(text):
    return with_policy("podSelector: {}\ningress: [%s]" % text)


def egress(text):
    return with_policy("podSelector: {}\npolicyTypes: [Egress]\negress: [%s]" % text)


reach_table([
    ("without policies everyone reaches everyone", SMALL, CLIENT, WEB, True),
    ("without policies the outside reaches pods", SMALL, REST4, WEB, True),
    ("an absent podSelector selects all pods of the namespace", with_policy("policyTypes: [Ingress]"), CLIENT, WEB, False),
    ("a null podSelector does too", with_policy("podSelector: null"), CLIENT, DB, False),
    ("a policy selects only in its own namespace", with_policy("podSelector: {}"), WEB, CLIENT, True),
    ("absent policyTypes without egress leaves egress alone", with_policy("podSelector: {}"), WEB, CLIENT, True),
    ("egress: [] without policyTypes does nothing to egress", with_policy("podSelector: {}\negress: []"), WEB, CLIENT, True),
    ("an egress rule without policyTypes isolates egress", with_policy("podSelector: {}\negress: [{ports: [{port: 53}]}]"), WEB, CLIENT,
     {"TCP": [[53, 53]]}),
    ("policyTypes: [] is defaulted like an absent one", with_policy("podSelector: {}\npolicyTypes: []\negress: [{ports: [{port: 53}]}]"), WEB, CLIENT,
     {"TCP": [[53, 53]]}),
    ("policyTypes [Egress] leaves ingress alone though ingress has a rule",
     with_policy("podSelector: {}\npolicyTypes: [Egress]\ningress: [{ports: [{port: 1}]}]"), CLIENT, WEB, True),
    ("an empty rule allows everything", ingress("{}"), CLIENT, WEB, True),
    ("an empty from means everyone", ingress("{from: []}"), REST4, WEB, True),
    ("empty ports mean every port", ingress("{from: [{podSelector: {}}], ports: []}"), DB, WEB, True),
    ("a ports item without protocol is TCP, without port every port", ports("[{}]"), CLIENT, WEB, TCP_ALL),
    ("endPort makes a range with both ends", ports("[{port: 80, endPort: 82}]"), CLIENT, WEB, {"TCP": [[80, 82]]}),
    ("a named port is the pod's own", ports("[{port: http}]"), CLIENT, WEB, {"TCP": [[8080, 8080]]}),
    ("a named port that the pod lacks matches nothing", ports("[{port: http}]"), CLIENT, DB, False),
    ("a named port needs the protocol too", ports("[{port: dns}]"), CLIENT, WEB, False),
    ("a named port of UDP is found as UDP", ports("[{port: dns, protocol: UDP}]"), CLIENT, WEB, {"UDP": [[53, 53]]}),
    ("on egress a named port is the destination's", with_policy("podSelector: {matchLabels: {app: db}}\negress: [{ports: [{port: http}]}]"), DB, WEB,
     {"TCP": [[8080, 8080]]}),
    ("a named port never matches the outside", egress("{ports: [{port: http}]}"), DB, REST4, False),
    ("a named port never matches an ipBlock, even on a pod's address",
     with_policy("podSelector: {matchLabels: {app: db}}\negress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: http}]}]"), DB, WEB, False),
    ("neighbouring ranges are one", ports("[{port: 80, endPort: 82}, {port: 83}]"), CLIENT, WEB, {"TCP": [[80, 83]]}),
    ("a podSelector alone means the policy's namespace", ingress("{from: [{podSelector: {matchLabels: {app: client}}}]}"), CLIENT, WEB, False),
    ("a podSelector alone admits its own", ingress("{from: [{podSelector: {}}]}"), DB, WEB, True),
    ("a namespaceSelector alone means all its pods", ingress("{from: [{namespaceSelector: {matchLabels: {env: dev}}}]}"), CLIENT, WEB, True),
    ("both selectors in one peer must hold", ingress("{from: [{namespaceSelector: {matchLabels: {env: dev}}, podSelector: {matchLabels: {app: x}}}]}"),
     CLIENT, WEB, False),
    ("two peers: either will do", ingress("{from: [{namespaceSelector: {matchLabels: {env: dev}}}, {podSelector: {matchLabels: {app: x}}}]}"), CLIENT, WEB,
     True),
    ("the namespace's name is a label", ingress("{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}"), CLIENT, WEB, True),
    ("NotIn matches what lacks the key", ingress("{from: [{namespaceSelector: {matchExpressions: [{key: zone, operator: NotIn, values: [x]}]}}]}"), CLIENT,
     WEB, True),
    ("DoesNotExist", ingress("{from: [{namespaceSelector: {matchExpressions: [{key: env, operator: DoesNotExist}]}}]}"), CLIENT, WEB, False),
    ("Exists", ingress("{from: [{namespaceSelector: {matchExpressions: [{key: env, operator: Exists}]}}]}"), CLIENT, WEB, True),
    ("selectors match no outside", ingress("{from: [{namespaceSelector: {}}]}"), REST4, WEB, False),
    ("an ipBlock matches pod addresses", ingress("{from: [{ipBlock: {cidr: 10.0.0.3/32}}]}"), CLIENT, WEB, True),
    ("one address further it does not", ingress("{from: [{ipBlock: {cidr: 10.0.0.4/32}}]}"), CLIENT, WEB, False),
    ("an except takes a pod's address out", ingress("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.2/31]}}]}"), CLIENT, WEB, False),
    ("a pod without address matches no ipBlock", SMALL + [pod("b/new"), policy("NetworkPolicy", "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")],
     "b/new[Pod]", WEB, False),
    ("ranges are cut where policies name a border", ingress("{from: [{ipBlock: {cidr: 11.0.0.0/8}}]}"), "11.0.0.0-11.255.255.255[External]", WEB, True),
    ("and just beyond it is another", ingress("{from: [{ipBlock: {cidr: 11.0.0.0/8}}]}"), "12.0.0.0-255.255.255.255[External]", WEB, False),
    ("a range that only pods have is no outside", ingress("{from: [{ipBlock: {cidr: 10.0.0.3/32}}]}"), "10.0.0.3-10.0.0.3[External]", WEB,
     "no peer 10.0.0.3-10.0.0.3[External]"),
    ("IPv6 is cut by itself", DUAL + [policy("NetworkPolicy", "ingress: [{from: [{ipBlock: {cidr: 8000::/1}}]}]")],
     "8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]", "a/dual[Pod]", True),
    ("a pod with IPv4 alone is not reached over IPv6", SMALL, REST6, WEB, False),
    ("both sides must allow the same family", DUAL + [pod("b/dual", ["10.0.0.9", "fd00::9"]), policy(
        "NetworkPolicy", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"), policy(
        "NetworkPolicy", "policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 'fd00::/8'}}]}]", where="b")], "b/dual[Pod]", "a/dual[Pod]", False),
    ("allows of several policies unite", with_policy("ingress: [{ports: [{port: 1}]}]", "ingress: [{ports: [{port: 3}]}]"), CLIENT, WEB,
     {"TCP": [[1, 1], [3, 3]]}),
    ("both sides must allow", with_policy("ingress: [{ports: [{port: 1, endPort: 5}]}]", "egress: [{ports: [{port: 5, endPort: 9}]}]\npolicyTypes: [Egress]"),
     DB, WEB, {"TCP": [[5, 5]]}),
    ("a host pod's traffic is a node's: what is denied is unknown", ingress("{from: [{podSelector: {}}]}"), HOST, WEB, None),
    ("no selector matches a host pod", ingress("{from: [{namespaceSelector: {}}]}"), HOST, WEB, None),
    ("an ipBlock matches a host pod's address", ingress("{from: [{ipBlock: {cidr: 10.9.9.9/32}}]}"), HOST, WEB, True),
    ("no policy isolates a host pod", SMALL + [policy("NetworkPolicy", "podSelector: {}", where="b")], WEB, HOST, True),
    ("egress to a host pod that is denied is unknown", egress("{to: [{namespaceSelector: {}}]}"), WEB, HOST, None),
])

PAIR = [namespace("a")] + [dict(pod("a/r-%d" % i, "10.0.0.%d" % i, app="r"), metadata={
    "name": "r-%d" % i, "namespace": "a", "labels": {"app": "r", "pod-template-hash": "abc"}, "ownerReferences": [
        {"kind": "ReplicaSet", "name": "r-abc", "controller": True, "apiVersion": "apps/v1", "uid": "u"}]}) for i in (1, 2)]
reach_table([
    ("pods of one Deployment are one peer", PAIR + [pod("a/o", "10.0.0.9")], "a/o[Pod]", "a/r[Deployment]", True),
    ("some pod that is allowed is enough", PAIR + [pod("a/o", "10.0.0.9"), policy("NetworkPolicy", "policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 10.0.0.2/32}}]}]")],
     "a/o[Pod]", "a/r[Deployment]", True),
])

ALL_OUTSIDE = "ingress: [{from: [{ipBlock: {cidr: %s}}]}]"
verdict_table([
    ("no policy: open", SMALL, WEB, "ingress", "open"),
    ("selected: isolated", with_policy("podSelector: {}"), WEB, "ingress", "isolated"),
    ("only in its direction", with_policy("podSelector: {}"), WEB, "egress", "open"),
    ("a host pod: not isolatable", with_policy("podSelector: {}"), HOST, "ingress", "not-isolatable"),
    ("an allow-all does not protect", ingress("{}"), WEB, "ingress", "selected-but-open"),
    ("every port of UDP is enough", ports("[{protocol: UDP}]"), WEB, "ingress", "selected-but-open"),
    ("every port of SCTP is not", ports("[{protocol: SCTP}]"), WEB, "ingress", "isolated"),
    ("ports 1 to 65535 are every port", ports("[{port: 1, endPort: 65535}]"), WEB, "ingress", "selected-but-open"),
    ("all but one are not", ports("[{port: 2, endPort: 65535}]"), WEB, "ingress", "isolated"),
    ("two ranges that meet are", ports("[{port: 1, endPort: 80}, {port: 81, endPort: 65535}]"), WEB, "ingress", "selected-but-open"),
    ("every pod of every namespace", ingress("{from: [{namespaceSelector: {}}]}"), WEB, "ingress", "selected-but-open"),
    ("every pod of one namespace is not", ingress("{from: [{podSelector: {}}]}"), WEB, "ingress", "isolated"),
    ("In and NotIn of one value together are every namespace",
     ingress("{from: [{namespaceSelector: {matchLabels: {env: dev}}}, {namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [dev]}]}}]}"),
     WEB, "ingress", "selected-but-open"),
    ("Exists and one missing value are not",
     ingress("{from: [{namespaceSelector: {matchExpressions: [{key: env, operator: Exists}]}}]}"), WEB, "ingress", "isolated"),
    ("everyone outside in one block", with_policy(ALL_OUTSIDE % "0.0.0.0/0"), WEB, "ingress", "selected-but-open"),
    ("everyone outside in two blocks", ingress("{from: [{ipBlock: {cidr: 0.0.0.0/1}}, {ipBlock: {cidr: 128.0.0.0/1}}]}"), WEB, "ingress",
     "selected-but-open"),
    ("everyone outside of IPv6", with_policy(ALL_OUTSIDE % "'::/0'"), WEB, "ingress", "selected-but-open"),
    ("less one address", ingress("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32, 8.8.8.8/32]}}]}"), WEB, "ingress", "selected-but-open"),
    ("less the private networks", ingress("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]}}]}"), WEB, "ingress",
     "selected-but-open"),
    ("less a sixteenth is not everyone", ingress("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [16.0.0.0/4]}}]}"), WEB, "ingress", "isolated"),
    ("the private networks alone are not everyone", with_policy(ALL_OUTSIDE % "10.0.0.0/8"), WEB, "ingress", "isolated"),
    ("an allow of another policy counts", with_policy("podSelector: {}", "podSelector: {matchLabels: {app: web}}\ningress: [{}]"), WEB, "ingress",
     "selected-but-open"),
    ("an allow for another pod does not", with_policy("podSelector: {}", "podSelector: {matchLabels: {app: db}}\ningress: [{}]"), WEB, "ingress",
     "isolated"),
    ("an empty egress with policyTypes isolates", with_policy("policyTypes: [Egress]"), WEB, "egress", "isolated"),
])
tap.finish()
