"""Label selectors and CIDRs, from the texts of meta/v1 LabelSelector and networking.k8s.io/v1 IPBlock.

Answers are three-valued everywhere in the oracle: NO < MAYBE < YES.
"""
import functools
import ipaddress
import socket

NO, MAYBE, YES = 0, 1, 2


def parse_selector(selector):
    """A LabelSelector as a tuple of requirements (key, operator, values); all must hold. {} and None: no requirement."""
    selector = selector or {}
    needs = [(key, "In", frozenset([value])) for key, value in (selector.get("matchLabels") or {}).items()]
    for item in selector.get("matchExpressions") or []:
        needs.append((item["key"], item["operator"], frozenset(item.get("values") or [])))
    return tuple(needs)


def requirement_holds(need, labels):
    key, operator, values = need
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":  # a missing key is not in any list
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    return key not in labels


def selects(needs, labels):
    for need in needs:
        if not requirement_holds(need, labels):
            return False
    return True


def selects_end(needs, end):
    """The same for an end, some of whose labels selectors see only where they were asked for: MAYBE where it takes those."""
    if selects(needs, end.labels):
        return YES
    return MAYBE if end.all_labels is not None and selects(needs, end.all_labels) else NO


FAMILY_BITS = {4: 32, 6: 128}


@functools.lru_cache(maxsize=None)
def parse_address(text):
    address = ipaddress.ip_address(text)
    return address.version, int(address)


@functools.lru_cache(maxsize=None)
def parse_cidr(text):
    """(family, first, last); an address without a length is the block of that address alone."""
    net = ipaddress.ip_network(text, strict=False)
    return net.version, int(net.network_address), int(net.broadcast_address)


@functools.lru_cache(maxsize=None)
def address_text(family, number):
    if family == 4:
        return socket.inet_ntop(socket.AF_INET, number.to_bytes(4, "big"))
    return socket.inet_ntop(socket.AF_INET6, number.to_bytes(16, "big"))


class Block:
    """A CIDR less its excepts."""

    def __init__(self, cidr, excepts=()):
        self.cidr = parse_cidr(cidr)
        self.excepts = [parse_cidr(text) for text in excepts or ()]

    def all_cidrs(self):
        return [self.cidr] + self.excepts

    def holds(self, family, number):
        return within(self.cidr, family, number) and not any(within(cut, family, number) for cut in self.excepts)


def within(cidr, family, number):
    return cidr[0] == family and cidr[1] <= number <= cidr[2]


def parts_of_address_space(family, cidrs):
    """The address space of one family cut at every border that the CIDRs name: a list of (first, last)."""
    cuts = {0}
    end = 1 << FAMILY_BITS[family]
    for cidr in cidrs:
        if cidr[0] == family:
            cuts.update((cidr[1], cidr[2] + 1))
    cuts.discard(end)
    starts = sorted(cuts)
    return [(lo, hi - 1) for lo, hi in zip(starts, starts[1:] + [end])]


# What nobody on the Internet has: the IANA special-purpose registries' entries that are not globally reachable, multicast, and of IPv6
# whatever is not in 2000::/3, from which alone addresses are given out.
SPECIAL = [parse_cidr(text) for text in """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16
198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1""".split()]


def public_size(family, lo, hi):
    """How many addresses of lo..hi are globally routable unicast addresses."""
    size = hi - lo + 1
    for cidr in SPECIAL:
        if cidr[0] == family:
            size -= max(0, min(hi, cidr[2]) - max(lo, cidr[1]) + 1)
    return size


PUBLIC_TOTAL = {family: public_size(family, 0, (1 << bits) - 1) for family, bits in FAMILY_BITS.items()}
