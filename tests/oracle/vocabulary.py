"""The few words that random worlds are made of, and how selectors and ports are made of them."""
HASH = "5d4f8c7b9"
NAMES = ["api", "front", "cart"]
APPS = {"app": ["x", "y"], "tier": ["one", "two"]}
RARE_APPS = {"app": ["x"], "pod-template-hash": [HASH, "older"], "app.kubernetes.io/name": ["x"], "topology.kubernetes.io/zone": ["z"]}
SPACES = {"env": ["prod", "dev"], "team": ["a", "b"]}
PORT_NAMES = ["http", "dns"]
NUMBERS = [1, 2, 52, 53, 54, 79, 80, 81, 443, 8079, 8080, 8081, 9090, 65534, 65535]

# A CIDR and blocks strictly inside it.
CIDRS = [
    ("0.0.0.0/0", ["10.0.0.0/8", "0.0.0.0/1", "169.254.169.254/32", "10.0.0.4/30"]), ("10.0.0.0/8", ["10.0.0.0/30", "10.0.0.4/32"]),
    ("10.0.0.0/30", ["10.0.0.0/31", "10.0.0.3/32"]), ("10.0.0.4/32", []), ("10.0.0.4/30", ["10.0.0.4/32", "10.0.0.6/31"]),
    ("10.0.0.0/24", ["10.0.0.255/32", "10.0.0.0/32"]), ("192.168.0.0/16", ["192.168.3.7/32"]), ("128.0.0.0/1", ["192.168.0.0/16"]),
    ("0.0.0.0/1", ["10.0.0.0/24"]), ("255.255.255.255/32", []), ("0.0.0.0/32", []), ("8.8.8.8/32", []),
    ("::/0", ["fd00::/8", "fd00::4/126", "8000::/1"]), ("fd00::/8", ["fd00::/126", "fd00::5/128"]), ("fd00::4/126", ["fd00::4/128"]),
    ("fd00::/64", ["fd00::7/128"]), ("::/1", []), ("8000::/1", ["fd00::/8"]), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", []), ("::/128", []),
]


class Vocabulary:
    def __init__(self, source):
        self.random = source

    def maybe(self, chance):
        return self.random.random() < chance

    def labels(self, words, chance=0.6):
        return {key: self.random.choice(values) for key, values in words.items() if self.maybe(chance)}

    def requirement(self, words):
        key = self.random.choice(sorted(words))
        operator = self.random.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        need = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            need["values"] = self.random.sample(words[key], self.random.randint(1, len(words[key])))
        return need

    def selector(self, words):
        kind = self.random.random()
        if kind < 0.3:
            return {}
        selector = {}
        if kind < 0.65 or kind > 0.92:
            key = self.random.choice(sorted(words))
            selector["matchLabels"] = {key: self.random.choice(words[key])}
        if kind >= 0.65:
            selector["matchExpressions"] = [self.requirement(words) for _ in range(self.random.choice([1, 1, 2]))]
        return selector

    def pod_selector(self):
        return self.selector(RARE_APPS if self.maybe(0.08) else APPS)

    def namespace_selector(self):
        words = dict(SPACES)
        words["kubernetes.io/metadata.name"] = self.namespaces[:2] + ["elsewhere"]
        return self.selector(words)

    def number(self):
        return self.random.choice(NUMBERS)

    def end_of(self, first):
        return self.random.choice([n for n in NUMBERS if n >= first])

    def network(self):
        return self.random.choice(CIDRS)[0]
