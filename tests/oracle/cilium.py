"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of cilium.io/v2."""
import re

from labels import Block, MAYBE, NO, YES, parse_selector, requirement_holds
from peers import Addresses, Always, Elsewhere, Peer, Rule
from ports import FIRST, LAST, PortSpec
from world import NAMED, namespace_of

NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
HIDDEN = re.compile(r"""(?!app\.kubernetes\.io/)(
    (.*\.)?kubernetes\.io/ | .*beta\.kubernetes\.io | k8s\.io | io\.kubernetes\. | topology\.kubernetes\.io/
    | statefulset\.kubernetes\.io/pod-name$ | apps\.kubernetes\.io/pod-index$ | batch\.kubernetes\.io/
    | (pod-template-(hash|generation)|controller-revision-hash|controller-uid)$)""", re.X)


def hidden(key):
    """A label of pods that exists for no selector on Cilium."""
    return key != NAMESPACE and HIDDEN.match(key) is not None


SECTIONS = {"ingress": ("ingress", "ingressDeny", "from"), "egress": ("egress", "egressDeny", "to")}

def plain(key):
    """A key without its source: k8s:, any:."""
    return key.split(":", 1)[1] if key.startswith(("k8s:", "any:")) else key


def parse_endpoint_selector(selector):
    return tuple((plain(key), operator, values) for key, operator, values in parse_selector(selector))


def speaks_of_namespace(needs):
    return any(key == NAMESPACE or key.startswith(NAMESPACE_LABELS) for key, _, _ in needs)


def holds(need, end, labels):
    key = need[0]
    if key == NAMESPACE:
        return requirement_holds(need, {NAMESPACE: end.namespace})
    if key.startswith(NAMESPACE_LABELS):
        return requirement_holds((key[len(NAMESPACE_LABELS):],) + need[1:], end.namespace_labels)
    if key == ACCOUNT:
        return requirement_holds(need, {ACCOUNT: end.account})
    return requirement_holds(need, labels)


class Endpoints(Peer):
    """Endpoints by labels. namespace: the one they are held to, None for any."""

    def __init__(self, needs, namespace):
        self.needs, self.namespace = needs, namespace

    def matches(self, end, subject):
        if end.kind != "pod" or self.namespace not in (None, end.namespace):
            return NO
        if all(holds(need, end, end.labels) for need in self.needs):
            return YES
        return MAYBE if end.all_labels is not None and all(holds(need, end, end.all_labels) for need in self.needs) else NO

    def vocabulary(self):
        if self.namespace is not None:
            yield "space", NAMED, self.namespace
        for key, _, values in self.needs:
            where, word = "pod", key
            if key == NAMESPACE:
                where, word = "space", NAMED
            elif key.startswith(NAMESPACE_LABELS):
                where, word = "space", key[len(NAMESPACE_LABELS):]
            elif key == ACCOUNT:
                where = "account"
            yield where, word, None
            for value in values:
                yield where, word, value


NOBODY = Endpoints((), "")  # a rule for hosts: no pod is in a namespace without a name


class Entity(Peer):
    def __init__(self, word):
        self.word = word

    def matches(self, end, subject):
        word = self.word
        if word == "all":
            return YES
        if end.kind == "external":
            if word in ("world", "world-ipv%d" % end.external[0]):
                return YES
            return MAYBE if word == "kube-apiserver" else NO
        if word == "cluster":
            return YES
        if end.kind == "node":
            return MAYBE if word in ("host", "remote-node", "kube-apiserver") else NO
        return NO


PEER_FIELDS = ("Endpoints", "Entities", "CIDR", "CIDRSet", "Requires", "Nodes", "Services", "Groups", "FQDNs")


def parse_peers(entry, side, namespace):
    """None: no peer field at all; else the list of peers."""
    fields = [field for field in PEER_FIELDS if entry.get(side + field) is not None]
    if not fields:
        return None
    peers = []
    for field in fields:
        for item in entry[side + field]:
            if field == "Endpoints":
                needs = parse_endpoint_selector(item)
                peers.append(Endpoints(needs, None if speaks_of_namespace(needs) else namespace))
            elif field == "Entities":
                peers.append(Entity(item))
            elif field == "CIDR":
                peers.append(Addresses([Block(item)], False))
            elif field == "CIDRSet" and item.get("cidr"):
                peers.append(Addresses([Block(item["cidr"], item.get("except"))], False))
            elif field in ("CIDRSet", "FQDNs", "Groups", "Nodes"):
                peers.append(Elsewhere())
            else:
                peers.append(Always(MAYBE))
    return peers


def parse_ports(entries):
    """None: every port."""
    if not entries:
        return None
    specs = []
    for entry in entries:
        for item in entry.get("ports") or []:
            protocol = item.get("protocol") or "ANY"
            protocol = None if protocol == "ANY" else protocol
            text = str(item["port"])
            if not text.isdigit():
                specs.append(PortSpec(protocol, name=text.lower()))
            elif int(text) == 0:
                specs.append(PortSpec(protocol, FIRST, LAST))
            else:
                specs.append(PortSpec(protocol, int(text), item.get("endPort") or int(text)))
    return specs


def parse_entry(entry, side, namespace):
    peers = parse_peers(entry, side, namespace)
    ports = parse_ports(entry.get("toPorts"))
    if entry.get("icmps"):
        ports = []  # only ICMP, which has no ports
    if peers is None and ports is None:
        return Rule([], None)  # an entry that says nothing allows, or denies, nothing
    return Rule(peers, ports)


class CiliumRule:
    """One `spec`. doubtful: the cluster says that it did not take the policy."""

    def __init__(self, spec, namespace, doubtful):
        self.doubtful = doubtful
        selector = spec.get("endpointSelector")
        if namespace is not None and selector:  # forced to the policy's own
            labels = {key: value for key, value in (selector.get("matchLabels") or {}).items() if plain(key) != NAMESPACE}
            selector = dict(selector, matchLabels=labels)
        self.subject = NOBODY if selector is None else Endpoints(parse_endpoint_selector(selector), namespace)
        self.allow, self.deny, self.denies_by_default = {}, {}, {}
        for direction, (allow, deny, side) in SECTIONS.items():
            self.allow[direction] = [parse_entry(entry, side, namespace) for entry in spec.get(allow) or []]
            self.deny[direction] = [parse_entry(entry, side, namespace) for entry in spec.get(deny) or []]
            wanted = (spec.get("enableDefaultDeny") or {}).get(direction)
            self.denies_by_default[direction] = bool(self.allow[direction] or self.deny[direction]) and wanted is not False

    def selects(self, pod):
        return self.subject.matches(pod, pod)

    def bears_on(self, space):
        if self.subject.namespace is not None:
            return self.subject.namespace == space.namespace
        return all(holds(need, space, {}) for need in self.subject.needs if speaks_of_namespace([need]))

    def rules_in_force(self, direction):
        return self.allow[direction] + self.deny[direction]

    def all_rules(self):
        return [rule for part in (self.allow, self.deny) for rules in part.values() for rule in rules]


def parse(obj):
    namespace = namespace_of(obj) if obj["kind"] == "CiliumNetworkPolicy" else None
    doubtful = any(c.get("type") == "Valid" and c.get("status") == "False" for c in (obj.get("status") or {}).get("conditions") or [])
    specs = ([obj["spec"]] if obj.get("spec") is not None else []) + list(obj.get("specs") or [])
    return [CiliumRule(spec, namespace, doubtful) for spec in specs]
