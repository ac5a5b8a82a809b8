#!/usr/bin/env python3
"""The oracle against hand-made cases of ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy."""
from cases import EVERYTHING, SMALL, pod, policy, reach_table, tap, verdict_table

WEB, DB, CLIENT, HOST = "a/web[Pod]", "a/db[Pod]", "b/client[Pod]", "b/host[Pod]"
REST4 = "0.0.0.0-255.255.255.255[External]"
REST6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]"
ALL = "{namespaces: {}}"
NO_TCP_80 = dict(EVERYTHING, TCP=[[1, 79], [81, 65535]])


def cnp(tier, priority, rules, subject=ALL):
    return policy("ClusterNetworkPolicy", "tier: %s\npriority: %d\nsubject: %s\n%s" % (tier, priority, subject, rules), name="%s%d" % (tier.lower(), priority))


def rule(action, peer=ALL, more=""):
    return "{action: %s, from: [%s]%s}" % (action, peer, more)


def ingress(*rules):
    return "ingress: [%s]" % ", ".join(rules)


def egress(*rules):
    return "egress: [%s]" % ", ".join(text.replace("from:", "to:") for text in rules)


def admin(rules, **more):
    spec = "priority: 1\nsubject: {namespaces: {matchLabels: {env: prod}}}\n" + rules
    return policy("AdminNetworkPolicy", spec, **more)


def baseline(rules):
    return policy("BaselineAdminNetworkPolicy", "subject: {namespaces: {}}\n" + rules, name="default")


DENY_NP = policy("NetworkPolicy", "podSelector: {}", name="np")
EGRESS_NP = policy("NetworkPolicy", "policyTypes: [Egress]\negress: [{}]", name="np")
OPEN_NP = policy("NetworkPolicy", "ingress: [{}]", name="np")
ONLY_DEV = "{namespaces: {matchLabels: {env: dev}}}"

