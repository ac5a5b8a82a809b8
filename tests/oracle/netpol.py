"""NetworkPolicy of networking.k8s.io/v1."""
from labels import NO, Block, parse_selector, selects_end
from peers import Addresses, Pods, Rule
from ports import FIRST, LAST, PortSpec
from world import namespace_of


def parse_ports(items):
    if not items:
        return None  # absent or empty: every protocol, every port
    specs = []
    for item in items:
        protocol, port = item.get("protocol") or "TCP", item.get("port")
        if port is None:
            specs.append(PortSpec(protocol, FIRST, LAST))
        elif isinstance(port, str):
            specs.append(PortSpec(protocol, name=port))
        else:
            specs.append(PortSpec(protocol, port, item.get("endPort") or port))
    return specs


def parse_peer(peer, namespace, pods_by_address):
    if peer.get("ipBlock") is not None:
        block = peer["ipBlock"]
        return Addresses([Block(block["cidr"], block.get("except"))], pods_by_address)
    pods, spaces = peer.get("podSelector"), peer.get("namespaceSelector")
    needs = None if pods is None else parse_selector(pods)
    if spaces is None:
        return Pods(needs, None, namespace)
    return Pods(needs, parse_selector(spaces))


class NetworkPolicy:
    doubtful = False

    def __init__(self, obj, pods_by_address):
        spec = obj.get("spec") or {}
        self.namespace = namespace_of(obj)
        self.needs = parse_selector(spec.get("podSelector"))
        self.rules = {}
        for direction, key in (("ingress", "from"), ("egress", "to")):
            self.rules[direction] = [
                Rule([parse_peer(p, self.namespace, pods_by_address) for p in rule[key]] if rule.get(key) else None,
                     parse_ports(rule.get("ports")))
                for rule in spec.get(direction) or []]
        types = spec.get("policyTypes")
        if not types:
            types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        self.directions = {word.lower() for word in types}

    def selects(self, pod):
        return selects_end(self.needs, pod) if pod.kind == "pod" and pod.namespace == self.namespace else NO

    def bears_on(self, space):
        return space.namespace == self.namespace

    def rules_in_force(self, direction):
        return self.rules[direction] if direction in self.directions else []

    def all_rules(self):
        return self.rules["ingress"] + self.rules["egress"]
