#!/usr/bin/env bash
# run.sh [NAME...]: the measurements of tests/bench, each one JSON line per measure on stdout, progress on stderr.
set -u
cd "$(dirname "$0")/../.."
exec python3 tests/bench/bench.py "$@"
