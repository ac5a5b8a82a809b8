"""Ports as points. A point is one protocol and one port; ports that no border tells apart share a point.

A set of points is a Python int, one bit a point, so that a rule is tried on all points at once; what is computed
is still nothing but `does this rule match this point`, point by point.
"""
PROTOCOLS = ("TCP", "UDP", "SCTP")
FIRST, LAST = 1, 65535


class PortSpec:
    """One item of a `ports` list. protocol None: any. name: a named port; else lo..hi."""

    def __init__(self, protocol, lo=FIRST, hi=LAST, name=None):
        self.protocol, self.lo, self.hi, self.name = protocol, lo, hi, name


class Space:
    def __init__(self, numbers):
        """numbers: every border, as (lo, hi) pairs."""
        cuts = {FIRST}
        for lo, hi in numbers:
            cuts.update((lo, hi + 1))
        starts = sorted(cut for cut in cuts if FIRST <= cut <= LAST)
        self.parts = [(lo, hi - 1) for lo, hi in zip(starts, starts[1:] + [LAST + 1])]
        self.width = len(self.parts)
        self.whole = (1 << self.width) - 1
        self.full = (1 << self.width * len(PROTOCOLS)) - 1
        self.cache = {}

    def protocol_mask(self, protocol):
        return self.whole << PROTOCOLS.index(protocol) * self.width

    def numbers(self, protocol, lo, hi):
        key = (protocol, lo, hi)
        if key not in self.cache:
            bits = 0
            for index, (first, last) in enumerate(self.parts):
                if lo <= first and last <= hi:
                    bits |= 1 << index
            self.cache[key] = sum(bits << i * self.width for i, p in enumerate(PROTOCOLS) if protocol in (None, p))
        return self.cache[key]

    def matched(self, specs, named_ports):
        """The points that a `ports` list matches on a destination with these named ports; None: every point."""
        if specs is None:
            return self.full
        points = 0
        for spec in specs:
            if spec.name is None:
                points |= self.numbers(spec.protocol, spec.lo, spec.hi)
                continue
            for name, protocol, number in named_ports:
                if name == spec.name and spec.protocol in (None, protocol):
                    points |= self.numbers(protocol, number, number)
        return points

    def ranges(self, points):
        """{"TCP": [[lo, hi], ...], ...} of a set of points, without protocols that have none."""
        answer = {}
        for i, protocol in enumerate(PROTOCOLS):
            bits = points >> i * self.width & self.whole
            runs = []
            for index, (lo, hi) in enumerate(self.parts):
                if bits >> index & 1:
                    if runs and runs[-1][1] == lo - 1:
                        runs[-1][1] = hi
                    else:
                        runs.append([lo, hi])
            if runs:
                answer[protocol] = runs
        return answer
