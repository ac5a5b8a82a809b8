"""May this traffic pass one side? Answers are pairs of sets of points: (where it may be allowed, where it may be denied).

A point in both is unknown. Each side is judged by itself: Admin tier, then NetworkPolicy and Cilium, then Baseline, then allowed.
"""
import admin
import cilium
from labels import MAYBE
from netpol import NetworkPolicy
from ports import Space
from world import World

OTHER = {"ingress": "egress", "egress": "ingress"}


class Judge:
    def __init__(self, objects):
        self.world = World(objects)
        found = self.world.policies
        cilium_objects = found["CiliumNetworkPolicy"] + found["CiliumClusterwideNetworkPolicy"]
        self.on_cilium = bool(cilium_objects)
        by_address = not self.on_cilium
        if self.on_cilium:
            for pod in self.world.pods():
                seen = {key: value for key, value in pod.labels.items() if not cilium.hidden(key)}
                if seen != pod.labels:
                    pod.labels, pod.all_labels = seen, pod.labels
        self.network = [NetworkPolicy(obj, by_address) for obj in found["NetworkPolicy"]]
        self.cilium = [rule for obj in cilium_objects for rule in cilium.parse(obj)]
        tiers = [admin.TierPolicy(obj, by_address) for kind in ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
                 for obj in found[kind]]
        self.admin = [policy for policy in tiers if policy.tier == "Admin"]
        self.baseline = [policy for policy in tiers if policy.tier == "Baseline"]
        rules = [rule for policy in self.network + tiers + self.cilium for rule in policy.all_rules()]
        borders = [border for rule in rules for border in rule.borders()]
        borders += [(number, number) for pod in self.world.pods() for _, _, number in pod.ports]
        self.space = Space(borders)
        self.chosen = {}

    def chosen_for(self, pod):
        """The policies that select a pod."""
        if pod not in self.chosen:
            self.chosen[pod] = Chosen(self, pod)
        return self.chosen[pod]

    def side(self, direction, subject, end, without_allows=False):
        """One side of the traffic between subject and end. without_allows: what if no rule allowed anything."""
        full = self.space.full
        if subject.kind != "pod":
            return full, 0  # nothing here decides for hosts and for the outside
        allow, deny = self.chosen_for(subject).decide(direction, end, without_allows)
        if end.kind == "node" and not without_allows:
            allow |= deny  # it may be the subject's own node
        return allow, deny


def by_priority(policies):
    groups = {}
    for policy in policies:
        groups.setdefault(policy.priority, []).append(policy)
    return [groups[priority] for priority in sorted(groups)]


class Chosen:
    """What selects one pod, and what that means."""

    def __init__(self, judge, pod):
        self.pod, self.space = pod, judge.space
        self.admin = [p for p in judge.admin if p.selects(pod)]
        self.baseline = [p for p in judge.baseline if p.selects(pod)]
        self.network = [p for p in judge.network if p.selects(pod)]
        self.cilium = [r for r in judge.cilium if r.selects(pod)]
        everything = self.admin + self.baseline + self.network + self.cilium
        self.doubtful = {p for p in everything if p.doubtful or p.selects(pod) == MAYBE}
        self.on_cilium = judge.on_cilium

    def isolating(self, direction):
        return [p for p in self.network if direction in p.directions]

    def rules(self, direction):
        """Every rule that could decide in this direction."""
        policies = self.admin + self.baseline + self.network + self.cilium
        return [rule for policy in policies for rule in policy.rules_in_force(direction)]

    def decide(self, direction, end, without_allows):
        destination = self.pod if direction == "ingress" else end
        question = (direction, self.pod, end, destination, without_allows)
        found = admin.either(self.space, [self.family("cluster", self.admin, question), self.family("admin", self.admin, question)])
        allow, deny, left = found["Accept"], found["Deny"], found["Pass"] | found[None]
        middle_allow, middle_deny, through = self.middle(*question)
        allow |= left & middle_allow
        deny |= left & middle_deny
        found = admin.either(self.space, [self.family("cluster", self.baseline, question), self.family("admin", self.baseline, question)])
        allow |= left & through & (found["Accept"] | found["Pass"] | found[None])
        deny |= left & through & found["Deny"]
        if any(policy.family == "cluster" and policy.rules[direction] for policy in self.baseline):
            # Where implementations differ: SEMANTICS 3.8.
            if self.isolating(OTHER[direction]):
                allow |= left & through & found["Deny"]
            if self.isolating(direction):
                allow |= left & middle_deny & ~self.denied(*question) & found["Accept"]
        return allow, deny

    def family(self, family, policies, question):
        """What a family may say in a tier. Between two families no order is defined: either may be first (admin.either)."""
        answer = admin.nothing(self.space)
        for group in by_priority(policy for policy in policies if policy.family == family):
            answers = [policy.outcomes(self.space, *question) for policy in group]
            for policy, mine in zip(group, answers):
                if policy in self.doubtful:
                    mine[None] = self.space.full
            more = admin.either(self.space, answers)
            for action in ("Accept", "Deny", "Pass"):
                answer[action] |= answer[None] & more[action]
            answer[None] &= more[None]
        return answer

    def middle(self, direction, subject, end, destination, without_allows):
        """The tier of NetworkPolicy and Cilium: (may allow, may deny, may have nothing to say)."""
        full = self.space.full
        isolating = self.isolating(direction)
        allows, denies, doubtful_allows, doubtful_denies = [], [], [], []
        default_deny = doubtful_default = False
        for policy in isolating:
            if policy in self.doubtful:
                doubtful_default = True
                doubtful_allows += policy.rules[direction]
            else:
                default_deny = True
                allows += policy.rules[direction]
        for part in self.cilium:
            if part in self.doubtful:  # it may be in force as it stands, or not at all
                doubtful_default = doubtful_default or part.denies_by_default[direction]
                doubtful_allows += part.allow[direction]
                doubtful_denies += part.deny[direction]
            else:
                default_deny = default_deny or part.denies_by_default[direction]
                allows += part.allow[direction]
                denies += part.deny[direction]
        if without_allows:
            allows, doubtful_allows = [], []
        allowed, maybe_allowed = self.union(allows, subject, end, destination)
        denied, maybe_denied = self.union(denies, subject, end, destination)
        maybe_allowed |= self.union(doubtful_allows, subject, end, destination)[1]
        maybe_denied |= self.union(doubtful_denies, subject, end, destination)[1]
        allow = deny = 0
        if default_deny or doubtful_default:
            allow, deny = maybe_allowed & ~denied, full & ~allowed
        return allow, deny | maybe_denied, 0 if default_deny else full & ~denied

    def denied(self, direction, subject, end, destination, without_allows):
        """What Cilium's deny sections deny for certain."""
        rules = [rule for part in self.cilium if part not in self.doubtful for rule in part.deny[direction]]
        return self.union(rules, subject, end, destination)[0]

    def union(self, rules, subject, end, destination):
        sure = possible = 0
        for rule in rules:
            more = rule.match(self.space, subject, end, destination)
            sure |= more[0]
            possible |= more[1]
        return sure, possible
