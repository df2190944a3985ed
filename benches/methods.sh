#!/usr/bin/env bash
# Times estimators and methods beside other libraries on the same inputs, in turn: bash benches/methods.sh [DIR]
#
# DIR (target/peers unless given) gets a Python environment from PyPI and the inputs of peers.sh. Takes about eight
# minutes; ROUNDS=1 for three. Needs python3 with venv, and cargo.
set -euo pipefail
folder=$(realpath -m "${1:-"$(dirname "$0")/../target/peers"}")
cd "$(dirname "$0")"

packages=(numpy numba scipy scikit-learn==1.9.1 pandas==3.1.1)
packages+=(skfolio==1.12.2 riskfolio-lib==7.4.0 PyPortfolioOpt==1.6.0)
python=$folder/libraries/bin/python
[ -x "$python" ] || python3 -m venv "$folder/libraries"
"$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
names='numpy|numba|scipy|scikit-learn|pandas|skfolio|riskfolio-lib|pyportfolioopt|cvxpy|clarabel'
"$python" -m pip list --format freeze | grep -iE "^($names)=" >&2

export PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=$folder/data/numba
"$python" inputs.py "$folder/data"
"$python" methods_peers.py "$folder/data"
