#!/usr/bin/env python3
"""Random small worlds: the C engine and the oracle must answer alike, in matrix and verdicts. A difference is shrunk and printed.

  ORACLE_RUNS=n, --runs n   how many worlds (2,000; with LONG=1 20,000)
  --seed n                  the first seed (1)
  --family NAME             only policies of one family (network, cluster, admin, cilium); may be given several times
  --keep-going              show every difference, not only the first ten
"""
import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import generate  # noqa: E402
import model  # noqa: E402
import tap  # noqa: E402
from compare import Server, difference  # noqa: E402
from shrink import shrink, shown  # noqa: E402

SHOWN = 10


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = 20000 if os.environ.get("LONG") else 2000
    parser.add_argument("--runs", type=int, default=int(os.environ.get("ORACLE_RUNS") or default))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", action="append")
    parser.add_argument("--keep-going", action="store_true")
    return parser.parse_args()


def main():
    asked = options()
    server = Server()
    different, counts, start = 0, {"pairs": 0, "unknown": 0, "verdicts": 0}, time.time()

    def ask_both(objects):
        return model.answer(objects), server.ask(objects)

    for seed in range(asked.seed, asked.seed + asked.runs):
        objects = generate.world(seed, asked.family)
        ours, theirs = ask_both(objects)
        counts["pairs"] += len(ours["matrix"]["connections"])
        counts["unknown"] += sum(1 for item in ours["matrix"]["connections"] if item["unknown"])
        counts["verdicts"] += 2 * len(ours["verdicts"])
        if difference(ours, theirs):
            different += 1
            small = shrink(objects, lambda candidate: difference(*ask_both(candidate)))
            print(shown(seed, small, difference(*ask_both(small))), flush=True)
            if different == SHOWN and not asked.keep_going:
                break
    ended_well = server.close()
    tap.check("oracle and engine agree on %d random worlds from seed %d (%d connections, %d of them unknown, %d verdicts, %.0f s)" % (
        asked.runs, asked.seed, counts["pairs"], counts["unknown"], counts["verdicts"], time.time() - start), not different,
        "%d worlds differ" % different)
    tap.check("the random worlds are of every sort", asked.family or asked.runs < 500 or (counts["unknown"] and counts["pairs"] > 10 * asked.runs))
    tap.check("the engine's process ends well", ended_well)
    tap.finish()


main()
