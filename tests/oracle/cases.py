"""Hand-made worlds in few words, for tests of the oracle itself."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import yaml  # noqa: E402

import tap  # noqa: E402
from decide import Judge  # noqa: E402
from matrix import matrix  # noqa: E402
from verdict import verdicts  # noqa: E402

EVERYTHING = {"TCP": [[1, 65535]], "UDP": [[1, 65535]], "SCTP": [[1, 65535]]}
API = {"NetworkPolicy": "networking.k8s.io/v1", "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
       "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
       "CiliumNetworkPolicy": "cilium.io/v2", "CiliumClusterwideNetworkPolicy": "cilium.io/v2"}


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(where, address=None, host=False, ports=(), account=None, **labels):
    space, name = where.split("/")
    spec = {"containers": [{"name": "c", "ports": [{"name": n, "protocol": p, "containerPort": c} for n, p, c in ports]}]}
    if host:
        spec["hostNetwork"] = True
    if account:
        spec["serviceAccountName"] = account
    addresses = [address] if isinstance(address, str) else address or []
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space, "labels": labels}, "spec": spec,
            "status": {"podIPs": [{"ip": text} for text in addresses]}}


def policy(kind, spec, where="a", name="p", **more):
    """spec: YAML text or an object."""
    meta = {"name": name}
    if kind in ("NetworkPolicy", "CiliumNetworkPolicy"):
        meta["namespace"] = where
    obj = {"apiVersion": API[kind], "kind": kind, "metadata": meta, "spec": yaml.safe_load(spec) if isinstance(spec, str) else spec}
    obj.update(more)
    return obj


# Two namespaces; a web and a database in one, a client in another, a pod of the host.
SMALL = [namespace("a", env="prod"), namespace("b", env="dev"),
         pod("a/web", "10.0.0.1", ports=[("http", "TCP", 8080), ("dns", "UDP", 53)], app="web"),
         pod("a/db", "10.0.0.2", app="db"), pod("b/client", "10.0.0.3", app="client"), pod("b/host", "10.9.9.9", host=True, app="web")]


def reached(objects, source, target):
    """The allowed ports from one peer to another; the word "unknown" is added where the answer is not certain."""
    answer = matrix(Judge(objects))
    for peer in (source, target):
        if peer not in answer["peers"]:
            return "no peer " + peer
    for item in answer["connections"]:
        if (item["from"], item["to"]) == (source, target):
            return (item["allowed"], "unknown") if item["unknown"] else item["allowed"]
    return {}


def verdict(objects, workload, direction):
    return next(item[direction] for item in verdicts(Judge(objects)) if item["workload"] == workload)


def reach_table(rows):
    """Rows of (fact, objects, source, target, wanted); wanted True is everything, False nothing."""
    for fact, objects, source, target, wanted in rows:
        wanted = {True: EVERYTHING, False: {}, None: ({}, "unknown")}.get(wanted, wanted) if not isinstance(wanted, dict) else wanted
        tap.equal(fact, reached(objects, source, target), wanted)


def verdict_table(rows):
    for fact, objects, workload, direction, wanted in rows:
        tap.equal(fact, verdict(objects, workload, direction), wanted)