reach_table([
    ("an Admin Deny denies", SMALL + [cnp("Admin", 1, ingress(rule("Deny")))], CLIENT, WEB, False),
    ("Admin rules say nothing about the outside", SMALL + [cnp("Admin", 1, ingress(rule("Deny")))], REST4, WEB, True),
    ("nor about nodes", SMALL + [cnp("Admin", 1, ingress(rule("Deny")))], HOST, WEB, True),
    ("host pods are no subjects", SMALL + [cnp("Admin", 1, ingress(rule("Deny")))], CLIENT, HOST, True),
    ("an Admin Accept beats a NetworkPolicy", SMALL + [DENY_NP, cnp("Admin", 1, ingress(rule("Accept")))], CLIENT, WEB, True),
    ("an Admin Deny beats a NetworkPolicy", SMALL + [OPEN_NP, cnp("Admin", 1, ingress(rule("Deny")))], CLIENT, WEB, False),
    ("the lower priority number wins", SMALL + [cnp("Admin", 1, ingress(rule("Accept"))), cnp("Admin", 2, ingress(rule("Deny")))], CLIENT, WEB, True),
    ("the first rule that matches wins", SMALL + [cnp("Admin", 1, ingress(rule("Accept"), rule("Deny")))], CLIENT, WEB, True),
    ("a rule that does not match the peer is passed over", SMALL + [cnp("Admin", 1, ingress(rule("Accept", ONLY_DEV), rule("Deny")))], DB, WEB, False),
    ("Pass skips the rest of its tier", SMALL + [cnp("Admin", 1, ingress(rule("Pass"))), cnp("Admin", 2, ingress(rule("Deny")))], CLIENT, WEB, True),
    ("after Pass a NetworkPolicy decides", SMALL + [DENY_NP, cnp("Admin", 1, ingress(rule("Pass")))], CLIENT, WEB, False),
    ("a Baseline Deny denies what nothing else says", SMALL + [cnp("Baseline", 1, ingress(rule("Deny")))], CLIENT, WEB, False),
    ("a NetworkPolicy's allow is final before Baseline", SMALL + [OPEN_NP, cnp("Baseline", 1, ingress(rule("Deny")))], CLIENT, WEB, True),
    ("nothing matched is allowed", SMALL + [cnp("Baseline", 1, ingress(rule("Deny", ONLY_DEV)))], DB, WEB, True),
    ("a Baseline Accept before a Baseline Deny", SMALL + [cnp("Baseline", 1, ingress(rule("Accept", ONLY_DEV), rule("Deny")))], CLIENT, WEB, True),
    ("a Baseline Accept against a NetworkPolicy is disputed", SMALL + [DENY_NP, cnp("Baseline", 1, ingress(rule("Accept")))], CLIENT, WEB, None),
    ("a Baseline Deny where a NetworkPolicy selects the other direction only is disputed",
     SMALL + [EGRESS_NP, cnp("Baseline", 1, ingress(rule("Deny")))], CLIENT, WEB, None),
    ("equal priorities that differ are unknown", SMALL + [cnp("Admin", 1, ingress(rule("Accept"))), dict(
        cnp("Admin", 1, ingress(rule("Deny"))), metadata={"name": "other"})], CLIENT, WEB, None),
    ("equal priorities that agree are not", SMALL + [cnp("Admin", 1, ingress(rule("Deny"))), dict(
        cnp("Admin", 1, ingress(rule("Deny"))), metadata={"name": "other"})], CLIENT, WEB, False),
    ("a subject by pods", SMALL + [cnp("Admin", 1, ingress(rule("Deny")), "{pods: {podSelector: {matchLabels: {app: db}}}}")], CLIENT, WEB, True),
    ("one port of one protocol", SMALL + [cnp("Admin", 1, ingress(rule("Deny", ALL, ", protocols: [{tcp: {destinationPort: {number: 80}}}]")))], CLIENT, WEB,
     NO_TCP_80),
    ("a protocol without ports is all of it", SMALL + [cnp("Admin", 1, ingress(rule("Deny", ALL, ", protocols: [{udp: {}}]")))], CLIENT, WEB,
     {"TCP": [[1, 65535]], "SCTP": [[1, 65535]]}),
    ("a range of ports", SMALL + [cnp("Admin", 1, ingress(rule("Deny", ALL, ", protocols: [{tcp: {destinationPort: {range: {start: 2, end: 65535}}}}]")))],
     CLIENT, WEB, dict(EVERYTHING, TCP=[[1, 1]])),
    ("a named port is of any protocol", SMALL + [cnp("Admin", 1, ingress(rule("Deny", ALL, ", protocols: [{destinationNamedPort: dns}]")))], CLIENT, WEB,
     dict(EVERYTHING, UDP=[[1, 52], [54, 65535]])),
    ("networks match the outside", SMALL + [cnp("Admin", 1, egress(rule("Deny", "{networks: [0.0.0.0/0]}")))], WEB, REST4, False),
    ("and pods' addresses", SMALL + [cnp("Admin", 1, egress(rule("Deny", "{networks: [0.0.0.0/0]}")))], WEB, CLIENT, False),
    ("but no other family", SMALL + [pod("a/dual", ["10.0.0.8", "fd00::8"]), cnp("Admin", 1, egress(rule("Deny", "{networks: [0.0.0.0/0]}")))], "a/dual[Pod]", REST6, True),
    ("nodes are not in the files", SMALL + [cnp("Admin", 1, egress(rule("Deny", "{nodes: {}}")))], WEB, REST4, None),
    ("nodes are no pods", SMALL + [cnp("Admin", 1, egress(rule("Deny", "{nodes: {}}")))], WEB, CLIENT, True),
    ("domain names may be anybody outside", SMALL + [cnp("Admin", 1, egress(rule("Accept", "{domainNames: [x.org]}"), rule(
        "Deny", "{networks: [0.0.0.0/0]}")))], WEB, REST4, None),
    ("AdminNetworkPolicy: Allow beats a NetworkPolicy", SMALL + [DENY_NP, admin(ingress(rule("Allow")))], CLIENT, WEB, True),
    ("AdminNetworkPolicy: the new shape is a plain selector", SMALL + [admin(ingress(rule("Deny", ONLY_DEV)))], CLIENT, WEB, False),
    ("AdminNetworkPolicy: the old shape holds a selector", SMALL + [admin(ingress(rule(
        "Deny", "{namespaces: {namespaceSelector: {matchLabels: {env: prod}}}}")))], CLIENT, WEB, True),
    ("sameLabels: the subject's own value", SMALL + [admin(ingress(rule("Deny", "{namespaces: {sameLabels: [env]}}")))], DB, WEB, False),
    ("sameLabels: another value", SMALL + [admin(ingress(rule("Deny", "{namespaces: {sameLabels: [env]}}")))], CLIENT, WEB, True),
    ("sameLabels: []: nobody", SMALL + [admin(ingress(rule("Deny", "{namespaces: {sameLabels: []}}")))], DB, WEB, True),
    ("notSameLabels", SMALL + [admin(ingress(rule("Deny", "{namespaces: {notSameLabels: [env]}}")))], CLIENT, WEB, False),
    ("notSameLabels: a namespace without the label is not selected", SMALL + [admin(ingress(rule("Deny", "{namespaces: {notSameLabels: [zone]}}")))], CLIENT,
     WEB, True),
    ("pods of the old shape", SMALL + [admin(ingress(rule("Deny", "{pods: {namespaces: {notSameLabels: [env]}, podSelector: {matchLabels: {app: x}}}}")))],
     CLIENT, WEB, True),
    ("portNumber without protocol is TCP", SMALL + [admin(ingress(rule("Deny", ALL, ", ports: [{portNumber: {port: 80}}]")))], CLIENT, WEB, NO_TCP_80),
    ("namedPort is of any protocol", SMALL + [admin(ingress(rule("Deny", ALL, ", ports: [{namedPort: dns}]")))], CLIENT, WEB,
     dict(EVERYTHING, UDP=[[1, 52], [54, 65535]])),
    ("BaselineAdminNetworkPolicy: last", SMALL + [baseline(ingress(rule("Deny")))], CLIENT, WEB, False),
    ("BaselineAdminNetworkPolicy: after a NetworkPolicy", SMALL + [OPEN_NP, baseline(ingress(rule("Deny")))], CLIENT, WEB, True),
])

