#!/usr/bin/env python3
"""Random small worlds with one malformed policy: the engine complains of it, and answers the rest as the oracle does.

ORACLE_RUNS=n as in run_oracle.py, of which it does a quarter; LONG=1 does 5,000.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import generate  # noqa: E402
import malformed  # noqa: E402
import model  # noqa: E402
import tap  # noqa: E402
from compare import Server  # noqa: E402
from shrink import shown  # noqa: E402

SEED = 700000
RUNS = int(os.environ.get("ORACLE_RUNS") or (20000 if os.environ.get("LONG") else 2000)) // 4


def main():
    server = Server()
    tried = different = 0
    for seed in range(SEED, SEED + RUNS):
        maker = generate.Maker(seed)
        made = malformed.spoil(maker, maker.world())
        if made is None:
            continue
        objects, place = made
        tried += 1
        rest = model.answer(objects[:place] + objects[place + 1:])
        lines = malformed.difference(rest, server.ask(objects), objects[place])
        if lines:
            different += 1
            if different <= 10:
                print(shown(seed, [objects[place]], lines), flush=True)
    ended_well = server.close()
    tap.check("a malformed policy is complained of, the rest judged: %d random worlds from seed %d" % (tried, SEED), not different and tried > RUNS // 2,
              "%d worlds differ" % different)
    tap.check("the engine's process ends well", ended_well)
    tap.finish()


main()
