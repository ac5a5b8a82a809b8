"""isolated | open | selected-but-open | not-isolatable | unknown, of each pod and direction, from the words of SEMANTICS 1.

Tried on hypothetical peers: pods with every combination of the labels that the policies name, of a word unheard of and of none, on every
range of addresses that the policies tell apart; and everyone outside.
"""
import itertools

import cilium
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


def strange_pods(judge, rules, subject, families):
    """Pods that could come to be, one of each kind that the rules tell apart."""
    words = words_of(rules, subject)
    if judge.on_cilium:
        words["pod"] = {key: values for key, values in words["pod"].items() if not cilium.hidden(key)}
    spaces = list(combinations(words["space"], True))
    cidrs = [cidr for rule in rules for cidr in rule.cidrs()]
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
    cidrs = [cidr for rule in rules for cidr in rule.cidrs()]
    for family in (4, 6):
        for lo, hi in parts_of_address_space(family, cidrs):
            size = public_size(family, lo, hi)
            if size:
                yield family, size, Endpoint("external", external=(family, lo, hi))


def nearly_everyone(family, parts):
    """Of parts (family, size, holds): is it so for everyone outside in this family?"""
    return sum(size for f, size, holds in parts if f == family and holds) >= PUBLIC_TOTAL[family] * (SLACK - 1) / SLACK


class Group:
    """All pods, or everyone outside in one family. Pairs: what is certain, what is possible.

    denied: nothing from the group gets through by default. admitted: an allow opens every port of TCP or of UDP to it.
    """

    def __init__(self, family, in_use, denied, admitted):
        self.family, self.in_use, self.denied, self.admitted = family, in_use, denied, admitted


def groups(judge, direction, subject):
    chosen = judge.chosen_for(subject)
    rules = chosen.rules(direction)
    families = judge.world.families_in_use()
    full = judge.space.full
    protocols = [judge.space.protocol_mask(p) for p in ("TCP", "UDP")]

    def answers(end):  # what is denied by default, and what is allowed in the end, each for certain and possibly
        bare_allow, bare_deny = chosen.decide(direction, end, True)
        allow, deny = chosen.decide(direction, end, False)
        return (bare_allow == 0, bare_deny == full), [(deny & mask == 0, allow & mask == mask) for mask in protocols]

    pods = [answers(end) for end in strange_pods(judge, rules, subject, families)]
    found = [Group(None, True, tuple(all(bare[i] for bare, _ in pods) for i in (0, 1)),
                   tuple(any(all(real[p][i] for _, real in pods) for p in (0, 1)) for i in (0, 1)))]
    parts = [(family, size, answers(end)) for family, size, end in outside_parts(rules)]
    for family in (4, 6):
        denied = tuple(nearly_everyone(family, [(f, n, bare[i]) for f, n, (bare, _) in parts]) for i in (0, 1))
        admitted = tuple(any(nearly_everyone(family, [(f, n, real[p][i]) for f, n, (_, real) in parts]) for p in (0, 1)) for i in (0, 1))
        found.append(Group(family, family in families, denied, admitted))
    return found


def word_for(found, denied, admitted):
    """What follows from what is so in each group. The outside is denied when every family in use is; one not in use counts where an
    allow opens it."""
    pods_denied = denied[0]
    outside_denied = all(d for group, d in zip(found, denied) if group.family and group.in_use)
    if not pods_denied and not outside_denied:
        return "open"
    if not pods_denied or not outside_denied or any(d and a for d, a in zip(denied, admitted)):
        return "selected-but-open"
    return "isolated"


def verdict_of_pod(judge, direction, subject):
    if subject.kind == "node":
        return "not-isolatable"
    found = groups(judge, direction, subject)
    # A family that is not in use is denied when the others are.
    ways = itertools.product(*(sorted(set(pair)) for group in found
                               for pair in (group.denied if group.in_use else group.denied[1:], group.admitted)))
    words = {word_for(found, way[0::2], way[1::2]) for way in ways}
    if words == {"open", "selected-but-open"}:
        return "selected-but-open"  # not isolated for certain; what is denied at all is in doubt
    return words.pop() if len(words) == 1 else "unknown"


def verdicts(judge):
    answers = []
    for workload in judge.world.workloads.values():
        entry = {"workload": workload.title()}
        for direction in ("ingress", "egress"):
            found = {verdict_of_pod(judge, direction, pod) for pod in workload.pods}
            entry[direction] = next(word for word in WORST if word in found)
        answers.append(entry)
    return answers
