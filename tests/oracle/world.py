"""Kubernetes objects as files hold them -> namespaces, workloads with their pods, and policies, with the API server's defaults."""
import copy
import re

from labels import parse_address

TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
NAMED = "kubernetes.io/metadata.name"
POLICY_KINDS = {"networking.k8s.io": {"NetworkPolicy"}, "policy.networking.k8s.io": {
    "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"},
    "cilium.io": {"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}}
CLUSTER_SCOPED = {"Namespace", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
                  "CiliumClusterwideNetworkPolicy"}


class Endpoint:
    """One end of a connection: kind "pod", "node" (a pod on the host's network) or "external" (a range of addresses)."""

    def __init__(self, kind, labels=None, namespace="", namespace_labels=None, addresses=(), ports=(), account="default",
                 external=None):
        self.kind = kind
        self.labels = labels or {}
        self.all_labels = None  # where selectors may not see them all (Cilium)
        self.namespace = namespace
        self.namespace_labels = namespace_labels or {}
        self.addresses = list(addresses)  # (family, number)
        self.ports = list(ports)  # (name, protocol, number)
        self.account = account
        self.external = external  # (family, first, last)
        self.views = {}

    def families(self):
        """None stands for an address that is not known."""
        if self.external:
            return {self.external[0]}
        return {family for family, _ in self.addresses} or {None}

    def in_family(self, family):
        """The same end as it is met over one family of addresses; itself where no address is known."""
        if self.external or len(self.families()) == 1:
            return self
        if family not in self.views:
            view = copy.copy(self)
            view.addresses = [address for address in self.addresses if address[0] == family]
            self.views[family] = view
        return self.views[family]


class Workload:
    def __init__(self, namespace, name, kind):
        self.namespace, self.name, self.kind = namespace, name, kind
        self.pods = []

    def title(self):
        return "%s/%s[%s]" % (self.namespace, self.name, self.kind)


def kind_of(obj):
    return obj.get("kind", "")


def name_of(obj):
    return obj["metadata"]["name"]


def namespace_of(obj):
    return "" if kind_of(obj) in CLUSTER_SCOPED else obj["metadata"].get("namespace") or "default"


def named_ports(spec):
    containers = list(spec.get("containers") or [])
    containers += [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    return [(port["name"], port.get("protocol") or "TCP", port["containerPort"])
            for container in containers for port in container.get("ports") or [] if port.get("name")]


def pod_addresses(status):
    texts = [item["ip"] for item in status.get("podIPs") or []]
    if not texts and status.get("podIP"):
        texts = [status["podIP"]]
    return [parse_address(text) for text in texts]


def owner_of(pod):
    """(kind, name) of the workload that a pod belongs to: SEMANTICS 7."""
    for ref in pod["metadata"].get("ownerReferences") or []:
        if not ref.get("controller"):
            continue
        kind, name = ref["kind"], ref["name"]
        labels = pod["metadata"].get("labels") or {}
        if kind == "Node":
            break
        if kind == "ReplicaSet":
            for key, top in (("rollouts-pod-template-hash", "Rollout"), ("pod-template-hash", "Deployment")):
                end = "-" + labels.get(key, "")
                if len(end) > 1 and name.endswith(end) and len(name) > len(end):
                    return top, name[:-len(end)]
        return kind, name
    return "Pod", name_of(pod)


class World:
    def __init__(self, objects):
        self.namespaces = {}
        for obj in objects:
            if kind_of(obj) == "Namespace":
                name = name_of(obj)
                self.namespaces[name] = dict(obj["metadata"].get("labels") or {}, **{NAMED: name})
        for obj in objects:
            if kind_of(obj) not in CLUSTER_SCOPED:
                self.namespaces.setdefault(namespace_of(obj), {NAMED: namespace_of(obj)})
        self.workloads = {}
        for obj in objects:
            if kind_of(obj) == "Pod" and (obj.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
                kind, name = owner_of(obj)
                self.add(namespace_of(obj), name, kind, obj["metadata"], obj.get("spec") or {}, obj.get("status") or {})
        for obj in objects:
            if kind_of(obj) in TEMPLATES:
                spec = obj["spec"]
                if kind_of(obj) == "CronJob":
                    spec = spec["jobTemplate"]["spec"]
                if (namespace_of(obj), name_of(obj), kind_of(obj)) not in self.workloads:
                    template = spec["template"]
                    self.add(namespace_of(obj), name_of(obj), kind_of(obj), template.get("metadata") or {},
                             template.get("spec") or {}, {})
        self.policies = {kind: [] for kinds in POLICY_KINDS.values() for kind in kinds}
        for obj in objects:
            group = re.sub("/.*", "", obj.get("apiVersion", ""))
            if kind_of(obj) in POLICY_KINDS.get(group, ()):
                self.policies[kind_of(obj)].append(obj)

    def add(self, namespace, name, kind, metadata, spec, status):
        key = (namespace, name, kind)
        workload = self.workloads.setdefault(key, Workload(*key))
        host = bool(spec.get("hostNetwork"))
        workload.pods.append(Endpoint(
            "node" if host else "pod", metadata.get("labels"), namespace, self.namespaces[namespace], pod_addresses(status),
            () if host else named_ports(spec), spec.get("serviceAccountName") or "default"))

    def pods(self):
        return [pod for workload in self.workloads.values() for pod in workload.pods]

    def families_in_use(self):
        """Where no pod has an address yet: IPv4, which a cluster has unless it was built otherwise."""
        return {family for pod in self.pods() for family, _ in pod.addresses} or {4}
