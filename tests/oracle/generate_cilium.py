"""Random CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies."""
from vocabulary import CIDRS, PORT_NAMES

ENTITIES = ["world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "all", "init", "health", "unmanaged", "kube-apiserver",
            "ingress", "none"]


def prefixed(m, selector):
    """The same selector with keys as Cilium also writes them."""
    def key_of(key):
        return m.random.choice(["", "", "k8s:", "any:"]) + key
    answer = {}
    if "matchLabels" in selector:
        answer["matchLabels"] = {key_of(key): value for key, value in selector["matchLabels"].items()}
    if "matchExpressions" in selector:
        answer["matchExpressions"] = [dict(item, key=key_of(item["key"])) for item in selector["matchExpressions"]]
    return answer


def endpoint_selector(m, peers, subject=False):
    selector = prefixed(m, m.pod_selector())
    roll = m.random.random()
    if peers and roll < 0.15:
        selector.setdefault("matchLabels", {})["k8s:io.kubernetes.pod.namespace"] = m.random.choice(m.namespaces)
    elif peers and roll < 0.25:
        key = "k8s:io.kubernetes.pod.namespace"
        selector.setdefault("matchExpressions", []).append({"key": key, "operator": "Exists"} if m.maybe(0.5) else
                                                           {"key": key, "operator": "In", "values": m.namespaces[:1]})
    elif peers and roll < 0.4:
        key = m.random.choice(["env", "team", "team" if subject else "kubernetes.io/metadata.name"])
        value = {"env": "prod", "team": "a"}.get(key, m.namespaces[0])
        selector.setdefault("matchLabels", {})["k8s:io.cilium.k8s.namespace.labels." + key] = value
    if m.maybe(0.06):
        selector.setdefault("matchLabels", {})["io.cilium.k8s.policy.serviceaccount"] = m.random.choice(["robot", "default"])
    return selector


def cidr_set(m):
    cidr, inner = m.random.choice(CIDRS)
    item = {"cidr": cidr}
    if inner and m.maybe(0.4):
        item["except"] = [m.random.choice(inner)]
    return item


def to_ports(m, deny):
    entries = []
    for _ in range(m.random.choice([1, 1, 1, 2])):
        ports = []
        for _ in range(m.random.choice([1, 1, 2])):
            item = {}
            if m.maybe(0.25):
                item["port"] = m.random.choice(PORT_NAMES)
            else:
                first = m.random.choice([0, m.number(), m.number(), m.number()])
                item["port"] = str(first)
                if first and m.maybe(0.3):
                    item["endPort"] = m.end_of(first)
            if m.maybe(0.7):
                item["protocol"] = m.random.choice(["TCP", "UDP", "SCTP", "ANY"])
            ports.append(item)
        made = {"ports": ports if not m.maybe(0.03) else []}
        if not deny and m.maybe(0.05) and all(p.get("protocol") == "TCP" and p["port"] != "0" for p in made["ports"]):
            made["rules"] = {"http": [{"method": "GET"}]}
        entries.append(made)
    return entries


def entry(m, side, deny):
    made = {}
    roll = m.random.random()
    if roll < 0.4:
        made[side + "Endpoints"] = [endpoint_selector(m, True) for _ in range(m.random.choice([0, 1, 1, 1, 2]))]
    elif roll < 0.62:
        made[side + "Entities"] = m.random.sample(ENTITIES, m.random.choice([1, 1, 2]))
    elif roll < 0.72:
        made[side + "CIDR"] = [m.network() for _ in range(m.random.choice([1, 1, 2]))]
    elif roll < 0.84:
        made[side + "CIDRSet"] = [cidr_set(m) for _ in range(m.random.choice([1, 1, 2]))]
    elif roll < 0.9:
        field, items = m.random.choice(rare_peers(side, deny))
        made[side + field] = items
    if m.maybe(0.04):
        made["icmps"] = [{"fields": [{"type": 8}]}]
    elif m.maybe(0.5):
        made["toPorts"] = to_ports(m, deny)
    return made


def rare_peers(side, deny):
    """Peers that a file cannot resolve."""
    found = [("CIDRSet", [{"cidrGroupRef": "group"}]), ("CIDRSet", [{"cidr": "10.0.0.0/8"}, {"cidrGroupRef": "group"}]),
             ("Nodes", [{"matchLabels": {"zone": "a"}}]), ("Groups", [{"aws": {"labels": {"a": "b"}}}])]
    if side == "to":
        found.append(("Services", [{"k8sService": {"serviceName": "s", "namespace": "shop"}}]))
        if not deny:
            found.append(("FQDNs", [{"matchName": "example.com"}]))
    return found


def rule(m, namespaced):
    while True:
        spec = {"endpointSelector": endpoint_selector(m, not namespaced or m.maybe(0.05), True)}
        entries = 0
        for section, side, deny in (("ingress", "from", False), ("ingressDeny", "from", True), ("egress", "to", False), ("egressDeny", "to", True)):
            if m.maybe(0.25 if deny else 0.55):
                spec[section] = [entry(m, side, deny) for _ in range(m.random.choice([0, 1, 1, 1, 2]))]
                entries += len(spec[section])
        if m.maybe(0.25):
            spec["enableDefaultDeny"] = {d: m.maybe(0.3) for d in m.random.sample(["ingress", "egress"], m.random.choice([1, 2]))}
        if entries:
            break
    if not namespaced and m.maybe(0.05):  # a rule for hosts
        spec["nodeSelector"] = spec.pop("endpointSelector")
    return spec


def policy(m, number):
    namespaced = m.maybe(0.65)
    obj = {"apiVersion": "cilium.io/v2"}
    if namespaced:
        obj.update(kind="CiliumNetworkPolicy", metadata=m.meta("cil%d" % number, m.random.choice(m.namespaces)))
    else:
        obj.update(kind="CiliumClusterwideNetworkPolicy", metadata={"name": "cil%d" % number})
    roll = m.random.random()
    if roll < 0.85:
        obj["spec"] = rule(m, namespaced)
    if roll >= 0.75:
        obj["specs"] = [rule(m, namespaced) for _ in range(m.random.choice([1, 2]))]
    if m.maybe(0.1):
        status = m.random.choice(["True", "False", "False"])
        obj["status"] = {"conditions": [{"type": "Valid", "status": status, "message": "text", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    return obj


def policies(m):
    return [policy(m, i) for i in range(m.random.choice([1, 2, 2, 3]))]
