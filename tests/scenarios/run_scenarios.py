#!/usr/bin/python3
"""Plays tests/scenarios/*.scn (their README.md says the words) and prints TAP. KEEP=1 keeps the folder of what failed,
JOBS=N plays N at a time (2)."""
import concurrent.futures
import fnmatch
import glob
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from lab import BUILD, Lab, LabError  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    pass


def plural_of(kind):
    """The resource of a kind, as all audited ones are spelt."""
    word = kind.lower()
    return word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith("s") else "s")


def seconds(text):
    m = re.fullmatch(r"([0-9.]+)(ms|s|m)", text)
    if not m:
        raise Failure("bad duration %r" % text)
    return float(m.group(1)) * {"ms": 0.001, "s": 1, "m": 60}[m.group(2)]


class Line:
    def __init__(self, number, text, block):
        self.number, self.words, self.text, self.block = number, text.split(), text, block


class Section:
    def __init__(self, words):
        self.words, self.lines = words, []


def parse(path):
    """[fact, sections]: a section is given/when/then with its lines; a line may carry a block."""
    fact, sections = None, []
    lines = open(path, encoding="utf-8").read().splitlines()
    i = 0
    while i < len(lines):
        raw, i = lines[i], i + 1
        text = raw.strip()
        if fact is None and text.startswith("#"):
            fact = text[1:].strip()
        if not text or text.startswith("#"):
            continue
        indent = len(raw) - len(raw.lstrip())
        if indent == 0:
            words = text.split()
            if words[0] not in ("given", "when", "then"):
                raise Failure("%s:%d: a section is given, when or then" % (path, i))
            sections.append(Section(words))
            continue
        number, block = i, None
        if text.endswith("|"):
            text, block = text[:-1].strip(), []
            while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip()) > indent):
                block.append(lines[i])
                i += 1
            block = textwrap.dedent("\n".join(block)) + "\n"
        if not sections:
            raise Failure("%s:%d: a line before any section" % (path, number))
        sections[-1].lines.append(Line(number, text, block))
    return fact or os.path.basename(path), sections


def split_name(word):
    ns, _, name = word.rpartition("/")
    return ns, name


def complain_of_sanitizers(text):
    at = re.search("(Address|Leak)Sanitizer|runtime error: ", text)
    if at:
        raise Failure("a sanitizer complains: " + text[at.start() : at.start() + 3000])


