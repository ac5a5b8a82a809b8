#!/usr/bin/env python3
"""The fake API server's control port and the faults it brings. Prints TAP; every test has a server of its own."""
import gzip
import json
import os
import socket
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fakelib import *  # noqa: E402,F403


# ---- control port -------------------------------------------------------------------------------

@test("seeding is deterministic, dump loads back into the same truth")
def _(f):
    numbers = {"seed": 7, "namespaces": 3, "pods": 25, "services": 4, "networkpolicies": 5, "ingresses": 3, "deployments": 2, "secrets": 2}
    f.control("POST", "/seed", numbers)
    g = Fake("--empty")
    h = Fake("--seed", "7", "--namespaces", "3", "--pods", "25", "--services", "4", "--networkpolicies", "5",
             "--ingresses", "3", "--deployments", "2", "--secrets", "2")
    try:
        dump = f.control("GET", "/dump")
        eq(dump["kind"], "List")
        eq([i["metadata"]["uid"] for i in h.control("GET", "/dump")["items"] if i["kind"] == "Pod"],
           [i["metadata"]["uid"] for i in dump["items"] if i["kind"] == "Pod"])
        n = g.control("POST", "/load?defaults=0", dump)
        eq(n["created"] + n["updated"] + n["unchanged"], len(dump["items"]))

        def strip(d):
            for i in d["items"]:
                i["metadata"].pop("resourceVersion")
            return d["items"]
        eq(strip(g.control("GET", "/dump")), strip(dump))
        eq(g.control("POST", "/load?defaults=0", dump)["updated"], 0)
    finally:
        eq((g.stop(), h.stop()), (0, 0))


@test("load: lists, arrays, JSON lines, replace, and bad input changes nothing")
def _(f):
    f.control("POST", "/load", {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}, "spec": {}}]})
    f.control("POST", "/load", "\n".join(json.dumps(x) for x in (pod("b"), policy("p", ns="n"))))
    eq(f.control("GET", "/count")["objects"]["pods"], 2)
    eq(f.control("POST", "/load?mode=replace", [pod("c")])["deleted"], 2)
    eq(f.control("GET", "/count")["objects"]["networkpolicies"], 1)
    rv = f.rv()
    for bad, text in (('{"kind":', "syntax error"), ([pod("x"), {"kind": "Zebra", "apiVersion": "v1"}], "object 2: no kind 'Zebra'"),
                      ([pod("x"), {"kind": "Pod", "apiVersion": "v1"}], "no metadata.name"), ([pod("x"), 5], "object 2")):
        status, e = f.control("POST", "/load", bad, ok=False)
        eq(status, 400)
        true(text in e["error"], e)
    eq(f.rv(), rv)


@test("control calls refuse unknown paths, methods, keys, kinds and actions with a sentence")
def _(f):
    for method, path, body, code in (("GET", "/nope", None, 404), ("GET", "/seed", None, 405), ("POST", "/seed", {"podz": 1}, 400),
                                     ("POST", "/seed", "[", 400), ("POST", "/delete", {"kind": "zebras"}, 400),
                                     ("POST", "/faults", {"action": "explode"}, 400), ("POST", "/faults", {"action": "close", "ms": 1}, 400),
                                     ("POST", "/faults", {"action": "close", "at": {"event": 1, "byte": 2}}, 400),
                                     ("POST", "/churn", {"rate": 0}, 400), ("POST", "/churn", {"kind": "pods", "labelSelector": "a=none"}, 400),
                                     ("POST", "/settings", {"watch_list": "maybe"}, 400), ("DELETE", "/faults/none", None, 404),
                                     ("POST", "/restore", {"rv": "1"}, 400), ("POST", "/forbid", {"kind": "pods", "verbs": ["eat"]}, 400)):
        status, e = f.control(method, path, body, ok=False)
        eq(status, code, path)
        true(len(e["error"]) > 5)


