#!/usr/bin/env bash
# Compares all pictures again and again on a busy machine: one that fails now and then doesn't wait for the right thing.
#   tools/pictures-under-load.sh [ROUNDS [PYTEST-ARGUMENTS...]]
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-20}
busy=()
trap 'kill "${busy[@]}"' EXIT
for _ in 1 2 3 4 5 6 7 8; do
  (while :; do :; done) &
  busy+=($!)
done
for round in $(seq "$rounds"); do
  echo "round $round of $rounds"
  .venv/bin/python -m pytest -q -m picture -n "${WORKERS:-2}" tests/tui "${@:2}"
done