OUTSIDE = "{networks: [0.0.0.0/0]}"
verdict_table([
    ("an ingress Deny of all pods is closed to pods, open to the outside", SMALL + [cnp("Baseline", 1, ingress(rule("Deny")))], WEB, "ingress",
     "selected-but-open"),
    ("with a NetworkPolicy it is isolated", SMALL + [DENY_NP, cnp("Admin", 1, ingress(rule("Deny")))], WEB, "ingress", "isolated"),
    ("a Deny of some pods isolates nothing", SMALL + [cnp("Admin", 1, ingress(rule("Deny", ONLY_DEV)))], WEB, "ingress", "open"),
    ("an egress Deny of networks of every family in use isolates", SMALL + [cnp("Baseline", 1, egress(rule("Deny", OUTSIDE)))], WEB, "egress", "isolated"),
    ("of one family of two it does not", [dict(item) for item in SMALL] + [dict(SMALL[2], metadata={"name": "six", "namespace": "a"}, status={
        "podIPs": [{"ip": "fd00::1"}]}), cnp("Baseline", 1, egress(rule("Deny", OUTSIDE)))], WEB, "egress", "open"),
    ("a Deny after Accepts is still isolation", SMALL + [cnp("Baseline", 1, egress(rule("Accept", ONLY_DEV), rule("Deny", OUTSIDE)))], WEB, "egress",
     "isolated"),
    ("an Admin Accept of everyone opens what a NetworkPolicy isolates", SMALL + [DENY_NP, cnp("Admin", 1, ingress(rule("Accept")))], WEB, "ingress",
     "selected-but-open"),
    ("an Admin Accept alone leaves it open", SMALL + [cnp("Admin", 1, ingress(rule("Accept")))], WEB, "ingress", "open"),
    ("an Admin Deny over an allow-all NetworkPolicy leaves the outside open", SMALL + [OPEN_NP, cnp("Admin", 1, ingress(rule("Deny")))], WEB, "ingress",
     "selected-but-open"),
])
tap.finish()