@test("statistics tell verbs, kinds, versions and user agents; the request log and the watches too")
def _(f):
    f.control("POST", "/stats/reset")
    f.get(PODS + "?resourceVersion=0", {"User-Agent": "netauditd/0.1"})
    w = f.watch(PODS + WATCHLIST)
    w.until(end_mark)
    s = f.control("GET", "/stats")
    rows = {(r["verb"], r["kind"], r["rv"], r["user_agent"]): r["count"] for r in s["by"]}
    eq(rows[("list", "pods", "0", "netauditd/0.1")], 1)
    eq(rows[("watchlist", "pods", "unset", "test_fake/1")], 1)
    eq((s["open_watches"], s["accepted"], s["requests"]), (1, 2, 2))
    q = f.control("GET", "/requests")["requests"]
    eq([(r["verb"], r["open"], r["end"]) for r in q], [("list", False, "done"), ("watchlist", True, "")])
    eq(f.control("GET", "/requests?since=%d" % (q[0]["n"] + 1))["requests"][0]["verb"], "watchlist")
    v = f.control("GET", "/watches")["watches"]
    eq([(x["kind"], x["rv"], x["lag"], x["initial"]) for x in v], [("pods", f.rv(), 0, False)])
    w.close()
    true(f.wait(lambda: f.control("GET", "/stats")["open_watches"] == 0))
    eq(f.control("GET", "/requests")["requests"][1]["end"], "client")


@test("churn: touch, patch and replace at their rate, with a log of moments")
def _(f):
    f.control("POST", "/seed", {"pods": 50, "services": 5})
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/churn", {"rate": 1000, "seconds": 0.2, "seed": 3})
    got = [w.next() for _ in range(200)]
    eq({t for t, _ in got}, {"MODIFIED"})
    stamps = [int(o["metadata"]["annotations"]["fake.netauditd.io/at"]) for _, o in got]
    eq(stamps, sorted(stamps))
    true(w.quiet())
    w.close()
    log = f.control("GET", "/churn/log")
    lines = [json.loads(x) for x in log.decode().splitlines()]
    eq(len(lines), 200)
    eq([x["rv"] for x in lines], [o["metadata"]["resourceVersion"] for _, o in got])
    w = f.watch("/api/v1/services?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/churn", {"kind": "services", "mode": "patch", "objects": 1, "rate": 500, "seconds": 0.01,
                                 "patches": [{"spec": {"type": "NodePort"}}, {"spec": {"type": "ClusterIP"}}]})
    eq([w.next()[1]["spec"]["type"] for _ in range(5)], ["NodePort", "ClusterIP"] * 2 + ["NodePort"])
    f.control("POST", "/churn", {"kind": "services", "mode": "replace", "objects": 1, "rate": 500, "seconds": 0.01})
    got = [w.next() for _ in range(4)]
    eq([t for t, _ in got], ["DELETED", "ADDED", "DELETED", "ADDED"])
    eq(len({o["metadata"]["uid"] for _, o in got}), 3)
    w.close()
    i = f.control("POST", "/churn", {"rate": 10, "seconds": 0})["id"]
    f.control("DELETE", "/churn/" + i)


@test("restore goes back in time: objects, counter, and silence for watches from the future")
def _(f):
    f.load(pod("a"))
    rv = f.rv()
    f.load(pod("b"))
    f.control("POST", "/delete", {"kind": "pods", "name": "a"})
    later = f.rv()
    live = f.watch(PODS + "?watch=1&resourceVersion=" + later)
    f.control("POST", "/restore", {"rv": rv})
    live.next()
    eq(live.end, "cut")
    eq(names(f.get(PODS).json()["items"]), ["a"])
    eq(f.rv(), rv)
    w = f.watch(PODS + "?watch=1&resourceVersion=" + later)
    true(w.quiet())
    w.close()


@test("restart refuses connections for its time and comes back on the same port")
def _(f):
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/restart", {"down_ms": 300, "how": "rst"})
    w.next()
    eq(w.end, "reset")
    try:
        f.connect()
        raise AssertionError("accepted while down")
    except ConnectionRefusedError:
        pass
    true(f.wait(lambda: not socket.socket().connect_ex((f.api.split(":")[1][2:], int(f.api.split(":")[2])))))
    eq(f.get(PODS).status, 200)
    w = f.watch(PODS + "?watch=1&resourceVersion=" + f.rv())
    f.control("POST", "/restart", {"down_ms": 200, "how": "keep", "keep_window": True})
    try:
        f.connect()
        raise AssertionError("accepted while down")
    except ConnectionRefusedError:
        pass
    f.load(pod("a"))
    eq(w.next()[0], "ADDED")
    w.close()


