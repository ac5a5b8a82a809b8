#!/usr/bin/env python3
"""The fake API server against what a real one was seen to do. Prints TAP; every test has a server of its own."""
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fakelib import *  # noqa: E402,F403


# ---- lists --------------------------------------------------------------------------------------

@test("a list is chunked, its items carry neither kind nor apiVersion, it ends in ]} and a newline")
def _(f):
    f.load(pod("a"))
    r = f.get(PODS)
    eq(r.headers["transfer-encoding"], "chunked")
    eq(r.headers["content-type"], "application/json")
    rv = f.rv()
    true(r.body.startswith(b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"%s"},"items":[{"metadata":{"name":"a","namespace":"default","uid":"' % rv.encode()), r.body[:200])
    true(r.body.endswith(b"]}\n"), r.body[-20:])
    true("kind" not in r.json()["items"][0] and "apiVersion" not in r.json()["items"][0])


@test("pages: continue and remainingItemCount until the last, one resourceVersion, writes in between unseen")
def _(f):
    f.load(*[pod("p%02d" % i) for i in range(7)])
    got, token, rvs, remaining = [], None, set(), []
    while True:
        r = f.get(PODS + "?limit=3" + ("&continue=" + token if token else "")).json()
        got += names(r["items"])
        rvs.add(r["metadata"]["resourceVersion"])
        remaining.append(r["metadata"].get("remainingItemCount"))
        token = r["metadata"].get("continue")
        f.load(pod("p%02dx" % len(got)))
        if not token:
            break
        true(token.startswith("eyJ2"), token)
    eq(got, ["p%02d" % i for i in range(7)])
    eq(len(rvs), 1)
    eq(remaining, [4, 1, None])


@test("limit is ignored at resourceVersion=0, and a first page shows the next key only in its token")
def _(f):
    f.load(*[pod("p%d" % i) for i in range(5)])
    r = f.get(PODS + "?limit=2&resourceVersion=0").json()
    eq(len(r["items"]), 5)
    true("continue" not in r["metadata"])
    r = f.get(PODS + "?limit=2")
    true(re.match(rb'\{"kind":"PodList","apiVersion":"v1","metadata":\{"resourceVersion":"\d+","continue":"eyJ2[^"]+","remainingItemCount":3\},"items":\[', r.body), r.body[:200])


@test("an expired continue token is 410 with an inconsistent token that goes on")
def _(f):
    f.load(*[pod("p%d" % i) for i in range(5)])
    token = f.get(PODS + "?limit=2").json()["metadata"]["continue"]
    f.control("POST", "/expire-tokens")
    r = f.get(PODS + "?limit=2&continue=" + token)
    eq(r.status, 410)
    eq((r.json()["reason"], r.json()["code"]), ("Expired", 410))
    again = f.get(PODS + "?limit=9&continue=" + r.json()["metadata"]["continue"]).json()
    eq(names(again["items"]), ["p2", "p3", "p4"])


@test("compaction expires tokens; the token's time to live does too", "--token-ttl-ms", "60")
def _(f):
    f.load(*[pod("p%d" % i) for i in range(5)])
    token = f.get(PODS + "?limit=2").json()["metadata"]["continue"]
    f.load(pod("q"))
    f.control("POST", "/compact")
    eq(f.get(PODS + "?limit=2&continue=" + token).status, 410)
    token = f.get(PODS + "?limit=2").json()["metadata"]["continue"]
    time.sleep(0.12)
    eq(f.get(PODS + "?limit=2&continue=" + token).status, 410)


@test("list options are refused where upstream refuses them")
def _(f):
    cases = [
        ("?resourceVersionMatch=NotOlderThan", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ("?resourceVersionMatch=Exact&resourceVersion=0", 422, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
        ("?resourceVersionMatch=Foo&resourceVersion=5", 422, "Unsupported value"),
        ("?sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0&resourceVersion=5", 400, "not allowed when using continue"),
        ("?continue=!!!", 400, "continue key is not valid"),
        ("?limit=x", 400, "invalid syntax"),
        ("?labelSelector=a%20b", 400, "unable to parse requirement"),
        ("?fieldSelector=spec.foo%3D1", 400, "field label not supported: spec.foo"),
        ("?resourceVersion=abc", 500, "Invalid value"),
        ("?watch=1&sendInitialEvents=true", 422, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        ("?watch=1&resourceVersionMatch=NotOlderThan", 422, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    ]
    for query, code, text in cases:
        r = f.get(PODS + query)
        eq(r.status, code, query)
        s = r.json()
        eq((s["kind"], s["status"], s["code"]), ("Status", "Failure", code), query)
        true(text in s["message"], (query, s["message"]))
    s = f.get(PODS + "?resourceVersionMatch=NotOlderThan").json()
    eq(s["details"]["group"], "meta.k8s.io")
    eq(s["details"]["causes"][0]["field"], "resourceVersionMatch")


@test("exact reads give the past, limit with a version and no match means exact, too old is 410")
def _(f):
    f.load(pod("a"))
    rv1 = f.rv()
    f.load(pod("b"))
    f.control("POST", "/delete", {"kind": "pods", "name": "a"})
    eq(names(f.get(PODS + "?resourceVersion=%s&resourceVersionMatch=Exact" % rv1).json()["items"]), ["a"])
    eq(names(f.get(PODS + "?resourceVersion=%s&limit=10" % rv1).json()["items"]), ["a"])
    eq(names(f.get(PODS + "?resourceVersion=%s" % rv1).json()["items"]), ["b"])
    eq(names(f.get(PODS + "?resourceVersion=%s&resourceVersionMatch=NotOlderThan&limit=10" % rv1).json()["items"]), ["b"])
    f.control("POST", "/compact")
    eq(f.get(PODS + "?resourceVersion=%s&resourceVersionMatch=Exact" % rv1).status, 410)


@test("a list at a future version is 504 after 3 s with Retry-After, or answered when the version comes")
def _(f):
    rv = int(f.rv())
    t = time.time()
    r = f.get(PODS + "?resourceVersion=%d" % (rv + 50))
    eq(r.status, 504)
    true(2.8 < time.time() - t < 4.5)
    eq(r.headers["retry-after"], "1")
    eq(r.json()["reason"], "Timeout")
    eq(r.json()["details"]["causes"][0]["reason"], "ResourceVersionTooLarge")
    eq(r.json()["details"]["retryAfterSeconds"], 1)
    c = f.connect()
    c.send("GET", PODS + "?resourceVersion=%d" % (rv + 1))
    time.sleep(0.05)
    f.load(pod("a"))
    eq(c.head()[0], 200)
    c.body()
    c.close()


@test("a streaming list at a future version waits, then 504 as a list; a plain watch would be silent")
def _(f):
    rv = int(f.rv())
    q = PODS + WATCHLIST + "&resourceVersion=%d"
    c = f.connect()
    c.send("GET", q % (rv + 1))
    time.sleep(0.05)
    f.load(pod("a"))
    eq(c.head()[0], 200)
    c.close()
    t = time.time()
    r = f.get(q % (rv + 99))
    eq((r.status, r.json()["details"]["causes"][0]["reason"]), (504, "ResourceVersionTooLarge"))
    true(2.8 < time.time() - t < 4.5)


@test("selectors choose by label and by field, namespaces by path")
def _(f):
    f.load(pod("a", labels={"app": "x", "tier": "web"}), pod("b", labels={"app": "y"}), pod("c"),
           pod("d", ns="other", labels={"app": "x"}))
    f.control("POST", "/patch", {"kind": "pods", "name": "b", "patch": {"status": {"phase": "Failed"}}})

    def q(query, path=PODS):
        return names(f.get(path + query).json()["items"])
    eq(q("?labelSelector=app%3Dx"), ["a", "d"])
    eq(q("?labelSelector=app%3Dx", NSPODS), ["a"])
    eq(q("?labelSelector=app"), ["a", "b", "d"])
    eq(q("?labelSelector=!app"), ["c"])
    eq(q("?labelSelector=app+in+(x,y),tier!%3Dweb"), ["b", "d"])
    eq(q("?labelSelector=app+notin+(x)"), ["b", "c"])
    eq(q("?fieldSelector=metadata.name%3Dc"), ["c"])
    eq(q("?fieldSelector=metadata.namespace%3Dother"), ["d"])
    eq(q("?fieldSelector=status.phase!%3DSucceeded,status.phase!%3DFailed"), ["a", "c", "d"])


@test("secrets: fieldSelector type, metadata forms and their traps")
def _(f):
    for n, t in (("tls", "kubernetes.io/tls"), ("op", "Opaque")):
        f.load({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": n}, "type": t, "stringData": {"k": "v"}})
    path = "/api/v1/secrets?fieldSelector=type%3Dkubernetes.io/tls"
    accept = "application/json;as=%s;g=meta.k8s.io;v=v1,application/json"
    r = f.get(path, {"Accept": accept % "PartialObjectMetadataList"})
    true(r.body.startswith(b'{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"'), r.body[:150])
    eq(names(r.json()["items"]), ["tls"])
    eq(set(r.json()["items"][0]), {"kind", "apiVersion", "metadata"})
    eq(f.get("/api/v1/secrets", {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}).status, 406)
    w = f.watch("/api/v1/secrets?watch=1&resourceVersion=0&allowWatchBookmarks=true", {"Accept": accept % "PartialObjectMetadata"})
    got = w.until(end_mark)
    eq([o["kind"] for _, o in got], ["PartialObjectMetadata"] * 3)
    true(all("data" not in o for _, o in got))
    w.close()
    w = f.watch("/api/v1/secrets?watch=1&resourceVersion=0", {"Accept": accept % "PartialObjectMetadataList"})
    eq((w.status, w.next(), w.end), (200, None, "clean"))
    eq(f.get("/api/v1/secrets", {"Accept": "application/vnd.kubernetes.protobuf"}).status, 406)
    r = f.get("/api/v1/secrets", {"Accept": "application/vnd.kubernetes.protobuf,application/json"})
    eq(r.json()["kind"], "SecretList")
    f.control("POST", "/settings", {"ignore_as": True})
    eq(f.get(path, {"Accept": accept % "PartialObjectMetadataList"}).json()["kind"], "SecretList")


@test("gzip: large lists when accepted, never watches")
def _(f):
    f.control("POST", "/seed", {"pods": 30})
    plain = f.get(PODS).body
    r = f.get(PODS, {"Accept-Encoding": "gzip"})
    eq(r.headers["content-encoding"], "gzip")
    eq(gzip.decompress(r.body), plain)
    f.load(service("s"))
    true("content-encoding" not in f.get("/api/v1/services", {"Accept-Encoding": "gzip"}).headers)
    w = f.watch(PODS + WATCHLIST, {"Accept-Encoding": "gzip"})
    true("content-encoding" not in w.headers)
    w.close()


@test("clients called curl get indented answers, /version is always indented")
def _(f):
    f.load(pod("a"))
    r = f.get(PODS, {"User-Agent": "curl/8.1"})
    true(r.body.startswith(b'{\n  "kind": "PodList",\n  "apiVersion": "v1",\n'), r.body[:80])
    eq(r.json(), f.get(PODS).json())
    eq(f.get(PODS + "?pretty=false", {"User-Agent": "curl/8.1"}).body, f.get(PODS).body)
    v = f.get("/version")
    true(v.body.startswith(b'{\n  "major": "1",\n'), v.body[:60])
    eq(v.json()["gitVersion"], "v1.36.3")


# ---- watches ------------------------------------------------------------------------------------

@test("a watch tells ADDED, MODIFIED, DELETED, the last with the deletion's version")
def _(f):
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    f.load(pod("a"))
    f.control("POST", "/patch", {"kind": "pods", "name": "a", "patch": {"metadata": {"labels": {"x": "y"}}}})
    f.control("POST", "/delete", {"kind": "pods", "name": "a"})
    got = [w.next() for _ in range(3)]
    eq([t for t, _ in got], ["ADDED", "MODIFIED", "DELETED"])
    rvs = [int(o["metadata"]["resourceVersion"]) for _, o in got]
    eq(rvs, sorted(set(rvs)))
    eq(rvs[2], int(f.rv()))
    eq(got[2][1]["metadata"]["labels"], {"x": "y"})
    true(w.raw[0].startswith(b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a",'), w.raw[0][:120])
    true(w.quiet())
    w.close()


@test("the head of a watch comes before any event")
def _(f):
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    eq((w.status, w.headers["transfer-encoding"]), (200, "chunked"))
    true(w.quiet())
    w.close()


@test("streaming list: key order, annotated end bookmark byte for byte, then live events")
def _(f):
    f.load(pod("b"), pod("a"), pod("c", ns="aaa"))
    rv = f.rv()
    w = f.watch(PODS + WATCHLIST)
    got = w.until(end_mark)
    eq([(t, o["metadata"]["name"]) for t, o in got[:-1]], [("ADDED", "c"), ("ADDED", "a"), ("ADDED", "b")])
    eq(w.raw[-1], ('{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"%s","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null},"status":{}}}' % rv).encode())
    f.load(pod("d"))
    eq(w.next()[1]["metadata"]["name"], "d")
    w.close()


@test("a plain watch from 0 sends the state and the same mark; without bookmarks no mark; unset sends the state")
def _(f):
    f.load(pod("a"))
    w = f.watch(PODS + "?watch=1&resourceVersion=0&allowWatchBookmarks=true")
    eq(len(w.until(end_mark)), 2)
    w.close()
    for query in ("?watch=1&resourceVersion=0", "?watch=1",
                  "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"):
        w = f.watch(PODS + query)
        eq(w.next()[0], "ADDED", query)
        true(w.quiet(), query)
        w.close()


@test("streaming list off is 422, ignored by a very old server it is a plain watch without a mark")
def _(f):
    f.load(pod("a"))
    f.control("POST", "/settings", {"watch_list": "off"})
    r = f.get(PODS + WATCHLIST)
    eq(r.status, 422)
    true("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled" in r.json()["message"])
    f.control("POST", "/settings", {"watch_list": "ignore"})
    w = f.watch(PODS + WATCHLIST)
    eq(w.next()[0], "ADDED")
    true(w.quiet(0.3))
    w.close()


@test("a watch at a future version answers 200 and stays silent until it is passed")
def _(f):
    w = f.watch(PODS + "?watch=1&allowWatchBookmarks=true&resourceVersion=%d" % (int(f.rv()) + 2))
    eq(w.status, 200)
    f.load(pod("a"), pod("b"))
    true(w.quiet())
    f.load(pod("c"))
    eq(w.next()[1]["metadata"]["name"], "c")
    w.close()


@test("too old: after compaction, and after a restart, 200 with one ERROR frame and a clean end")
def _(f):
    rv = f.rv()
    f.load(pod("a"))
    f.control("POST", "/compact", {"watch_cache": False})
    w = f.watch(PODS + "?watch=1&resourceVersion=" + rv)
    eq(w.next()[0], "ADDED")
    w.close()
    f.control("POST", "/restart")
    w = f.watch(PODS + "?watch=1&resourceVersion=" + rv)
    eq(w.status, 200)
    t, o = w.next()
    eq((t, o["code"], o["reason"], o["kind"]), ("ERROR", 410, "Expired", "Status"))
    eq(o["message"], "too old resource version: %s (%s)" % (rv, f.rv()))
    eq((w.next(), w.end), (None, "clean"))


@test("the window is bounded: older versions are too old, a reader that falls out ends cleanly", "--window", "10")
def _(f):
    rv = f.rv()
    slow = f.watch(PODS + "?watch=1&resourceVersion=" + rv, read=False)
    f.load(*[pod("p%02d" % i) for i in range(30)])
    w = f.watch(PODS + "?watch=1&resourceVersion=" + rv)
    eq(w.next()[1]["code"], 410)
    w.close()
    slow.open()
    while slow.next():
        pass
    eq(slow.end, "clean")


@test("bookmarks come at the interval and before the timeout, the end is clean", "--bookmark-interval-ms", "100")
def _(f):
    f.load(service("s"))
    w = f.watch(PODS + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=" + f.rv())
    f.load(service("s2"))
    t0 = time.time()
    got = w.until(lambda t, o: False)
    true(0.8 < time.time() - t0 < 1.6)
    eq(w.end, "clean")
    eq({t for t, _ in got}, {"BOOKMARK"})
    true(5 <= len(got) <= 11, len(got))
    eq(got[-1][1]["metadata"], {"resourceVersion": f.rv()})
    w = f.watch(PODS + "?watch=1&timeoutSeconds=1&resourceVersion=" + f.rv())
    eq((w.next(), w.end), (None, "clean"))


@test("leaving a selection is DELETED with the old content, entering it is ADDED")
def _(f):
    f.load(pod("a", labels={"app": "x"}))
    w = f.watch(PODS + "?watch=1&labelSelector=app%3Dx&resourceVersion=" + f.rv())
    for v in ("y", "z", "x"):
        f.control("POST", "/patch", {"kind": "pods", "name": "a", "patch": {"metadata": {"labels": {"app": v}}}})
    t, o = w.next()
    eq((t, o["metadata"]["labels"]["app"]), ("DELETED", "x"))
    eq(int(o["metadata"]["resourceVersion"]), int(f.rv()) - 2)
    t, o = w.next()
    eq((t, o["metadata"]["labels"]["app"], o["metadata"]["resourceVersion"]), ("ADDED", "x", f.rv()))
    w.close()


@test("a namespaced watch hears of its namespace alone")
def _(f):
    w = f.watch(NSPODS + "?watch=1&resourceVersion=" + f.rv())
    f.load(pod("a", ns="other"), pod("b"))
    eq(w.next()[1]["metadata"]["name"], "b")
    w.close()


# ---- writes -------------------------------------------------------------------------------------

@test("create, get, update, patch and delete keep identity, versions and managers")
def _(f):
    ua = {"User-Agent": "kubectl/v1.32.4 (linux/amd64)"}
    r = f.request("POST", NSPODS, pod("a"), ua)
    eq(r.status, 201)
    o = r.json()
    eq((o["kind"], o["apiVersion"], o["status"]["phase"]), ("Pod", "v1", "Pending"))
    true(re.match(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", o["metadata"]["uid"]), o["metadata"]["uid"])
    eq(o["metadata"]["managedFields"][0]["manager"], "kubectl")
    true("f:spec" in o["metadata"]["managedFields"][0]["fieldsV1"])
    o["metadata"]["labels"] = {"a": "b"}
    r = f.request("PUT", NSPODS + "/a", o)
    eq(r.status, 200)
    new = r.json()
    eq(new["metadata"]["uid"], o["metadata"]["uid"])
    true(int(new["metadata"]["resourceVersion"]) > int(o["metadata"]["resourceVersion"]))
    r = f.request("PUT", NSPODS + "/a", o)
    eq((r.status, r.json()["reason"]), (409, "Conflict"))
    true(r.json()["message"].startswith('Operation cannot be fulfilled on pods "a": the object has been modified'))
    r = f.request("PATCH", NSPODS + "/a", {"metadata": {"labels": {"a": None, "c": "d"}}}, {"Content-Type": "application/merge-patch+json"})
    eq(r.json()["metadata"]["labels"], {"c": "d"})
    r = f.request("PATCH", NSPODS + "/a", {"spec": {"containers": [{"name": "c", "image": "nginx:2"}, {"name": "d", "image": "x"}]}}, {"Content-Type": "application/strategic-merge-patch+json"})
    eq([c["image"] for c in r.json()["spec"]["containers"]], ["nginx:2", "x"])
    eq(r.json()["metadata"]["generation"], 2)
    r = f.request("PATCH", NSPODS + "/a", [{"op": "replace", "path": "/metadata/labels/c", "value": "e"}], {"Content-Type": "application/json-patch+json"})
    eq(r.json()["metadata"]["labels"], {"c": "e"})
    before = f.rv()
    r = f.request("PATCH", NSPODS + "/a", {"metadata": {"labels": {"c": "e"}}}, {"Content-Type": "application/merge-patch+json"})
    eq((r.status, f.rv()), (200, before))
    r = f.request("DELETE", NSPODS + "/a")
    eq((r.status, r.json()["kind"]), (200, "Pod"))
    r = f.get(NSPODS + "/a")
    eq(r.status, 404)
    eq(r.json(), {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": 'pods "a" not found',
                  "reason": "NotFound", "details": {"name": "a", "kind": "pods"}, "code": 404})


@test("writes are refused as upstream refuses them")
def _(f):
    f.request("POST", NSPODS, pod("a"))
    r = f.request("POST", NSPODS, pod("a"))
    eq((r.status, r.json()["reason"], r.json()["message"]), (409, "AlreadyExists", 'pods "a" already exists'))
    r = f.request("POST", "/api/v1/namespaces/nope/pods", pod("a", ns="nope"))
    eq((r.status, r.json()["message"]), (404, 'namespaces "nope" not found'))
    eq(f.request("POST", NSPODS, pod("a", ns="other")).status, 400)
    eq(f.request("POST", NSPODS, "{").status, 400)
    eq(f.request("POST", NSPODS, pod("Bad_Name")).status, 422)
    eq(f.request("POST", NSPODS, service("x")).status, 400)
    eq(f.request("PUT", NSPODS, pod("a")).status, 405)
    eq(f.request("DELETE", NSPODS + "/zz").status, 404)
    eq(f.request("DELETE", NSPODS + "/a", {"preconditions": {"uid": "x"}}).status, 409)


@test("defaults: services, policies, namespaces, the default ingress class")
def _(f):
    svc = "/api/v1/namespaces/default/services"
    s = f.request("POST", svc, service("s", type="LoadBalancer")).json()["spec"]
    eq((s["ports"][0]["protocol"], s["ports"][0]["targetPort"], s["externalTrafficPolicy"], s["sessionAffinity"]),
       ("TCP", 80, "Cluster", "None"))
    true(30000 <= s["ports"][0]["nodePort"] <= 32767)
    true(s["clusterIP"].startswith("10."))
    s = f.request("PATCH", svc + "/s", {"spec": {"type": "ClusterIP"}}, {"Content-Type": "application/merge-patch+json"}).json()["spec"]
    true("nodePort" not in s["ports"][0] and "externalTrafficPolicy" not in s)
    pol = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    eq(f.request("POST", pol, policy("a", egress=[])).json()["spec"]["policyTypes"], ["Ingress"])
    eq(f.request("POST", pol, policy("b", egress=[{"ports": [{"port": 53}]}])).json()["spec"],
       {"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}], "policyTypes": ["Ingress", "Egress"]})
    n = f.request("POST", "/api/v1/namespaces", {"metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "lie"}}}).json()
    eq((n["metadata"]["labels"], n["status"]["phase"]), ({"kubernetes.io/metadata.name": "n"}, "Active"))
    ing = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
    spec = {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}
    true("ingressClassName" not in f.request("POST", ing, {"metadata": {"name": "i"}, "spec": spec}).json()["spec"])
    mark = {"ingressclass.kubernetes.io/is-default-class": "true"}
    for name, at in (("old", "2026-01-01T00:00:00Z"), ("new", "2026-02-01T00:00:00Z")):
        f.load({"kind": "IngressClass", "apiVersion": "networking.k8s.io/v1",
                "metadata": {"name": name, "annotations": mark, "creationTimestamp": at}, "spec": {"controller": "x/y"}})
    eq(f.request("POST", ing, {"metadata": {"name": "j"}, "spec": spec}).json()["spec"]["ingressClassName"], "new")
    p = f.request("POST", NSPODS, pod("h", hostNetwork=True, containers=[{"name": "c", "image": "x", "ports": [{"containerPort": 80}]}])).json()
    eq(p["spec"]["containers"][0]["ports"], [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}])


@test("deleting a namespace: Terminating, then what it holds, then itself")
def _(f):
    f.load(pod("a", ns="n"), service("s", ns="n"))
    w = f.watch("/api/v1/namespaces?watch=1&resourceVersion=" + f.rv())
    wp = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    r = f.request("DELETE", "/api/v1/namespaces/n")
    eq(r.status, 200)
    t, o = w.next()
    eq((t, o["status"]["phase"]), ("MODIFIED", "Terminating"))
    eq(wp.next()[0], "DELETED")
    eq(w.next()[0], "DELETED")
    eq(f.get("/api/v1/namespaces/n/pods").json()["items"], [])
    w.close()
    wp.close()


@test("server-side apply creates and updates")
def _(f):
    h = {"Content-Type": "application/apply-patch+yaml"}
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/np?fieldManager=me&force=true"
    eq(f.request("PATCH", path, policy("np"), h).status, 201)
    r = f.request("PATCH", path, policy("np", podSelector={"matchLabels": {"a": "b"}}), h)
    eq((r.status, r.json()["spec"]["podSelector"]), (200, {"matchLabels": {"a": "b"}}))
    eq(r.json()["metadata"]["managedFields"][-1]["operation"], "Apply")
    eq(f.request("PATCH", path.split("?")[0], policy("np"), h).status, 400)


# ---- who may, and what is served ----------------------------------------------------------------

@test("401 for unknown tokens, 403 as system:anonymous without one, revocation and rotation", "--token", "old=alice")
def _(f):
    f.headers = {}
    eq(f.get(PODS, {"Authorization": "Bearer old"}).status, 200)
    r = f.get(PODS, {"Authorization": "Bearer nope"})
    eq((r.status, r.json()["reason"], r.json()["message"]), (401, "Unauthorized", "Unauthorized"))
    r = f.get(PODS)
    eq(r.status, 403)
    eq(r.json()["message"], 'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope')
    eq(f.get("/readyz").status, 200)
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv(), {"Authorization": "Bearer old"})
    f.control("POST", "/tokens", {"add": ["new=bob"], "revoke": ["old"]})
    eq(f.get(PODS, {"Authorization": "Bearer old"}).status, 401)
    eq(f.get(PODS, {"Authorization": "Bearer new"}).status, 200)
    f.load(pod("a"))
    eq(w.next()[0], "ADDED")
    w.close()


@test("403 per kind and verb when forbidden, running watches live on, allowed again", "--token", "t=alice")
def _(f):
    path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
    w = f.watch(path + "?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/forbid", {"kind": "ingresses", "verbs": ["list", "watch"]})
    r = f.get(path)
    eq(r.status, 403)
    eq(r.json()["message"], 'ingresses.networking.k8s.io is forbidden: User "alice" cannot list resource "ingresses" in API group "networking.k8s.io" in the namespace "default"')
    eq(r.json()["details"], {"group": "networking.k8s.io", "kind": "ingresses"})
    eq(f.request("POST", path, {"metadata": {"name": "i"}, "spec": {}}).status, 201)
    eq(w.next()[0], "ADDED")
    w.close()
    f.control("POST", "/allow", {"kind": "*"})
    eq(f.get(path).status, 200)


@test("404 of an unknown group is plain text, of an unknown resource a Status; unserving ends watches")
def _(f):
    r = f.get("/apis/cilium.io/v2/ciliumnetworkpolicies")
    eq((r.status, r.headers["content-type"], r.body), (404, "text/plain; charset=utf-8", b"404 page not found\n"))
    r = f.get("/api/v1/unicorns")
    eq(r.status, 404)
    eq(r.json(), {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                  "message": "the server could not find the requested resource", "reason": "NotFound", "details": {}, "code": 404})
    path = "/apis/networking.k8s.io/v1/ingresses"
    w = f.watch(path + "?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/serve", {"kind": "ingresses", "served": False})
    eq((w.next(), w.end), (None, "clean"))
    eq(f.get(path).status, 404)
    f.control("POST", "/serve", {"kind": "ingresses", "served": True})
    eq(f.get(path).status, 200)


@test("a kind registered at run time is served, listed as custom resources are, and discovered")
def _(f):
    path = "/apis/openreports.io/v1alpha1/reports"
    eq(f.get(path).status, 404)
    f.control("POST", "/kinds", {"group": "openreports.io", "version": "v1alpha1", "resource": "reports", "kind": "Report", "shortNames": ["ore"]})
    f.load({"kind": "Report", "apiVersion": "openreports.io/v1alpha1", "metadata": {"name": "r"}, "results": []})
    r = f.get(path)
    true(r.body.startswith(b'{"apiVersion":"openreports.io/v1alpha1","items":[{"apiVersion":"openreports.io/v1alpha1","kind":"Report","metadata":{"name":"r"'), r.body[:160])
    true(re.search(rb'\],"kind":"ReportList","metadata":\{"continue":"","resourceVersion":"\d+"\}\}\n$', r.body), r.body[-120:])
    groups = [g["name"] for g in f.get("/apis").json()["groups"]]
    true("openreports.io" in groups and "apps" in groups, groups)
    res = f.get("/apis/openreports.io/v1alpha1").json()
    eq((res["kind"], res["resources"][0]["name"], res["resources"][0]["shortNames"]), ("APIResourceList", "reports", ["ore"]))
    eq(f.get("/api").json()["versions"], ["v1"])
    true("pods" in [x["name"] for x in f.get("/api/v1").json()["resources"]])


# ---- TLS ----------------------------------------------------------------------------------------

@test("TLS with a CA of its own, client certificates, swaps of leaf and CA", "TLS")
def _(f):
    eq(f.get(PODS).status, 200)
    f.headers = {}
    eq(f.request("GET", PODS, cert=f.cert).status, 200)
    live = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv(), {"Authorization": "Bearer t"})
    for swap in ("ca", "expired", "wrong-name"):
        f.control("POST", "/tls", {"swap": swap})
        try:
            f.connect()
            raise AssertionError("verified " + swap)
        except ssl.SSLCertVerificationError:
            pass
    f.control("POST", "/tls", {"swap": "leaf"})
    f.connect().close()
    f.load(pod("a"))
    eq(live.next()[0], "ADDED")
    live.close()
    f.control("POST", "/tls", {"swap": "ca", "write_ca": True})
    f.connect().close()
    true(f.control("GET", "/stats")["tls_failures"] >= 3)


@test("large answers over TLS arrive whole and unchanged", "TLS")
def _(f):
    f.control("POST", "/seed", {"pods": 400, "pod_bytes": 14400})
    body = f.get(PODS).body
    items = json.loads(body)["items"]
    eq(len(items), 400)
    mean = len(body) / 400
    true(13900 < mean < 14900, mean)
    one = items[7]
    eq(f.get("/api/v1/namespaces/%s/pods/%s" % (one["metadata"]["namespace"], one["metadata"]["name"])).json(),
       {"kind": "Pod", "apiVersion": "v1", **one})


@test("malformed requests get an answer or a close, and harm nobody")
def _(f):
    cases = [b"GARBAGE\r\n\r\n", b"GET noslash HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
             b"GET /%00 HTTP/1.1\r\n\r\n", b"GET /%zz HTTP/1.1\r\n\r\n", b"POST /api/v1/namespaces HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
             b"POST /api/v1/namespaces HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
             b"POST /api/v1/namespaces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET /" + b"a/" * 40 + b" HTTP/1.1\r\n\r\n",
             b"A" * 70000, b"\x16\x03\x01\x00\xff" * 10 + b"\r\n\r\n"]
    for data in cases:
        c = f.connect(timeout=3)
        c.sock.sendall(data)
        try:
            status, _ = c.head()
            true(400 <= status < 500, (data[:40], status))
        except Cut:
            pass
        c.close()
    body = json.dumps({"metadata": {"name": "chunky"}}).encode()
    c = f.connect()
    c.sock.sendall(b"POST /api/v1/namespaces HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % 5 + body[:5]
                   + b"\r\n%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\n\r\n")
    eq(c.head()[0], 201)
    c.body()
    eq(c.head()[0], 200)
    eq(c.body(), b"ok")
    c.close()
    c = f.connect()
    for b in b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n":
        c.sock.sendall(bytes([b]))
    eq(c.head()[0], 200)
    c.close()


# ---- kubectl ------------------------------------------------------------------------------------

@test("kubectl creates, runs, exposes, applies, labels, scales and deletes", "KUBECTL")
def _(f):
    def k(*args, stdin=None):
        r = subprocess.run(["kubectl", "--kubeconfig", f.kubeconfig, "--request-timeout=20s", *args], input=stdin,
                           capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": f.dir})
        eq(r.returncode, 0, " ".join(args) + ": " + r.stderr)
        return r.stdout
    k("create", "namespace", "test-ns")
    k("run", "test-pod", "--image=nginx", "-n", "test-ns")
    k("create", "deployment", "test-app", "--image=nginx", "-n", "test-ns")
    k("expose", "deployment", "test-app", "--type=LoadBalancer", "--port=80", "-n", "test-ns")
    k("label", "namespace", "test-ns", "environment=production")
    k("scale", "deployment/test-app", "--replicas=3", "-n", "test-ns")
    ing = json.dumps({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "test-ns"},
                      "spec": {"rules": [{"host": "test.example.com"}]}})
    true("created" in k("apply", "-f", "-", stdin=ing))
    true("unchanged" in k("apply", "-f", "-", stdin=ing))
    true("configured" in k("apply", "--validate=false", "-f", "-", stdin=ing.replace("test.ex", "other.ex")))
    true("serverside-applied" in k("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=ing))
    true("test-app" in k("get", "deploy,svc,pods,ing,netpol", "-n", "test-ns"))
    d = json.loads(k("get", "deploy/test-app", "-n", "test-ns", "-o", "json"))
    eq(d["spec"]["replicas"], 3)
    eq(json.loads(k("get", "svc/test-app", "-n", "test-ns", "-o", "json"))["spec"]["type"], "LoadBalancer")
    k("delete", "pod", "test-pod", "-n", "test-ns", "--timeout=10s")
    k("delete", "namespace", "test-ns", "--timeout=10s")
    true("test-ns" not in k("get", "ns"))


if __name__ == "__main__":
    sys.exit(main())
