"""The C engine behind its pipe, and what differs between its answer and the oracle's."""
import json
import os
import subprocess

from lab import BUILD


class Server:
    def __init__(self):
        self.process = None

    def start(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/oracle/reach_server")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, objects):
        if self.process is None:
            self.start()
        text = "\n---\n".join(json.dumps(obj) for obj in objects).encode()
        try:
            self.process.stdin.write(b"%d\n" % len(text) + text)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            status = self.process.wait()
            self.process = None
            return {"died": status, "matrix": {"peers": [], "connections": []}, "verdicts": [], "complaints": []}
        return json.loads(line)

    def close(self):
        """True when the process ended well (with a sanitizer: without a leak)."""
        if self.process is None:
            return True
        self.process.stdin.close()
        return self.process.wait() == 0


def flat(answer):
    """An answer as a dict of single facts."""
    facts = {}
    for peer in answer["matrix"]["peers"]:
        facts["peer " + peer] = True
    for item in answer["matrix"]["connections"]:
        allowed = {protocol: ranges for protocol, ranges in item["allowed"].items() if ranges}
        facts["%s -> %s" % (item["from"], item["to"])] = (allowed, "and unknown") if item["unknown"] else allowed
    for item in answer["verdicts"]:
        for direction in ("ingress", "egress"):
            facts["verdict of %s %s" % (item["workload"], direction)] = item[direction]
    return facts


def difference(ours, theirs):
    """The lines that tell oracle and engine apart; empty when they agree."""
    if theirs.get("died") is not None:
        return ["the engine's process ended with status %d" % theirs["died"]]
    lines = ["the engine complains: %(kind)s %(name)s: %(field)s: %(sentence)s" % item for item in theirs.get("complaints", ())]
    mine, other = flat(ours), flat(theirs)
    for fact in sorted(set(mine) | set(other)):
        if mine.get(fact) != other.get(fact):
            lines.append("%s: oracle %s, engine %s" % (fact, mine.get(fact), other.get(fact)))
    return lines
