#!/usr/bin/env bash
# Times equirisk and its peers in turn on the same inputs, and prints the ratios: bash benches/peers.sh [DIR [CASE...]]
#
# DIR (target/peers unless given) gets a Python environment from PyPI and 470 MB of inputs. All cases take about ten
# minutes: W1/n for n = 5, 10, 20, 50, 100, 200, 500; W2/iid, W2/20, W2/75; W3/4, W3/5. Needs python3 with venv, and cargo.
set -euo pipefail
folder=$(realpath -m "${1:-"$(dirname "$0")/../target/peers"}")
cd "$(dirname "$0")"

# riskparityportfolio does not declare what it imports.
packages=(numpy numba riskparityportfolio==0.6.0 jax tqdm quadprog)
python=$folder/python/bin/python
[ -x "$python" ] || python3 -m venv "$folder/python"
"$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
"$python" -m pip list --format freeze | grep -E '^(numpy|numba|riskparityportfolio)=' >&2

export PYTHONDONTWRITEBYTECODE=1
"$python" inputs.py "$folder/data"
"$python" compare.py "$folder/data" "${@:2}"
