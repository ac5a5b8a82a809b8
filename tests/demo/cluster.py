"""The sample cluster of `make demo`: a web shop in production, its staging and development copies, what runs beside them,
and the system namespaces; some of it well kept, some of it as clusters are. Plain objects, built by small functions."""

NET = "networking.k8s.io/v1"


def meta(ns, name, labels=None, annotations=None):
    m = {"name": name}
    if ns:
        m["namespace"] = ns
    if labels:
        m["labels"] = labels
    if annotations:
        m["annotations"] = annotations
    return m


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": meta(None, name, {k.replace("__", "/").replace("_", "-"): v for k, v in labels.items()})}


def template(labels, ports, host_network=False, host_port=None):
    container_ports = [{"name": n, "containerPort": p} for n, p in ports]
    if host_port:
        container_ports[0]["hostPort"] = host_port
    spec = {"containers": [{"name": "main", "image": "registry.example/app:1.4.2", "ports": container_ports}]}
    if host_network:
        spec["hostNetwork"] = True
    return {"metadata": {"labels": labels}, "spec": spec}


def workload(kind, ns, name, replicas=2, ports=(("http", 8080),), labels=None, **more):
    """The owner and its pods, as a cluster with controllers would hold them."""
    labels = dict(labels or {"app": name})
    owner = {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(ns, name, labels),
             "spec": {"selector": {"matchLabels": labels}, "template": template(labels, ports, **more)}}
    if kind != "DaemonSet":
        owner["spec"]["replicas"] = replicas
    if kind == "StatefulSet":
        owner["spec"]["serviceName"] = name
    objects = [owner]
    for i in range(replicas):
        pod_labels, ref, pod_name = dict(labels), None, None
        if kind == "Deployment":
            digest = "%08x" % (sum(map(ord, ns + name)) * 2654435761 % 2**32)
            pod_labels["pod-template-hash"] = digest
            ref, pod_name = ("ReplicaSet", "%s-%s" % (name, digest)), "%s-%s-%05x" % (name, digest, 7919 * (i + 1))
        elif kind == "StatefulSet":
            pod_name = "%s-%d" % (name, i)
            pod_labels["statefulset.kubernetes.io/pod-name"] = pod_name
            ref = ("StatefulSet", name)
        else:
            ref, pod_name = (kind, name), "%s-%05x" % (name, 6151 * (i + 1))
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta(ns, pod_name, pod_labels),
               "spec": template(labels, ports, **more)["spec"],
               "status": {"phase": "Running", "podIPs": [{"ip": "10.%d.%d.%d" % (40 + len(ns) % 8, sum(map(ord, name)) % 250, 10 + i)}]}}
        pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": ref[0], "name": ref[1], "controller": True,
                                               "uid": "00000000-0000-4000-8000-%012x" % (abs(hash_text(ns + ref[1])) % 2**48)}]
        objects.append(pod)
    return objects


def hash_text(text):
    value = 0
    for c in text:
        value = (value * 131 + ord(c)) % 2**61
    return value


def service(ns, name, kind="ClusterIP", port=80, target="http", labels=None, annotations=None, selector=None, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(ns, name, labels, annotations),
            "spec": {"type": kind, "selector": selector or {"app": name}, "ports": [{"port": port, "targetPort": target}], **spec}}


def policy(ns, name, selector=None, types=("Ingress",), ingress=None, egress=None):
    spec = {"podSelector": selector or {}, "policyTypes": list(types)}
    if ingress is not None:
        spec["ingress"] = ingress
    if egress is not None:
        spec["egress"] = egress
    return {"apiVersion": NET, "kind": "NetworkPolicy", "metadata": meta(ns, name), "spec": spec}


def default_deny(ns):
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
           "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    return policy(ns, "default-deny", types=("Ingress", "Egress"), ingress=[], egress=[dns])


def allow(ns, name, app, from_app, port="http"):
    return policy(ns, name, {"matchLabels": {"app": app}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"app": from_app}}}], "ports": [{"port": port}]}])


def ingress(ns, name, host, backend, cls="nginx", tls=True, annotations=None, port=80):
    spec = {"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
        "service": {"name": backend, "port": {"number": port}}}}]}}]} if host else {
        "defaultBackend": {"service": {"name": backend, "port": {"number": port}}}}
    if cls:
        spec["ingressClassName"] = cls
    if tls:
        spec["tls"] = [{"hosts": [host], "secretName": name + "-tls"}]
    return {"apiVersion": NET, "kind": "Ingress", "metadata": meta(ns, name, None, annotations), "spec": spec}


CERT = {"cert-manager.io/cluster-issuer": "letsencrypt"}


