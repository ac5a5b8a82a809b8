"""Random small worlds: a few namespaces and workloads, policies of all families, everything on its borders. One seed, one world."""
import random

import generate_cilium
import generate_tiers
from vocabulary import APPS, CIDRS, HASH, NAMES, PORT_NAMES, Vocabulary

# Pods on the host's network have their node's addresses.
NODES = [{"4": [{"ip": first}], "6": [{"ip": second}], "46": [{"ip": first}, {"ip": second}]}
         for first, second in (("10.0.2.1", "fd00::2:1"), ("192.168.0.10", "fd00::2:2"))]
POD_ADDRESSES = ["10.0.0.%d" % n for n in range(0, 8)] + ["10.0.1.0", "10.0.0.255", "192.168.3.7", "172.16.0.1"]
POD_ADDRESSES_6 = ["fd00::%x" % n for n in range(0, 8)] + ["fd00::1:0", "fd00:0:0:1::"]


class Maker(Vocabulary):
    def __init__(self, seed):
        super().__init__(random.Random(seed))
        self.seed = seed
        r = self.random
        self.namespaces = r.sample(["default", "shop", "web", "db"], r.randint(2, 3 if r.random() < 0.8 else 4))
        self.free = r.sample(POD_ADDRESSES, len(POD_ADDRESSES))
        self.free6 = r.sample(POD_ADDRESSES_6, len(POD_ADDRESSES_6))
        self.stack = r.choice(["4", "4", "6", "46"])
        self.objects = []

    def meta(self, name, namespace=None, **more):
        meta = dict({"name": name}, **more)
        if namespace and not (namespace == "default" and self.maybe(0.5)):
            meta["namespace"] = namespace
        return meta

    def namespace(self, name):
        labels = self.labels({"env": ["prod", "dev"], "team": ["a", "b"]})
        if self.maybe(0.1):
            labels["kubernetes.io/metadata.name"] = "another"  # the server writes the true one over it
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels} if labels else {"name": name}}

    def container(self, name, restart=None):
        ports = []
        for port_name in self.random.sample(PORT_NAMES, self.random.choice([0, 1, 1, 2])):
            port = {"name": port_name, "containerPort": self.random.choice([80, 8080, 53, 1, 65535, 9090])}
            if self.maybe(0.4):
                port["protocol"] = self.random.choice(["TCP", "UDP", "SCTP"])
            ports.append(port)
        container = {"name": name, "image": "i", "ports": ports}
        if restart:
            container["restartPolicy"] = restart
        return container

    def pod_spec(self):
        spec = {"containers": [self.container("main")]}
        if self.maybe(0.15):
            spec["initContainers"] = [self.container("early", self.random.choice([None, "Always"]))]
        if self.maybe(0.12):
            spec["hostNetwork"] = True
        if self.maybe(0.1):
            spec["serviceAccountName"] = "robot"
        return spec

    def addresses(self):
        found = []
        if "4" in self.stack and self.free:
            found.append({"ip": self.free.pop()})
        if "6" in self.stack and self.free6:
            found.append({"ip": self.free6.pop()})
        return found

    def pod(self, name, namespace, labels, spec, owner=None):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": self.meta(name, namespace), "spec": spec}
        if labels:
            pod["metadata"]["labels"] = labels
        if owner:
            pod["metadata"]["ownerReferences"] = [
                {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "uid": "u-" + owner[1], "controller": True}]
        if not self.maybe(0.1):
            addresses = self.random.choice(NODES)[self.stack] if spec.get("hostNetwork") else self.addresses()
            if addresses:
                pod["status"] = {"phase": "Running", "podIP": addresses[0]["ip"], "podIPs": addresses}
        if self.maybe(0.04):
            pod.setdefault("status", {})["phase"] = "Succeeded"
        return pod

    def workload(self, number):
        namespace = self.random.choice(self.namespaces)
        name = "%s%d" % (self.random.choice(NAMES), number)
        labels, spec = self.labels(APPS), self.pod_spec()
        if self.maybe(0.15):
            labels.update(self.random.choice([{"app.kubernetes.io/name": "x"}, {"topology.kubernetes.io/zone": "z"}]))
        shape = self.random.choice(["Pod", "Pod", "Deployment", "Template", "Template", "Owned"])
        if shape == "Pod":
            return [self.pod(name, namespace, labels, spec)]
        if shape == "Template":
            return [self.template(name, namespace, labels, spec)]
        owner, kind = ("StatefulSet", name), self.random.choice(["StatefulSet", "DaemonSet", "ReplicaSet"])
        owner = (kind, name)
        if shape == "Deployment":
            labels = dict(labels, **{"pod-template-hash": HASH})
            owner = ("ReplicaSet", name + "-" + HASH)
        pods = []
        for i in range(self.random.choice([1, 2, 2, 3])):
            if self.maybe(0.1):  # an update under way
                labels, spec = dict(self.labels(APPS), **{k: v for k, v in labels.items() if k not in APPS}), self.pod_spec()
            pods.append(self.pod("%s-%d" % (name, i), namespace, dict(labels), spec, owner))
        if self.maybe(0.2):
            pods += self.owner_object(namespace, name, shape, kind, labels, spec)
        return pods

    def owner_object(self, namespace, name, shape, kind, labels, spec):
        """What the pods belong to, dumped beside them."""
        top = {"app": "x"} if shape == "Deployment" else labels
        template = {"metadata": {"labels": dict(top, run=name)}, "spec": spec}
        return [{"apiVersion": "apps/v1", "kind": "Deployment" if shape == "Deployment" else kind, "metadata": {"name": name, "namespace": namespace},
                 "spec": {"selector": {"matchLabels": {"run": name}}, "template": template}}]

    def template(self, name, namespace, labels, spec):
        kind = self.random.choice(["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
        labels = dict(labels, run=name)  # a selector of a workload may not be empty
        template = {"metadata": {"labels": labels}, "spec": spec}
        group = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
        inner = {"template": template}
        if group == "apps/v1":
            inner["selector"] = {"matchLabels": labels}
        if kind == "CronJob":
            inner = {"schedule": "0 0 * * *", "jobTemplate": {"spec": inner}}
        return {"apiVersion": group, "kind": kind, "metadata": self.meta(name, namespace), "spec": inner}

    # ---- NetworkPolicy

    def network_ports(self):
        ports = []
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            item = {}
            if self.maybe(0.5):
                item["protocol"] = self.random.choice(["TCP", "UDP", "SCTP"])
            if self.maybe(0.25):
                item["port"] = self.random.choice(PORT_NAMES)
            elif self.maybe(0.85):
                item["port"] = self.number()
                if self.maybe(0.3):
                    item["endPort"] = self.end_of(item["port"])
            ports.append(item)
        return ports

    def block(self):
        cidr, inner = self.random.choice(CIDRS)
        block = {"cidr": cidr}
        if inner and self.maybe(0.4):
            block["except"] = self.random.sample(inner, self.random.randint(1, min(2, len(inner))))
        return {"ipBlock": block}

    def network_peer(self):
        if self.maybe(0.3):
            return self.block()
        peer = {}
        if self.maybe(0.65):
            peer["podSelector"] = self.pod_selector()
        if not peer or self.maybe(0.45):
            peer["namespaceSelector"] = self.namespace_selector()
        return peer

    def telling_rule(self, key):
        """Rules on the edge of a verdict, which chance alone makes too seldom."""
        protocol = {"protocol": self.random.choice(["TCP", "UDP", "SCTP"])}
        kind = self.random.choice(["whole protocol", "all ports but few", "split protocol", "named port of addresses", "split namespaces"])
        if kind == "whole protocol":
            return {"ports": [protocol]}
        if kind == "all ports but few":
            return {"ports": [dict(protocol, port=self.random.choice([1, 2]), endPort=self.random.choice([65534, 65535]))]}
        if kind == "split protocol":
            last = self.number()
            return {"ports": [dict(protocol, port=1, endPort=last), dict(protocol, port=min(last + self.random.choice([1, 1, 2]), 65535), endPort=65535)]}
        if kind == "named port of addresses":
            block = self.block() if self.maybe(0.3) else {"ipBlock": {"cidr": "::/0" if self.stack == "6" else "0.0.0.0/0"}}
            return {key: [block], "ports": [{"port": name} for name in PORT_NAMES]}
        label, values = self.random.choice([("env", ["prod"]), ("team", ["a"]), ("kubernetes.io/metadata.name", self.namespaces[:1])])
        others = [{"key": label, "operator": "NotIn", "values": values}] if self.maybe(0.7) else [{"key": label, "operator": "DoesNotExist"}]
        return {key: [{"namespaceSelector": {"matchLabels": {label: values[0]}}}, {"namespaceSelector": {"matchExpressions": others}}]}

    def network_rule(self, key):
        if self.maybe(0.12):
            return self.telling_rule(key)
        rule = {}
        if self.maybe(0.8):
            rule[key] = [self.network_peer() for _ in range(self.random.choice([0, 1, 1, 1, 2]))]
        if self.maybe(0.6):
            rule["ports"] = self.network_ports()
        return rule

    def network_policy(self, number):
        spec = {}
        if not self.maybe(0.08):
            spec["podSelector"] = self.pod_selector() if self.maybe(0.9) else None
        types = self.random.choice([None, None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Egress"]])
        if types is not None:
            spec["policyTypes"] = types
        for direction, key in (("ingress", "from"), ("egress", "to")):
            if self.maybe(0.6):
                spec[direction] = [self.network_rule(key) for _ in range(self.random.choice([0, 1, 1, 2]))]
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": self.meta("np%d" % number, self.random.choice(self.namespaces)), "spec": spec}

    # ---- all of it

    def world(self, families=None):
        r = self.random
        for name in self.namespaces:
            if not self.maybe(0.15):  # else implied by what is in it
                self.objects.append(self.namespace(name))
        for number in range(r.randint(2, 5)):
            self.objects += self.workload(number)
        families = families or r.choice([["network"], ["network"], ["network"], ["cluster"], ["admin"], ["cilium"], ["network", "cluster"],
                                        ["network", "cluster"], ["network", "admin"], ["network", "admin"], ["network", "cilium"],
                                        ["network", "cilium"]] * 3 + [["cluster", "admin"], ["network", "cluster", "admin"], ["cluster", "cilium"],
                                        ["network", "admin", "cilium"]])
        if "network" in families:
            self.objects += [self.network_policy(i) for i in range(r.choice([1, 1, 2, 3]))]
        if "cluster" in families:
            self.objects += generate_tiers.cluster_policies(self)
        if "admin" in families:
            self.objects += generate_tiers.admin_policies(self)
        if "cilium" in families:
            self.objects += generate_cilium.policies(self)
        return self.objects


def world(seed, families=None):
    return Maker(seed).world(families)