@test("the process exits 0 on SIGTERM and on shutdown, and when its stdin closes; 2 on a bad command line")
def _(f):
    g = Fake()
    g.control("POST", "/shutdown")
    eq(g.proc.wait(10), 0)
    h = Fake()
    h.proc.stdin.close()
    eq(h.proc.wait(10), 0)
    for p in (g, h):
        p.proc.stdout.close()
    for args in (["--zebra"], ["--listen", "x"], ["--pods", "many"], ["extra"], ["--watch-list", "maybe"]):
        eq(subprocess.run([program(), *args], stdin=subprocess.DEVNULL, capture_output=True).returncode, 2, args)
    r = subprocess.run([program(), "--load", "/nonexistent"], stdin=subprocess.DEVNULL, capture_output=True)
    eq((r.returncode, b"/nonexistent" in r.stderr), (1, True))


# ---- faults -------------------------------------------------------------------------------------

def open_watch(f, query=""):
    return f.watch(PODS + "?watch=1&allowWatchBookmarks=true&resourceVersion=" + f.rv() + query)


@test("transport faults hit live watches: close, rst, end, half-open")
def _(f):
    for action, end in (("close", "cut"), ("rst", "reset"), ("end", "clean")):
        w = open_watch(f)
        f.fault(action=action, kind="pods", verb="watch")
        eq((w.next(), w.end), (None, end), action)
    w = open_watch(f)
    f.fault(action="half-open", kind="pods", verb="watch")
    f.load(pod("a"))
    true(w.quiet(0.3))
    w.close()
    w = open_watch(f)
    f.load(pod("b"))
    eq(w.next()[0], "ADDED")
    w.close()


@test("a frame is cut in its middle, at the chosen event and byte")
def _(f):
    for action, end in (("close", "cut"), ("rst", "reset"), ("end", "clean")):
        w = open_watch(f)
        f.fault(action=action, verb="watch", at={"event": 1}, frame_bytes=50)
        f.load(pod("x-" + action), pod("y-" + action))
        eq(w.next()[1]["metadata"]["name"], "x-" + action)
        eq((w.next(), w.end), (None, end))
        if action != "rst":
            eq(w.data[:32], b'{"type":"ADDED","object":{"kind"')
            eq(len(w.data), 50, action)
    f.fault(action="close", verb="list", at={"byte": 100})
    try:
        f.get(PODS)
        raise AssertionError("whole")
    except Cut as c:
        true(not c.reset)
        eq(len(c.data), 100)
    eq(f.get(PODS).status, 200)


@test("at every byte: a list cut anywhere is never taken for whole")
def _(f):
    f.load(service("s"))
    whole = f.get("/api/v1/services").body
    for n in range(0, len(whole), 37):
        f.fault(action="close", verb="list", kind="services", at={"byte": n})
        try:
            f.get("/api/v1/services")
            raise AssertionError("whole at %d" % n)
        except Cut as c:
            eq(c.data, whole[:n])


@test("stall, delay and drip slow a stream down and lose nothing")
def _(f):
    w = open_watch(f)
    f.fault(action="stall", verb="watch", at={"event": 0}, ms=300)
    t = time.time()
    f.load(pod("a"))
    eq(w.next()[1]["metadata"]["name"], "a")
    true(time.time() - t > 0.25)
    w.close()
    f.fault(action="delay", verb="list", ms=200)
    t = time.time()
    f.get(PODS)
    true(time.time() - t > 0.18)
    whole = f.get(PODS).body
    f.fault(action="drip", verb="list", bytes_per_s=2000)
    t = time.time()
    eq(f.get(PODS).body, whole)
    true(time.time() - t > len(whole) / 2000 * 0.7)


@test("before any answer: close, rst, half-open on a new request; the n-th request; count and removal")
def _(f):
    for action in ("close", "rst"):
        f.fault(action=action, verb="get")
        try:
            f.get(NSPODS + "/a")
            raise AssertionError("answered")
        except Cut as c:
            eq(c.reset, action == "rst")
    f.fault(action="http", status=503, verb="list", kind="pods", at={"request": 2}, count=2)
    eq([f.get(PODS).status for _ in range(5)], [200, 503, 503, 200, 200])
    i = f.fault(action="http", status=500, count=0)
    eq([f.get(PODS).status for _ in range(3)], [500] * 3)
    eq([x["fired"] for x in f.control("GET", "/faults")["faults"] if x["id"] == i], [3])
    f.control("DELETE", "/faults/" + i)
    eq(f.get(PODS).status, 200)
    f.fault(action="http", status=500, count=0, duration_ms=100)
    f.fault(action="http", status=502, count=0, at={"after_ms": 300})
    eq(f.get(PODS).status, 500)
    time.sleep(0.15)
    eq(f.get(PODS).status, 200)
    time.sleep(0.25)
    eq(f.get(PODS).status, 502)


