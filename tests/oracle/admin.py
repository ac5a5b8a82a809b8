"""ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 of policy.networking.k8s.io."""
from labels import Block, MAYBE, parse_selector, selects
from peers import Addresses, Always, Elsewhere, Pods, Rule, SameLabels
from ports import FIRST, LAST, PortSpec

OLD_SHAPE = ("namespaceSelector", "sameLabels", "notSameLabels")


def parse_protocols(items):
    """ClusterNetworkPolicy's `protocols`."""
    if items is None or not items:
        return None
    specs = []
    for item in items:
        if item.get("destinationNamedPort"):
            specs.append(PortSpec(None, name=item["destinationNamedPort"]))
            continue
        for word in ("tcp", "udp", "sctp"):
            if item.get(word) is None:
                continue
            port = item[word].get("destinationPort")
            if port is None:
                specs.append(PortSpec(word.upper(), FIRST, LAST))
            elif port.get("range"):
                specs.append(PortSpec(word.upper(), port["range"]["start"], port["range"]["end"]))
            else:
                specs.append(PortSpec(word.upper(), port["number"], port["number"]))
    return specs


def parse_ports(items):
    """AdminNetworkPolicy's `ports`."""
    if not items:
        return None
    specs = []
    for item in items:
        if item.get("namedPort"):
            specs.append(PortSpec(None, name=item["namedPort"]))
        elif item.get("portRange"):
            span = item["portRange"]
            specs.append(PortSpec(span.get("protocol") or "TCP", span["start"], span["end"]))
        else:
            port = item["portNumber"]
            specs.append(PortSpec(port.get("protocol") or "TCP", port["port"], port["port"]))
    return specs


def parse_namespaces(namespaces, needs):
    """A `namespaces` of a peer, in either shape."""
    if not any(key in namespaces for key in OLD_SHAPE):
        return Pods(needs, parse_selector(namespaces))
    if "sameLabels" in namespaces:
        return SameLabels(namespaces["sameLabels"] or [], True, needs)
    if "notSameLabels" in namespaces:
        return SameLabels(namespaces["notSameLabels"] or [], False, needs)
    return Pods(needs, parse_selector(namespaces["namespaceSelector"]))


def parse_peer(peer, pods_by_address):
    if peer.get("namespaces") is not None:
        return parse_namespaces(peer["namespaces"], None)
    if peer.get("pods") is not None:
        pods = peer["pods"]
        needs = parse_selector(pods.get("podSelector"))
        if pods.get("namespaces") is not None:
            return parse_namespaces(pods["namespaces"], needs)
        return Pods(needs, parse_selector(pods.get("namespaceSelector")))
    if peer.get("networks"):
        return Addresses([Block(text) for text in peer["networks"]], pods_by_address)
    if peer.get("nodes") is not None or peer.get("domainNames"):
        return Elsewhere()
    return None  # a peer of a later version of the API


class TierPolicy:
    """A policy of a tier: `tier` is "Admin" or "Baseline"."""

    doubtful = False

    def __init__(self, obj, pods_by_address):
        spec = obj["spec"]
        kind = obj["kind"]
        if kind == "ClusterNetworkPolicy":
            self.tier, self.priority = spec["tier"], spec["priority"]
        else:
            self.tier = "Admin" if kind == "AdminNetworkPolicy" else "Baseline"
            self.priority = spec.get("priority", 0)
        self.family = "cluster" if kind == "ClusterNetworkPolicy" else "admin"
        subject = spec["subject"]
        if subject.get("namespaces") is not None:
            self.subject = Pods(None, parse_selector(subject["namespaces"]))
        else:
            self.subject = Pods(parse_selector(subject["pods"].get("podSelector")),
                                parse_selector(subject["pods"].get("namespaceSelector")))
        self.rules = {}
        for direction, key in (("ingress", "from"), ("egress", "to")):
            self.rules[direction] = [made for rule in spec.get(direction) or [] for made in self.parse_rule(rule, key, pods_by_address)]

    def parse_rule(self, rule, key, pods_by_address):
        """One rule; where a peer has no field that we know, before it one for that peer: Accept matches nothing, the others deny, perhaps."""
        action = "Accept" if rule["action"] == "Allow" else rule["action"]
        ports = parse_protocols(rule.get("protocols")) if self.family == "cluster" else parse_ports(rule.get("ports"))
        peers = [parse_peer(peer, pods_by_address) for peer in rule[key]]
        if None in peers and action != "Accept":
            yield Rule([Always(MAYBE)], None, "Deny")
        yield Rule([peer for peer in peers if peer is not None], ports, action)

    def selects(self, pod):
        return self.subject.matches(pod, pod)

    def bears_on(self, space):
        return selects(self.subject.namespace_needs, space.namespace_labels)

    def rules_in_force(self, direction):
        return self.rules[direction]

    def all_rules(self):
        return self.rules["ingress"] + self.rules["egress"]

    def outcomes(self, space, direction, subject, end, destination, without_allows):
        """{action: points where it may be this policy's answer}; None: points where it may have no answer."""
        answer = nothing(space)
        left = space.full
        for rule in self.rules[direction]:
            if without_allows and rule.action == "Accept":
                continue
            sure, possible = rule.match(space, subject, end, destination)
            answer[rule.action] |= left & possible
            left &= ~sure
        answer[None] = left
        return answer


def nothing(space):
    return {"Accept": 0, "Deny": 0, "Pass": 0, None: space.full}


def either(space, outcomes):
    """Of answers between which no order is defined: where they differ, either may win."""
    answer = nothing(space)
    for mine in outcomes:
        for action in ("Accept", "Deny", "Pass"):
            answer[action] |= mine[action]
        answer[None] &= mine[None]
    return answer
