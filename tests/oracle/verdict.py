"""isolated | open | selected-but-open | not-isolatable | unknown, of each pod and direction, from the words of SEMANTICS 1.

Tried on hypothetical peers: pods with every combination of the labels that the policies name, of a word unheard of and of none, on every
range of addresses that the policies tell apart; and everyone outside.
"""
import itertools

from labels import PUBLIC_TOTAL, parts_of_address_space, public_size
from world import NAMED, Endpoint

UNHEARD = "unheard-of"
SLACK = 256  # of everyone outside, one in so many may be missing
WORST = ("open", "selected-but-open", "unknown", "not-isolatable", "isolated")


def combinations(words, absent_too):
    """Every dict of one value, or none, for each key."""
    keys = sorted(words)
    choices = [sorted(words[key]) + [UNHEARD] + ([None] if absent_too else []) for key in keys]
    for values in itertools.product(*choices):
        yield {key: value for key, value in zip(keys, values) if value is not None}


def words_of(rules, subject):
    words = {"pod": {}, "space": {NAMED: set()}, "account": {}}
    for rule in rules:
        for peer in rule.peers or ():
            for where, key, value in peer.vocabulary():
                values = words[where].setdefault(key, set())
                if value is Ellipsis:
                    value = subject.namespace_labels.get(key)
                if value is not None:
                    values.add(value)
    return words


def unlike(ends, rules, subject):
    """Of ends that every peer of the rules answers alike, one."""
    peers = [peer for rule in rules for peer in rule.peers or ()]
    kinds = {}
    for end in ends:
        kinds.setdefault(tuple(peer.matches(end, subject) for peer in peers), end)
    return list(kinds.values())


def strange_pods(rules, subject, families):
    """Pods that could come to be, one of each kind that the rules tell apart."""
    words = words_of(rules, subject)
    spaces = list(combinations(words["space"], True))
    cidrs = [cidr for rule in rules for peer in rule.peers or () for block in peer.blocks() for cidr in block.all_cidrs()]
    addresses = [(family, lo) for family in sorted(families) for lo, _ in parts_of_address_space(family, cidrs)]
    ends = []
    for labels in combinations(words["pod"], True):
        for space in spaces:
            for account in combinations(words["account"], False) if words["account"] else ({},):
                if NAMED not in space:
                    continue  # every namespace has its name
                ends.append(Endpoint("pod", labels, space[NAMED], space, (), (), next(iter(account.values()), "default")))
    answer = []
    for end in unlike(ends, rules, subject):
        for address in addresses:
            answer.append(Endpoint("pod", end.labels, end.namespace, end.namespace_labels, [address], (), end.account))
    return unlike(answer, rules, subject)


def outside_parts(rules):
    cidrs = [cidr for rule in rules for peer in rule.peers or () for block in peer.blocks() for cidr in block.all_cidrs()]
    for family in (4, 6):
        for lo, hi in parts_of_address_space(family, cidrs):
            size = public_size(family, lo, hi)
            if size:
                yield family, size, Endpoint("external", external=(family, lo, hi))


def nearly_everyone(parts, families):
    """Of parts (family, size, holds): is it so for everyone outside, in each of the families?"""
    for family in families:
        if sum(size for f, size, holds in parts if f == family and holds) < PUBLIC_TOTAL[family] * (SLACK - 1) / SLACK:
            return False
    return True


class Facts:
    """What holds for certain (index 0) and what may hold (index 1), in one direction of one pod."""

    def __init__(self, judge, direction, subject):
        chosen = judge.chosen_for(subject)
        rules = chosen.rules(direction)
        families = judge.world.families_in_use()
        pods = strange_pods(rules, subject, families)
        parts = list(outside_parts(rules))
        full = judge.space.full
        protocols = [judge.space.protocol_mask(p) for p in ("TCP", "UDP")]

        bare = [chosen.decide(direction, end, True) for end in pods]
        self.pods_denied = (all(allow == 0 for allow, _ in bare), all(deny == full for _, deny in bare))
        bare = [(family, size) + chosen.decide(direction, end, True) for family, size, end in parts]
        self.outside_denied = (nearly_everyone([(f, n, allow == 0) for f, n, allow, _ in bare], families),
                               nearly_everyone([(f, n, deny == full) for f, n, _, deny in bare], families))

        real = [chosen.decide(direction, end, False) for end in pods]
        self.pods_admitted = (any(all(deny & mask == 0 for _, deny in real) for mask in protocols),
                              any(all(allow & mask == mask for allow, _ in real) for mask in protocols))
        # It is an allow that admits them: where nothing denies them by default, they are nobody's to admit.
        real = [(family, size) + chosen.decide(direction, end, False) + chosen.decide(direction, end, True) for family, size, end in parts]
        tests = (lambda allow, deny, bare_allow, bare_deny, mask: deny & mask == 0 and bare_allow == 0,
                 lambda allow, deny, bare_allow, bare_deny, mask: allow & mask == mask and bare_deny == full)
        self.outside_admitted = tuple(
            any(nearly_everyone([(item[0], item[1], test(*item[2:], mask)) for item in real], [family]) for family in (4, 6) for mask in protocols)
            for test in tests)


def word_for(pods_denied, outside_denied, pods_admitted, outside_admitted):
    if not pods_denied:
        return "open"
    if not outside_denied or pods_admitted or outside_admitted:
        return "selected-but-open"
    return "isolated"


def verdict_of_pod(judge, direction, subject):
    if subject.kind == "node":
        return "not-isolatable"
    facts = Facts(judge, direction, subject)
    found = {word_for(*values) for values in itertools.product(
        *(set(pair) for pair in (facts.pods_denied, facts.outside_denied, facts.pods_admitted, facts.outside_admitted)))}
    return found.pop() if len(found) == 1 else "unknown"


def verdicts(judge):
    answers = []
    for workload in judge.world.workloads.values():
        entry = {"workload": workload.title()}
        for direction in ("ingress", "egress"):
            found = {verdict_of_pod(judge, direction, pod) for pod in workload.pods}
            entry[direction] = next(word for word in WORST if word in found)
        answers.append(entry)
    return answers
