"""One policy of a world made malformed, as SEMANTICS lists it; what may then be said of the world."""
import copy

from compare import flat

POLICIES = {"NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "CiliumNetworkPolicy",
            "CiliumClusterwideNetworkPolicy"}

NETWORK_RULES = [
    {"from": [{}]}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]},
    {"from": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}, {"from": [{"ipBlock": {"cidr": "010.0.0.0/8"}}]}, {"from": [{"ipBlock": {"cidr": ""}}]},
    {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["fd00::/8"]}}]},
    {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]}, {"form": []}, {"from": [{"podSelector": {}, "ports": []}]},
    {"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "In"}]}}]},
    {"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["x"]}]}}]},
    {"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "Is", "values": ["x"]}]}}]},
    {"from": [{"podSelector": {"matchLabels": {"not a key": "x"}}}]}, {"from": [{"podSelector": {"matchLabels": {"app": "-x"}}}]},
    {"ports": [{"port": 0}]}, {"ports": [{"port": 65536}]}, {"ports": [{"port": "80"}]}, {"ports": [{"port": "a--b"}]}, {"ports": [{"port": "-a"}]},
    {"ports": [{"port": "abcdefghijklmnop"}]}, {"ports": [{"port": 80, "endPort": 79}]}, {"ports": [{"endPort": 80}]},
    {"ports": [{"port": "http", "endPort": 80}]}, {"ports": [{"port": 80, "protocol": "tcp"}]}, {"ports": [{"port": 80, "protocol": "ICMP"}]}]
NETWORK_SPECS = [{"policyTypes": ["Ingress", "Egress", "Ingress"]}, {"policyTypes": ["ingress"]}, {"podselector": {}}]

CLUSTER_RULES = [
    {"action": "Allow", "from": [{"namespaces": {}}]}, {"action": "Deny", "from": []}, {"action": "Deny", "from": [{"namespaces": {}, "pods": {"podSelector": {}}}]},
    {"action": "Deny", "from": [{"namespaces": {}}], "protocols": [{"tcp": {"destinationPort": {"range": {"start": 9, "end": 8}}}}]},
    {"action": "Deny", "from": [{"namespaces": {}}], "protocols": [{"tcp": {"destinationPort": {"number": 65536}}}]},
    {"action": "Deny", "from": [{"namespaces": {}}], "ports": []}]
CLUSTER_SPECS = [{"priority": 1001}, {"priority": -1}, {"tier": "admin"}, {"subject": {}}, {"subject": {"namespaces": {}, "pods": {"podSelector": {}}}}]

ADMIN_RULES = [
    {"action": "Accept", "from": [{"namespaces": {}}]}, {"action": "Deny", "from": []},
    {"action": "Deny", "from": [{"namespaces": {}}], "ports": [{"portNumber": {"port": 80}, "namedPort": "http"}]},
    {"action": "Deny", "from": [{"namespaces": {}}], "ports": [{"portRange": {"start": 9, "end": 8}}]}]
ADMIN_SPECS = [{"subject": {}}, {"subject": {"namespaces": {}, "pods": {"podSelector": {}}}}]

CILIUM_RULES = [
    {"fromEndpoints": [{}], "fromEntities": ["all"]}, {"fromEntities": ["everybody"]}, {"fromCIDR": ["10.0.0.0/33"]},
    {"icmps": [{"fields": [{"type": 8}]}], "toPorts": [{"ports": [{"port": "80"}]}]}]


def spoil(m, objects):
    """(the objects with one malformed, the place of it), or None where there is no policy."""
    places = [i for i, obj in enumerate(objects) if obj["kind"] in POLICIES]
    if not places:
        return None
    place = m.random.choice(places)
    objects = copy.deepcopy(objects)
    obj = objects[place]
    kind = obj["kind"]
    if kind.startswith("Cilium"):
        obj["spec"] = {"endpointSelector": {}, "ingress": [m.random.choice(CILIUM_RULES)]}
        return objects, place
    rules, specs = {"NetworkPolicy": (NETWORK_RULES, NETWORK_SPECS), "ClusterNetworkPolicy": (CLUSTER_RULES, CLUSTER_SPECS)}.get(
        kind, (ADMIN_RULES, ADMIN_SPECS))
    if kind == "BaselineAdminNetworkPolicy" and m.maybe(0.3):
        obj["metadata"]["name"] = "another"
    elif m.maybe(0.3):
        obj["spec"].update(m.random.choice(specs))
    else:
        obj["spec"].setdefault("ingress", []).append(m.random.choice(rules))
    return objects, place


def difference(rest, theirs, spoiled):
    """What is wrong in the engine's answer to a world with one malformed object, when `rest` is the oracle's without it: the object is
    complained of and no other, and what is said is as if it were not there, or unknown."""
    named = {(item["kind"], item["name"]) for item in theirs.get("complaints", ())}
    wanted = {(spoiled["kind"], spoiled["metadata"]["name"])}
    lines = [] if named == wanted else ["complaints of %s, wanted of %s" % (sorted(named), sorted(wanted))]
    mine, other = flat(rest), flat(theirs)
    for fact in sorted(set(mine) | set(other)):
        unknown = other.get(fact) == "unknown" or isinstance(other.get(fact), tuple)
        if mine.get(fact) != other.get(fact) and not unknown:
            lines.append("%s: oracle, without the malformed object, %s, engine %s" % (fact, mine.get(fact), other.get(fact)))
    return lines