class World(Lab):
    """The lab, the actions of `given` and `when`, and the questions of `then`."""

    def __init__(self):
        super().__init__("netauditd-scn-")
        self.flags, self.config, self.ran = [], None, None
        self.config_path = os.path.join(self.folder, "config.yaml")

    def write_config(self):
        with open(self.config_path, "w", encoding="utf-8") as f:
            f.write("apiVersion: netauditd/v1\nkind: Config\n" + self.config)

    def launch(self, wait=True):
        config = ["--config", self.config_path] if self.config else []
        self.start_daemon("--log-level", "debug", *config, *[self.filled(f) for f in self.flags], wait=20 if wait else 0)

    def variables(self):
        return {"FOLDER": self.folder, "DB": self.db_path, "LOG": self.log_path, "KUBECONFIG": self.kubeconfig, "API": self.api_url, "CONTROL": self.control_url, "BIN": BUILD,
                "PID": str(self.daemon.pid) if self.daemon else ""}

    def filled(self, text):
        for name, value in self.variables().items():
            text = text.replace("$" + name, value)
        return text

    def shell(self, command):
        """Runs it in the folder with the variables; its status and what it said are asked for by `status` and `said`."""
        try:
            self.ran = subprocess.run(["/bin/sh", "-c", command], cwd=self.folder, env={**os.environ, **self.variables()}, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        except subprocess.TimeoutExpired as late:
            raise Failure("it did not end within 30 s") from late
        complain_of_sanitizers(self.said())

    def said(self):
        return self.ran.stdout.decode(errors="replace") if self.ran else ""

    # ---- acting
    def objects(self, block):
        items = []
        for document in yaml.safe_load_all(block):
            items += document if isinstance(document, list) else [document] if document else []
        self.load(items)

    def act(self, line):
        verb, rest = line.words[0], line.words[1:]
        if verb == "objects":
            self.objects(line.block)
        elif verb == "delete":
            ns, name = split_name(rest[1])
            self.control("POST", "/delete", {"kind": rest[0], "name": name, **({"namespace": ns} if ns else {})})
        elif verb == "patch":
            ns, name = split_name(rest[1])
            self.control("POST", "/patch", {"kind": rest[0], "name": name, **({"namespace": ns} if ns else {}), "patch": yaml.safe_load(line.block)})
        elif verb == "control":
            body = " ".join(rest[2:]) if len(rest) > 2 else line.block
            self.control(rest[0], rest[1], yaml.safe_load(body) if body else None)
        elif verb == "seed":
            self.control("POST", "/seed", {k: int(v) for k, v in (w.split("=") for w in rest)})
        elif verb == "reset":
            self.control("POST", "/stats/reset", {})
        elif verb == "config":
            self.config = line.block
            self.write_config()
        elif verb == "flags":
            self.flags = rest
        elif verb == "sh":
            self.shell(line.block if line.block is not None else line.text.split(None, 1)[1])
        elif verb == "wait":
            time.sleep(seconds(rest[0]))
        elif verb == "daemon" and rest[0] == "start":
            self.launch(wait="unsynced" not in rest)
        elif verb == "daemon" and rest[0] == "hup":
            self.daemon.send_signal(signal.SIGHUP)
        elif verb == "daemon":
            self.stop_daemon({"stop": signal.SIGTERM, "kill": signal.SIGKILL}[rest[0]])
        else:
            raise Failure("unknown action %r" % line.text)

    # ---- asking
    def findings(self, rule, kind, name):
        """(id, state, reason) of every finding that the three words match."""
        ns, name = split_name(name)
        rows = self.rows("SELECT id, policy, rule, subject_kind, COALESCE(namespace, ''), name, state, COALESCE(resolved_reason, '') FROM finding")
        pattern = rule if "/" in rule else "*/" + rule
        return [(r[0], r[6], r[7]) for r in rows if fnmatch.fnmatchcase(r[1] + "/" + r[2], pattern) and fnmatch.fnmatchcase(r[3], kind)
                and fnmatch.fnmatchcase(r[4], ns) and fnmatch.fnmatchcase(r[5], name)]

    def kind_row(self, resource):
        rows = self.rows("SELECT json FROM status")
        for row in json.loads(rows[0][0])["kinds"] if rows else []:
            if plural_of(row["kind"]) == resource.split(".")[0]:
                return row
        return {}

    def requests(self, verb, kind):
        by = json.loads(self.control("GET", "/stats"))["by"]
        return sum(r["count"] for r in by if verb in ("*", r["verb"]) and kind in ("*", r["kind"], r["kind"].split(".")[0]))

    def same(self):
        dump = self.folder + "/dump.json"
        with open(dump, "w", encoding="utf-8") as f:
            f.write(self.control("GET", "/dump"))
        config = ["--config", self.config_path] if self.config else []
        out = subprocess.run([os.path.join(BUILD, "netaudit"), "scan", "--complete", "-o", "json", *config, dump], capture_output=True, text=True)
        # Judged by files alone: a load balancer's unknown provider, and Secrets that the daemon was not told to read.
        apart = {"require-loadbalancer-healthcheck", "require-cert-manager-annotation"} | (set() if "secrets: metadata" in (self.config or "") else {"validate-tls-secret-exists"})
        scanned = {(f["policy"], f["rule"], f["kind"], f["namespace"], f["name"], f["result"]) for f in json.loads(out.stdout) if f["rule"] not in apart}
        stored = set(self.rows("SELECT policy, rule, resource_kind, COALESCE(resource_namespace, ''), resource_name, result FROM policy_report_result"))
        return "" if scanned == stored else "only scan: %s; only daemon: %s" % (sorted(scanned - stored)[:5], sorted(stored - scanned)[:5])

    def ask(self, line):
        """'' when the line holds, else what is there instead."""
        words = line.words
        verb, rest = words[0], words[1:]
        if verb in ("open", "suppressed", "pending", "resolved"):
            found = self.findings(*rest[:3])
            reason = rest[3].split("=")[1] if len(rest) > 3 else None
            holds = any(f[1] == verb and reason in (None, f[2]) for f in found)
            return "" if holds else "found %s" % (found or "nothing")
        if verb == "never":
            found = self.findings(*rest)
            return "found %s" % found if found else ""
        if verb == "not" and rest[0] == "open":
            found = [f for f in self.findings(*rest[1:]) if f[1] == "open"]
            return "found %s" % found if found else ""
        if verb == "history":
            found = self.findings(*rest[:3])
            states = [r[0] for r in self.rows("SELECT to_state FROM transition WHERE finding_id = ? ORDER BY seq", found[0][0])] if found else []
            return "" if states == rest[3:] else "states are %s" % states
        if verb == "cause":
            found = self.findings(*rest[:3])
            got = self.rows("SELECT c.verb, COALESCE(c.kind, ''), COALESCE(c.namespace, ''), COALESCE(c.name, '') FROM transition t JOIN cause c ON c.id = t.cause_id "
                            "WHERE t.finding_id = ? ORDER BY t.seq DESC LIMIT 1", found[0][0]) if found else []
            ns, name = split_name(rest[5])
            return "" if got == [(rest[3], rest[4], ns, name)] else "cause is %s" % got
        if verb == "count":
            n = self.rows("SELECT COUNT(*) FROM finding WHERE state = ?", rest[0])
            return "" if n and n[0][0] == int(rest[1]) else "count is %s" % n
        if verb == "kind":
            row = self.kind_row(rest[0])
            wrong = [w for w in rest[1:] if str(row.get(w.split("=")[0])) != w.split("=")[1]]
            return "row is %s" % row if wrong or not row else ""
        if verb == "requests":
            n = self.requests(rest[0], rest[1])
            holds = n >= int(rest[2][2:]) if rest[2].startswith(">=") else n == int(rest[2])
            return "" if holds else "there were %d" % n
        if verb == "proved":
            ns, name = split_name(rest[2])
            pattern = rest[0] if "/" in rest[0] else "*/" + rest[0]
            got = [r for r in self.rows("SELECT policy, rule, subject_kind, COALESCE(namespace, ''), name, to_ms FROM proved ORDER BY id")
                   if fnmatch.fnmatchcase(r[0] + "/" + r[1], pattern) and r[2:5] == (rest[1], ns, name)]
            holds = got and (got[-1][5] is None) == (rest[3] == "now")
            return "" if holds else "intervals are %s" % got
        if verb == "gap":
            got = self.rows("SELECT kind, reason FROM watch_gap")
            return "" if any(fnmatch.fnmatchcase(k, rest[0]) and r == rest[1] for k, r in got) else "gaps are %s" % got
        if verb == "log":
            return "" if line.text.split(None, 1)[1] in self.log() else "no such line"
        if verb == "no" and rest[0] == "log":
            return "it is there" if line.text.split(None, 2)[2] in self.log() else ""
        if verb == "status":
            return "" if self.ran and self.ran.returncode == int(rest[0]) else "it is %s; said %r" % (self.ran and self.ran.returncode, self.said()[-2000:])
        if verb == "said":
            return "" if line.text.split(None, 1)[1] in self.said() else "it said %r" % self.said()[-2000:]
        if verb == "no" and rest[0] == "said":
            return "it said %r" % self.said()[-2000:] if line.text.split(None, 2)[2] in self.said() else ""
        if verb == "runs":
            return "" if self.daemon.poll() is None else "it ended with status %d" % self.daemon.returncode
        if verb == "sound":
            answer = self.rows("PRAGMA integrity_check") + self.rows("PRAGMA foreign_key_check")
            return "" if answer == [("ok",)] else "SQLite says %s" % answer[:5]
        if verb == "ready":
            return "" if self.synced() else "not synced"
        if verb == "exited":
            status = self.daemon.poll()
            return "" if status == int(rest[0]) else "status is %s" % status
        if verb == "same":
            return self.same()
        raise Failure("unknown question %r" % line.text)

    def then(self, section):
        words = section.words
        limit = seconds(words[2]) if len(words) > 2 else 2
        until = time.monotonic() + limit
        if len(words) > 1 and words[1] == "throughout":
            while time.monotonic() < until:
                for line in section.lines:
                    answer = self.ask(line)
                    if answer:
                        raise Failure("line %d: %s: %s" % (line.number, line.text, answer))
                time.sleep(0.02)
            return
        for line in section.lines:
            answer = self.ask(line)
            while answer:
                if time.monotonic() > until:
                    raise Failure("line %d: %s: %s" % (line.number, line.text, answer))
                time.sleep(0.01)
                answer = self.ask(line)


def play(sections):
    world = World()
    try:
        for i, section in enumerate(sections):
            if section.words[0] == "then":
                world.then(section)
                continue
            if i == 0:
                world.start_fake(*[w for x in section.lines if x.words[0] == "fake" for w in x.words[1:]])
                section.lines = [x for x in section.lines if x.words[0] != "fake"]
            for line in section.lines:
                try:
                    world.act(line)
                except (Failure, LabError) as failure:
                    raise Failure("line %d: %s" % (line.number, failure)) from failure
            if i == 0:
                world.launch(wait="unsynced" not in section.words)
        if world.daemon.poll() is None:
            world.stop_daemon()
        world.log_from = 0
        complain_of_sanitizers(world.log())
    except (Failure, LabError) as failure:
        kept = "\nkept " + world.folder if "KEEP" in os.environ else ""
        raise Failure("%s%s\n%s" % (failure, kept, world.log()[-4000:])) from failure
    finally:
        world.end(keep="KEEP" in os.environ)


def told(path):
    """(fact, complaint or None)"""
    fact = os.path.basename(path)
    try:
        fact, sections = parse(path)
        play(sections)
    except Failure as failure:
        return fact, str(failure)
    except Exception as error:  # one story that cannot be told does not end the others
        return fact, "%s: %s" % (type(error).__name__, error)
    return fact, None


def main():
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(HERE, "*.scn")))
    failed = 0
    print("1..%d" % len(files))
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        for n, (path, (fact, complaint)) in enumerate(zip(files, pool.map(told, files)), 1):
            print("%s %d - %s: %s" % ("not ok" if complaint else "ok", n, os.path.basename(path), fact), flush=True)
            if complaint:
                failed += 1
                print("\n".join("# " + x for x in complaint.splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