@test("faults keep to their kind, verb, namespace and user agent")
def _(f):
    f.fault(action="http", status=500, kind="services", verb="list", namespace="n", user_agent="net", count=0)
    ua = {"User-Agent": "netauditd/1"}
    eq(f.get("/api/v1/namespaces/n/services", ua).status, 500)
    for path, h in (("/api/v1/namespaces/n/services", {}), ("/api/v1/namespaces/m/services", ua), ("/api/v1/services", ua),
                    ("/api/v1/namespaces/n/pods", ua)):
        eq(f.get(path, h).status, 200, path)


@test("event faults: drop, duplicate, reorder")
def _(f):
    w = open_watch(f)
    f.fault(action="drop-event", verb="watch", at={"event": 1})
    f.fault(action="duplicate", verb="watch", at={"event": 2}, times=2)
    f.fault(action="reorder", verb="watch", at={"event": 3})
    f.load(*[pod("p%d" % i) for i in range(6)])
    eq([w.next()[1]["metadata"]["name"] for _ in range(7)], ["p0", "p2", "p2", "p2", "p4", "p3", "p5"])
    w.close()


@test("ERROR events of any code come into live watches at once")
def _(f):
    for code in (410, 500, 429):
        w = open_watch(f)
        f.fault(action="error-event", kind="pods", code=code)
        t, o = w.next()
        eq((t, o["kind"], o["code"]), ("ERROR", "Status", code))
        eq((w.next(), w.end), (None, "clean"))
    w = open_watch(f)
    f.fault(action="error-event", kind="pods", code=410, end=False, at={"event": 1})
    f.load(pod("a"), pod("b"))
    eq([w.next()[0] for _ in range(3)], ["ADDED", "ERROR", "ADDED"])
    w.close()


@test("strange frames: unknown type, raw, garbage, huge, deep, bad UTF-8, bookmarks at any version")
def _(f):
    w = open_watch(f)
    f.load(pod("a"))
    w.next()
    f.fault(action="unknown-event", type="FOO")
    eq(w.next()[0], "FOO")
    f.fault(action="raw-frame", data='{"type":"ADDED"}')
    eq(w.line(), b'{"type":"ADDED"}')
    f.fault(action="garbage")
    eq(len(w.line()), 64)
    f.fault(action="huge-frame", bytes=3000000)
    t, o = w.next()
    eq((t, o["metadata"]["name"], len(o["metadata"]["fakePadding"])), ("MODIFIED", "a", 3000000))
    f.fault(action="deep-frame", depth=5000)
    true(b"[" * 5000 + b"]" * 5000 in w.line())
    f.fault(action="bad-utf8")
    true(b"\xc3\x28\xff" in w.line())
    f.fault(action="bookmark", rv="99999", initial_events_end=True)
    t, o = w.next()
    true(end_mark(t, o) and o["metadata"]["resourceVersion"] == "99999")
    f.load(pod("b"))
    eq(w.next()[1]["metadata"]["name"], "b")
    w.close()


@test("bad HTTP answers: every body kind, Retry-After, plain 429, own bytes and headers")
def _(f):
    f.fault(action="http", status=429)
    r = f.get(PODS)
    eq((r.status, r.body, r.headers["retry-after"]), (429, b"Too many requests, please try again later.\n", "1"))
    true(r.headers["content-type"].startswith("text/plain"))
    for body, check in (("status", lambda r: r.json()["code"] == 503), ("empty", lambda r: r.body == b""),
                        ("garbage", lambda r: b"\xff" in r.body), ("html", lambda r: r.body.startswith(b"<html>")),
                        ("truncated", lambda r: r.body.startswith(b'{"kind":"Status"') and b"code" not in r.body)):
        f.fault(action="http", status=503, body=body, retry_after="7", headers={"X-A": "b"})
        r = f.get(PODS)
        true(r.status == 503 and check(r) and r.headers["retry-after"] == "7" and r.headers["x-a"] == "b", body)
    f.fault(action="body", data="<html>", content_type="text/html")
    r = f.get(PODS)
    eq((r.status, r.body, r.headers["content-type"]), (200, b"<html>", "text/html"))