def cluster():
    o = []
    o += [{"apiVersion": NET, "kind": "IngressClass", "metadata": meta(None, n), "spec": {"controller": c}} for n, c in
          (("nginx", "k8s.io/ingress-nginx"), ("nginx-internal", "k8s.io/ingress-nginx"), ("haproxy", "haproxy.org/ingress-controller/haproxy"))]

    # production: the shop, well kept but for one load balancer and one forgotten Ingress
    o.append(namespace("shop-prod", environment="production", team="shop"))
    for name in ("web", "checkout", "catalog", "search", "accounts"):
        o += workload("Deployment", "shop-prod", name, 3)
    o += workload("StatefulSet", "shop-prod", "orders-db", 2, (("postgres", 5432),))
    o.append(default_deny("shop-prod"))
    o += [allow("shop-prod", "web-to-" + a, a, "web") for a in ("checkout", "catalog", "search", "accounts")]
    o.append(allow("shop-prod", "checkout-to-db", "orders-db", "checkout", "postgres"))
    o += [service("shop-prod", n) for n in ("web", "checkout", "catalog", "search", "accounts")]
    o.append(service("shop-prod", "orders-db", port=5432, target="postgres"))
    o.append(service("shop-prod", "web-lb", "LoadBalancer", selector={"app": "web"}))
    o.append(ingress("shop-prod", "web", "shop.example.com", "web", annotations=CERT))
    o.append(ingress("shop-prod", "old-shop", "old.shop.example.com", "web-v1", tls=False))

    # production: payments, as it should be
    o.append(namespace("payments-prod", environment="production", team="payments"))
    for name in ("gateway", "ledger", "fraud"):
        o += workload("Deployment", "payments-prod", name, 2)
    o.append(default_deny("payments-prod"))
    o += [allow("payments-prod", "gateway-to-" + a, a, "gateway") for a in ("ledger", "fraud")]
    o += [service("payments-prod", n) for n in ("gateway", "ledger", "fraud")]
    o.append(ingress("payments-prod", "gateway", "pay.example.com", "gateway", annotations=CERT))

    # production: a policy that looks like protection and is none; a node port; an annotation that proves nothing
    o.append(namespace("media-prod", environment="production", team="media"))
    o += workload("Deployment", "media-prod", "images", 2) + workload("Deployment", "media-prod", "transcoder", 4)
    o.append(policy("media-prod", "allow-all", ingress=[{}]))
    o[-1]["metadata"]["annotations"] = {"network-policy.kubernetes.io/default-deny": "true"}
    o.append(service("media-prod", "images", "NodePort"))
    o.append(ingress("media-prod", "images", "img.example.com", "images", cls="haproxy", annotations={
        "nginx.ingress.kubernetes.io/configuration-snippet": "more_set_headers \"X-Media: 1\";"}))

    # staging and development copies, looser
    o.append(namespace("shop-staging", environment="staging", team="shop"))
    o.append(namespace("shop-dev", environment="development", team="shop"))
    for ns in ("shop-staging", "shop-dev"):
        for name in ("web", "checkout", "catalog"):
            o += workload("Deployment", ns, name, 1) + [service(ns, name)]
    o.append(policy("shop-staging", "deny-ingress", ingress=[]))
    o.append(ingress("shop-staging", "web", "shop.staging.example.com", "web", annotations=CERT))
    o.append(ingress("shop-dev", "web", "shop.dev.example.com", "web", cls=None, tls=False))

    # what every cluster has: monitoring with an exception, a legacy namespace nobody owns, batch jobs
    o.append(namespace("monitoring", team="platform"))
    o += workload("StatefulSet", "monitoring", "prometheus", 1, (("web", 9090),))
    o += workload("DaemonSet", "monitoring", "node-exporter", 3, (("metrics", 9100),), host_network=True)
    o.append(service("monitoring", "prometheus", "NodePort", port=9090, target="web", labels={"nodeport-exception": "true"}))
    o.append(namespace("legacy"))
    o += workload("Deployment", "legacy", "intranet", 1, labels={"run": "intranet"})
    o.append(service("legacy", "intranet", selector={"run": "intranet"}, externalIPs=["203.0.113.10"]))
    o.append(service("legacy", "partner", "ExternalName", externalName="partner.example.net"))
    o[-1]["spec"].pop("selector")
    o.append(ingress("legacy", "intranet", None, "intranet", cls=None, tls=False,
                     annotations={"kubernetes.io/ingress.class": "nginx"}))
    o.append(namespace("batch", team="data"))
    for name in ("nightly-report", "stock-import"):
        o.append({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("batch", name, {"app": name}), "spec": {
            "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": dict(template({"app": name}, ()), **{})}}}})
    o.append(default_deny("batch"))

    # the system's own namespaces: not judged unless asked for
    o += workload("Deployment", "kube-system", "coredns", 2, (("dns", 53),), labels={"k8s-app": "kube-dns"})
    o += workload("DaemonSet", "kube-system", "kube-proxy", 3, (("metrics", 10249),), host_network=True)
    o.append(service("kube-system", "kube-dns", port=53, target="dns", selector={"k8s-app": "kube-dns"}))
    return o
