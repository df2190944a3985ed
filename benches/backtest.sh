#!/usr/bin/env bash
# Times backtests beside one numba function, in turn: bash benches/backtest.sh [DIR]
#
# DIR (target/peers unless given) gets a Python environment. Takes about two minutes; ROUNDS=1 for less. Needs python3 with
# venv, and cargo.
set -euo pipefail
folder=$(realpath -m "${1:-"$(dirname "$0")/../target/peers"}")
cd "$(dirname "$0")"

python=$folder/libraries/bin/python
[ -x "$python" ] || python3 -m venv "$folder/libraries"
"$python" -m pip install --quiet --disable-pip-version-check numpy numba
"$python" -m pip list --format freeze | grep -iE '^(numpy|numba)=' >&2

export PYTHONDONTWRITEBYTECODE=1 NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$python" backtest_peers.py "$folder/data"