@test("lying lists: Table, {}, cut with a clean end, short, no version, empty page, wrong headers, gzip bombs")
def _(f):
    f.load(*[pod("p%d" % i) for i in range(6)])
    f.fault(action="table")
    eq(f.get(PODS).json()["kind"], "Table")
    f.fault(action="empty-object")
    eq(f.get(PODS).json(), {})
    f.fault(action="truncate-list", items=2, frame_bytes=20)
    body = f.get(PODS).body
    eq(body.count(b'"podIP"') + body.count(b'{"metadata":{"name":"p'), 2)
    true(not body.endswith(b"]}\n"))
    f.fault(action="short-list", items=2)
    eq(len(f.get(PODS).json()["items"]), 2)
    for value in (None, "", "0", "abc"):
        f.fault(action="list-rv", **({} if value is None else {"value": value}))
        eq(f.get(PODS).json()["metadata"].get("resourceVersion"), value)
    f.fault(action="empty-page")
    r = f.get(PODS + "?limit=2").json()
    eq(r["items"], [])
    eq(names(f.get(PODS + "?limit=9&continue=" + r["metadata"]["continue"]).json()["items"]), ["p%d" % i for i in range(6)])
    f.fault(action="limit-ignored")
    eq(len(f.get(PODS + "?limit=2").json()["items"]), 6)
    f.fault(action="content-type", value="text/html")
    eq(f.get(PODS).headers["content-type"], "text/html")
    f.fault(action="content-length", delta=-5)
    r = f.get(PODS)
    eq(int(r.headers["content-length"]), len(r.body))
    try:
        r.json()
        raise AssertionError("whole")
    except ValueError:
        pass
    f.fault(action="content-length", delta=5)
    try:
        f.get(PODS)
        raise AssertionError("whole")
    except Cut:
        pass
    f.fault(action="gzip")
    eq(len(json.loads(gzip.decompress(f.get(PODS).body))["items"]), 6)
    f.fault(action="gzip-bomb", bytes=50000000)
    body = f.get(PODS).body
    true(len(body) < 1000000 and len(zlib.decompress(body, 31)) > 50000000)
    f.fault(action="item-kinds")
    eq(f.get(PODS).json()["items"][0]["kind"], "Pod")
    f.fault(action="shuffle")
    r = names(f.get(PODS).json()["items"])
    eq(sorted(r), ["p%d" % i for i in range(6)])
    f.fault(action="date-skew", ms=3600000)
    true(f.get(PODS).headers["date"] != f.get(PODS).headers["date"])


@test("a stale replica lags behind in lists and watches")
def _(f):
    f.load(*[pod("p%d" % i) for i in range(6)])
    f.fault(action="stale", lag=2, verb="list")
    r = f.get(PODS).json()
    eq(names(r["items"]), ["p0", "p1", "p2", "p3"])
    eq(int(r["metadata"]["resourceVersion"]), int(f.rv()) - 2)
    f.fault(action="stale", lag=2, verb="watch")
    w = f.watch(PODS + WATCHLIST)
    eq(len(w.until(end_mark)), 5)
    true(w.quiet())
    f.load(pod("p6"))
    eq(w.next()[1]["metadata"]["name"], "p4")
    true(w.quiet())
    w.close()


@test("watch requests misled: no bookmarks, storms, very short, endless, ignored and refused streaming")
def _(f):
    f.load(pod("a"))
    f.fault(action="no-bookmarks", verb="watch")
    w = f.watch(PODS + WATCHLIST)
    eq(w.next()[0], "ADDED")
    true(w.quiet())
    w.close()
    f.fault(action="bookmark-storm", interval_ms=1)
    w = f.watch(PODS + WATCHLIST)
    eq([w.next()[0] for _ in range(12)], ["ADDED"] + ["BOOKMARK"] * 11)
    w.close()
    f.fault(action="watch-timeout", ms=0, count=2)
    for _ in range(2):
        w = open_watch(f)
        eq((w.next(), w.end), (None, "clean"))
    f.fault(action="watchlist-endless")
    w = f.watch(PODS + WATCHLIST)
    w.next()
    true(w.quiet())
    f.load(pod("b"))
    eq(w.next()[1]["metadata"]["name"], "b")
    w.close()
    f.fault(action="watchlist-refused")
    eq(f.get(PODS + WATCHLIST).status, 422)
    f.fault(action="watchlist-ignored")
    w = f.watch(PODS + WATCHLIST)
    eq([w.next()[0] for _ in range(2)], ["ADDED"] * 2)
    true(w.quiet())
    w.close()
    f.fault(action="watchlist-refused")
    w = open_watch(f)
    eq(w.status, 200)
    w.close()
    w = f.watch(PODS + WATCHLIST)
    w.until(end_mark)
    f.control("POST", "/connections", {"action": "end", "kind": "pods", "verb": "watch"})
    eq((w.next(), w.end), (None, "clean"))


