"""Who can reach whom: every pair of workloads and outside ranges, in the form of `netaudit reach --matrix --json`."""
from decide import Judge
from labels import address_text, parts_of_address_space
from world import Endpoint


class Outside:
    """A range of addresses that are no pod's, as a peer of the matrix."""

    def __init__(self, family, lo, hi):
        self.pods = [Endpoint("external", external=(family, lo, hi))]
        self.text = "%s-%s[External]" % (address_text(family, lo), address_text(family, hi))

    def title(self):
        return self.text


def named_blocks(judge):
    """The CIDRs of all rules that have an effect on pods of some namespace, whether there are such pods or not."""
    spaces = [Endpoint("pod", namespace=name, namespace_labels=labels) for name, labels in judge.world.namespaces.items()]
    rules = []
    for policy in judge.network + judge.admin + judge.baseline + judge.cilium:
        if any(policy.bears_on(space) for space in spaces):
            for direction in ("ingress", "egress"):
                rules += policy.rules_in_force(direction)
    return {cidr for rule in rules for cidr in rule.cidrs()}


def outside_peers(judge):
    taken = {address for pod in judge.world.pods() for address in pod.addresses}
    peers = []
    cidrs = named_blocks(judge)
    for family in (4, 6):
        for lo, hi in parts_of_address_space(family, cidrs):
            inside = sum(1 for f, number in taken if f == family and lo <= number <= hi)
            if inside <= hi - lo:  # else each of its addresses is a pod's
                peers.append(Outside(family, lo, hi))
    return peers


def common_families(a, b):
    """The families over which two ends can talk. Where one address is not known, it may be of either."""
    if a.families() == {None}:
        return b.families()
    return a.families() if b.families() == {None} else a.families() & b.families()


def connection(judge, source, target, sides):
    """(points allowed for certain, whether more may be allowed) for some pair of different pods."""
    full = judge.space.full
    sure = possible = 0
    for a in source.pods:
        for b in target.pods:
            for family in common_families(a, b) if a is not b else ():
                asked = ("egress", a, b.in_family(family)), ("ingress", b, a.in_family(family))
                for key in asked:
                    if key not in sides:
                        sides[key] = judge.side(*key)
                (out_allow, out_deny), (in_allow, in_deny) = (sides[key] for key in asked)
                sure |= full & ~out_deny & ~in_deny
                possible |= out_allow & in_allow
    return sure, bool(possible & ~sure)


def matrix(judge):
    workloads = list(judge.world.workloads.values())
    outside = outside_peers(judge)
    connections, sides = [], {}
    for source in workloads + outside:
        for target in workloads + outside:
            if source is target or (source in outside and target in outside):
                continue
            sure, unknown = connection(judge, source, target, sides)
            if sure or unknown:
                connections.append({"from": source.title(), "to": target.title(), "allowed": judge.space.ranges(sure), "unknown": unknown})
    return {"peers": [peer.title() for peer in workloads + outside], "connections": connections}


