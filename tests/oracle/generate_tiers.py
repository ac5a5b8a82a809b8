"""Random ClusterNetworkPolicies, AdminNetworkPolicies (both shapes) and a BaselineAdminNetworkPolicy."""
from vocabulary import PORT_NAMES


def subject(m):
    if m.maybe(0.5):
        return {"namespaces": m.namespace_selector()}
    pods = {"podSelector": m.pod_selector()}
    if m.maybe(0.8):
        pods["namespaceSelector"] = m.namespace_selector()
    return {"pods": pods}


def protocols(m, named):
    items = []
    for _ in range(m.random.choice([1, 1, 2])):
        if named and m.maybe(0.25):
            items.append({"destinationNamedPort": m.random.choice(PORT_NAMES)})
            continue
        first = m.number()
        last = m.end_of(first)
        body = {"destinationPort": {"range": {"start": first, "end": last}} if m.maybe(0.4) and last > first else {"number": first}}
        items.append({m.random.choice(["tcp", "tcp", "udp", "sctp"]): body})
    return items


def cluster_peer(m, egress, action):
    roll = m.random.random()
    if egress and roll < 0.3:
        return {"networks": sorted({m.network() for _ in range(m.random.choice([1, 1, 2]))})}
    if egress and roll < 0.36:
        return {"nodes": m.selector({"zone": ["a", "b"]})}
    if egress and roll < 0.42 and action == "Accept":
        return {"domainNames": ["example.com"]}
    return subject(m)


def cluster_rule(m, direction):
    egress = direction == "egress"
    action = m.random.choice(["Accept", "Deny", "Pass"])
    peers = [cluster_peer(m, egress, action) for _ in range(m.random.choice([1, 1, 2]))]
    rule = {"action": action, "to" if egress else "from": peers}
    if m.maybe(0.5):
        named = not any(key in peer for peer in peers for key in ("networks", "nodes", "domainNames"))
        rule["protocols"] = protocols(m, named)
    if m.maybe(0.3):
        rule["name"] = "a rule"
    return rule


def cluster_policy(m, number):
    spec = {"tier": m.random.choice(["Admin", "Baseline"]), "priority": m.random.choice([0, 1, 1, 2, 1000]), "subject": subject(m)}
    for direction in ("ingress", "egress"):
        if m.maybe(0.65):
            spec[direction] = [cluster_rule(m, direction) for _ in range(m.random.choice([0, 1, 1, 2, 2]))]
    return {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": "cnp%d" % number}, "spec": spec}


def cluster_policies(m):
    return [cluster_policy(m, i) for i in range(m.random.choice([1, 2, 2, 3]))]


# ---- AdminNetworkPolicy, BaselineAdminNetworkPolicy

def old_namespaces(m):
    roll = m.random.random()
    if roll < 0.4:
        return {"namespaceSelector": m.namespace_selector()}
    keys = m.random.sample(["env", "team"], m.random.choice([1, 1, 2, 0]))
    return {"sameLabels" if roll < 0.7 else "notSameLabels": keys}


def admin_peer(m, egress, old):
    if egress and m.maybe(0.25):
        return {"networks": [m.network()]} if m.maybe(0.8) else {"nodes": m.selector({"zone": ["a", "b"]})}
    if not old:
        return subject(m)
    if m.maybe(0.5):
        return {"namespaces": old_namespaces(m)}
    return {"pods": {"namespaces": old_namespaces(m), "podSelector": m.pod_selector()}}


def admin_ports(m, named):
    items = []
    for _ in range(m.random.choice([1, 1, 2])):
        if named and m.maybe(0.25):
            items.append({"namedPort": m.random.choice(PORT_NAMES)})
            continue
        protocol = {"protocol": m.random.choice(["TCP", "UDP", "SCTP"])} if m.maybe(0.7) else {}
        first = m.number()
        last = m.end_of(first)
        if m.maybe(0.4) and last > first:
            items.append({"portRange": dict(protocol, start=first, end=last)})
        else:
            items.append({"portNumber": dict(protocol, port=first)})
    return items


def admin_rule(m, direction, actions, old):
    egress = direction == "egress"
    peers = [admin_peer(m, egress, old) for _ in range(m.random.choice([1, 1, 2]))]
    rule = {"action": m.random.choice(actions), "to" if egress else "from": peers}
    if m.maybe(0.5):
        rule["ports"] = admin_ports(m, not any(key in peer for peer in peers for key in ("networks", "nodes")))
    return rule


def admin_policy(m, kind, name, actions):
    old = m.maybe(0.5)
    spec = {"subject": subject(m)}
    if kind == "AdminNetworkPolicy":
        spec["priority"] = m.random.choice([0, 1, 1, 2, 99])
    for direction in ("ingress", "egress"):
        if m.maybe(0.65):
            spec[direction] = [admin_rule(m, direction, actions, old) for _ in range(m.random.choice([0, 1, 1, 2, 2]))]
    return {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def admin_policies(m):
    found = [admin_policy(m, "AdminNetworkPolicy", "anp%d" % i, ["Allow", "Deny", "Pass"]) for i in range(m.random.choice([0, 1, 2]))]
    if not found or m.maybe(0.5):
        found.append(admin_policy(m, "BaselineAdminNetworkPolicy", "default", ["Allow", "Deny"]))
    return found