@test("a list is cut when it outlives the request timeout", "--request-timeout-ms", "300")
def _(f):
    f.load(pod("a"))
    f.fault(action="drip", verb="list", bytes_per_s=100)
    try:
        f.get(PODS)
        raise AssertionError("whole")
    except Cut:
        pass


@test("a storm of everything at once: many clients, churn and random faults; the truth stays readable and nothing leaks", "--window", "500")
def _(f):
    import random
    import threading
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)
    print("# seed %d" % seed)
    rnd = random.Random(seed)
    f.control("POST", "/seed", {"pods": 60, "services": 10, "networkpolicies": 10, "pod_bytes": 4000})
    actions = ["close", "rst", "end", "half-open", "stall", "drip", "delay", "drop-event", "duplicate", "reorder", "error-event",
               "unknown-event", "raw-frame", "huge-frame", "deep-frame", "bad-utf8", "garbage", "bookmark", "http", "body", "table",
               "empty-object", "truncate-list", "short-list", "list-rv", "empty-page", "limit-ignored", "stale", "content-type",
               "content-length", "gzip", "no-bookmarks", "bookmark-storm", "watch-timeout", "watchlist-endless", "watchlist-ignored",
               "watchlist-refused", "ignore-as", "item-kinds", "shuffle", "date-skew"]
    stop = time.time() + (20 if os.environ.get("LONG") else 4)
    paths = [PODS, "/api/v1/services", "/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/namespaces/gen-ns-0/pods"]

    def client(n):
        r = random.Random(seed + n)
        while time.time() < stop:
            try:
                c = f.connect(timeout=1)
            except OSError:
                continue
            try:
                for _ in range(r.randrange(1, 4)):
                    q = r.choice([WATCHLIST, "?limit=7", "?resourceVersion=0", "", "?watch=1&resourceVersion=0&allowWatchBookmarks=true",
                                  "?watch=1&timeoutSeconds=1", "?resourceVersion=1&limit=3"])
                    c.send("GET", r.choice(paths) + q, headers={"Accept-Encoding": r.choice(["gzip", "identity"])})
                    c.head()
                    for _ in range(r.randrange(1, 60)):
                        if not (c.chunked and c.chunk()):
                            break
                    else:
                        break
                    c.chunked or c.body()
            except (Cut, OSError, ValueError, IndexError):
                pass
            c.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    while time.time() < stop:
        a = rnd.choice(actions)
        spec = {"action": a, "count": rnd.randrange(1, 3), "duration_ms": 300}
        if a == "huge-frame":
            spec["bytes"] = 300000
        if rnd.random() < 0.5 and a in actions[:18]:
            spec["at"] = {rnd.choice(["event", "byte"]): rnd.randrange(0, 50)}
        f.control("POST", "/faults", spec)
        f.control("POST", "/churn", {"kind": rnd.choice(["pods", "services"]), "rate": rnd.choice([50, 2000]), "seconds": 0.05,
                                     "mode": rnd.choice(["touch", "replace"]), "objects": 20}, ok=False)
        x = rnd.random()
        if x < 0.1:
            f.control("POST", "/restart", {"down_ms": 20, "how": rnd.choice(["close", "rst", "end"])})
        elif x < 0.2:
            f.control("POST", "/compact")
        elif x < 0.3:
            f.control("POST", "/connections", {"action": rnd.choice(["close", "rst", "end", "half-open"])})
        elif x < 0.35:
            f.control("POST", "/serve", {"kind": "pods", "served": False})
            f.control("POST", "/serve", {"kind": "pods", "served": True})
        elif x < 0.4:
            f.control("POST", "/restore", {"rv": f.rv()})
        time.sleep(0.01)
    for t in threads:
        t.join()
    f.control("DELETE", "/faults")
    f.control("DELETE", "/churn")
    true(f.wait(lambda: f.control("GET", "/stats")["open_connections"] == 0))
    dump = f.control("GET", "/dump")["items"]
    got = f.get(PODS).json()["items"]
    eq([i["metadata"]["uid"] for i in got], [i["metadata"]["uid"] for i in dump if i["kind"] == "Pod"])
    w = f.watch(PODS + WATCHLIST)
    eq([o["metadata"]["uid"] for _, o in w.until(end_mark)[:-1]], [i["metadata"]["uid"] for i in got])
    w.close()


if __name__ == "__main__":
    sys.exit(main())
