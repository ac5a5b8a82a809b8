#!/usr/bin/env python3
"""The daemon's flags, environment and refusals: exit status and exact sentences."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from lab import BUILD  # noqa: E402
from tap import check, equal, finish  # noqa: E402

DAEMON = os.path.join(BUILD, "netauditd")
FOLDER = tempfile.TemporaryDirectory(prefix="netauditd-test-")
HEAD = "apiVersion: netauditd/v1\nkind: Config\n"


def run(*args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NETAUDIT", "KUBE", "STATE_DIRECTORY"))}
    clean["HOME"] = FOLDER.name
    done = subprocess.run([DAEMON, *args], capture_output=True, text=True, timeout=30, env={**clean, **env}, cwd=FOLDER.name)
    return done.returncode, done.stdout, done.stderr


def write(name, text):
    path = os.path.join(FOLDER.name, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


status, out, err = run("--help")
check("--help answers on stdout with status 0", status == 0 and "--check-config" in out and not err, out + err)
status, out, err = run("--version")
check("--version names the program", status == 0 and out.startswith("netauditd "), out + err)

for fact, args, sentence in (
        ("an unknown flag names the nearest", ["--confg", "x"], "netauditd: unknown flag --confg; did you mean --config?; see netauditd --help\n"),
        ("a flag without its value", ["--db"], "netauditd: --db needs a value: FILE\n"),
        ("a switch with a value", ["--check-config=yes"], "netauditd: --check-config takes no value\n"),
        ("a stray word", ["start"], "netauditd: unexpected argument 'start'; see netauditd --help\n"),
        ("a bad log format", ["--log-format", "xml"], "netauditd: log format 'xml': must be auto, logfmt, json or journald\n"),
        ("an address without a port", ["--listen", "here"], "netauditd: --listen 'here': must be an address and a port, such as 127.0.0.1:8844\n"),
        ("a configuration that is not there", ["--config", "absent.yaml"], "netauditd: open 'absent.yaml': No such file or directory\n"),
):
    status, out, err = run(*args)
    equal(fact, (status, err), (2, sentence))

good = write("good.yaml", HEAD + "store: {path: /nowhere/x.db}\n")
bad = write("bad.yaml", HEAD + "store:\n  pth: x\n")
unknown_rule = write("rule.yaml", HEAD + "rules:\n  no-such-policy/*: {}\n")
equal("a good file is said to be good", run("--config", good, "--check-config"), (0, good + ": configuration is good\n", ""))
equal("a bad one has one sentence", run("--config", bad, "--check-config"),
      (2, "", "netauditd: %s:4:3: store.pth: unknown key; did you mean 'path'?\n" % bad))
status, out, err = run("--config", unknown_rule, "--check-config")
check("a pattern that matches no rule is an error", status == 2 and unknown_rule in err and "no-such-policy" in err, err)

status, out, err = run("--config", good, "--print-config", "--db", "/flag.db")
check("a flag beats the file", status == 0 and 'path: "/flag.db"' in out, out + err)
status, out, err = run("--print-config", NETAUDITD_CONFIG=good, NETAUDITD_DB="/env.db")
check("the environment beats the file", status == 0 and 'path: "/env.db"' in out, out + err)
status, out, err = run("--print-config", "--db", "/flag.db", NETAUDITD_DB="/env.db")
check("a flag beats the environment", status == 0 and 'path: "/flag.db"' in out, out + err)
status, out, err = run("--print-config", STATE_DIRECTORY="/var/lib/x:/y")
check("the database stands in the state directory", status == 0 and 'path: "/var/lib/x/netauditd.db"' in out, out + err)
printed = write("printed.yaml", out)
check("what --print-config prints is a good configuration", run("--config", printed, "--check-config")[0] == 0)

status, out, err = run("--kubeconfig", "absent", "--db", os.path.join(FOLDER.name, "a.db"), "--log-format", "logfmt")
check("a kubeconfig that is not there is named", status == 1 and "absent" in err and "cannot start" in err, err)
kubeconfig = write("kubeconfig", "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
                   "users: [{name: u, user: {token: t}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n")
status, out, err = run("--kubeconfig", kubeconfig, "--db", good + "/x.db", "--log-format", "json")
check("a database that cannot be made is named", status == 1 and "good.yaml" in err and '"msg":"cannot start"' in err, err)
finish()
