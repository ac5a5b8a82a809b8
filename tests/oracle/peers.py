"""What a rule can name as the other end. Each peer answers `matches(end, subject)`: NO, MAYBE or YES.

`vocabulary()` lists the words that a peer looks at, as (where, key, value): where is "pod" (a label of the pod), "space"
(a label of its namespace), "name" (its namespace's name) or "account" (its service account). `blocks()` lists CIDRs.
"""
from labels import MAYBE, NO, YES, selects, selects_end
from world import NAMED


def words_of(needs, where):
    for key, _, values in needs:
        yield where, key, None
        for value in values:
            yield where, key, value


class Peer:
    by_address = False  # a peer known by its address has no named ports

    def vocabulary(self):
        return ()

    def blocks(self):
        return ()


class Always(Peer):
    """Everyone (YES), nobody (NO) or nobody knows who (MAYBE)."""

    def __init__(self, answer):
        self.answer = answer

    def matches(self, end, subject):
        return self.answer


class Pods(Peer):
    """Pods by labels, in namespaces by labels, or (namespace_needs None) in the one namespace named. needs None: any pod."""

    def __init__(self, needs, namespace_needs, namespace=None):
        self.needs, self.namespace_needs, self.namespace = needs, namespace_needs, namespace

    def matches(self, end, subject):
        if end.kind != "pod":
            return NO
        if self.namespace_needs is None:
            if end.namespace != self.namespace:
                return NO
        elif not selects(self.namespace_needs, end.namespace_labels):
            return NO
        return YES if self.needs is None else selects_end(self.needs, end)

    def vocabulary(self):
        if self.namespace_needs is None:
            yield "space", NAMED, self.namespace
        else:
            yield from words_of(self.namespace_needs, "space")
        yield from words_of(self.needs or (), "pod")


class SameLabels(Peer):
    """The old shape of AdminNetworkPolicy: namespaces that agree (or do not) with the subject's namespace in these labels."""

    def __init__(self, keys, same, needs):
        self.keys, self.same, self.needs = keys, same, needs

    def matches(self, end, subject):
        if end.kind != "pod" or not self.keys or any(key not in end.namespace_labels for key in self.keys):
            return NO
        agree = all(end.namespace_labels[key] == subject.namespace_labels.get(key) for key in self.keys)
        if agree != self.same:
            return NO
        return YES if self.needs is None else selects_end(self.needs, end)

    def vocabulary(self):
        for key in self.keys:
            yield "space", key, None
            yield "space", key, Ellipsis  # the subject's own value
        yield from words_of(self.needs or (), "pod")


class Addresses(Peer):
    """CIDRs less their excepts. pods_too: pods and nodes are found by their addresses as well as what is outside."""

    by_address = True

    def __init__(self, blocks, pods_too):
        self.list, self.pods_too = blocks, pods_too

    def matches(self, end, subject):
        if end.kind == "external":  # ranges are cut at every border that a policy names
            ways = [end.external[:2]]
        else:
            ways = end.addresses if self.pods_too else ()
        return YES if any(block.holds(family, number) for block in self.list for family, number in ways) else NO

    def blocks(self):
        return self.list


class Elsewhere(Peer):
    """Nodes by label, domain names, groups of addresses: nobody knows from files which addresses; pods' they are not."""

    def matches(self, end, subject):
        return NO if end.kind == "pod" else MAYBE


class Rule:
    """peers None: everyone. ports None: every port."""

    def __init__(self, peers, ports, action=None):
        self.peers, self.ports, self.action = peers, ports, action

    def match(self, space, subject, end, destination):
        """(points that match for certain, points that may match)."""
        if self.peers is None:
            points = space.matched(self.ports, destination.ports)
            return points, points
        sure = possible = 0
        for peer in self.peers:
            answer = peer.matches(end, subject)
            if answer == NO:
                continue
            named = () if peer.by_address and end is destination else destination.ports
            points = space.matched(self.ports, named)
            possible |= points
            if answer == YES:
                sure |= points
        return sure, possible

    def borders(self):
        return [(spec.lo, spec.hi) for spec in self.ports or () if spec.name is None]

    def cidrs(self):
        return [cidr for peer in self.peers or () for block in peer.blocks() for cidr in block.all_cidrs()]
