#!/usr/bin/env python3
"""What the service manager is told: READY with the first log lines, the watchdog, reloads, the end; and the unit itself."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from lab import Lab, LabError  # noqa: E402
from tap import check, equal, finish, skip  # noqa: E402

UNIT = os.path.join(HERE, "../../systemd/netauditd.service")


def received(sock, want, seconds=5):
    """Every message until one holds `want`, or time is over."""
    messages, until = [], time.monotonic() + seconds
    while time.monotonic() < until and not any(want in m for m in messages):
        sock.settimeout(max(0.01, until - time.monotonic()))
        try:
            messages.append(sock.recv(4096).decode())
        except socket.timeout:
            break
    return messages


lab = Lab("netauditd-notify-")
try:
    path = os.path.join(lab.folder, "notify")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000")
    lab.start_fake()
    lab.start_daemon()
    messages = received(sock, "STATUS=watching")
    check("READY=1 comes at start", any("READY=1" in m for m in messages), messages)
    check("STATUS tells what is watched after the first sync", any(m.startswith("STATUS=watching 10 kinds") for m in messages), messages)
    check("READY=1 comes before the sync is told", [m for m in messages if "READY=1" in m or "STATUS=watching" in m][0].startswith("READY=1"), messages)
    check("the watchdog is fed", sum("WATCHDOG=1" in m for m in received(sock, "never", 1)) >= 3)
    lab.daemon.send_signal(signal.SIGHUP)
    messages = received(sock, "READY=1")
    check("a reload is announced with its time", any("RELOADING=1\nMONOTONIC_USEC=" in m for m in messages), messages)
    check("and its end", any("READY=1" in m for m in messages), messages)
    log = lab.log()
    check("msg=listening stands before msg=synced", 0 <= log.find("msg=listening addr=") < log.find("msg=synced kinds="), log)
    lab.stop_daemon()
    check("STOPPING=1 comes at the end", any("STOPPING=1" in m for m in received(sock, "STOPPING=1")))
    check("msg=stopped is the last line", lab.log().rstrip().splitlines()[-1].endswith("msg=stopped"), lab.log())
except LabError as error:
    check("the daemon runs", False, "%s\n%s" % (error, lab.log()))
finally:
    lab.end()

installed = tempfile.mkdtemp(prefix="netauditd-install-")
try:
    done = subprocess.run(["make", "-s", "install", "DEPS=0", "DESTDIR=" + installed, "PREFIX=/usr", "SAN=" + os.environ.get("SAN", "0")],
                          cwd=os.path.join(HERE, "../.."), capture_output=True, text=True, check=False,
                          env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")})
    equal("make install needs nothing but DESTDIR and PREFIX", (done.returncode, done.stderr), (0, ""))
    with open(os.path.join(installed, "usr/lib/systemd/system/netauditd.service"), encoding="utf-8") as source:
        text = source.read()
    named = re.findall(r"^ExecStart=(\S+)|file:(\S+)", text, re.M)
    missing = [a or b for a, b in named if not os.path.exists(installed + (a or b))]
    check("what the installed unit names is installed", len(named) == 3 and not missing and "DIR@" not in text, (named, missing))
finally:
    shutil.rmtree(installed, ignore_errors=True)

if shutil.which("systemd-analyze"):
    unit = os.path.join("/tmp", "netauditd-%d.service" % os.getpid())
    with open(UNIT, encoding="utf-8") as source, open(unit, "w", encoding="utf-8") as out:
        out.write(source.read().replace("@BINDIR@", "/usr/bin"))
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=12", unit], capture_output=True, text=True, check=False)
    os.unlink(unit)
    equal("the unit's exposure is at most 1.2", done.returncode, 0)
else:
    skip("the unit's exposure is at most 1.2", "systemd-analyze is not installed")
finish()
