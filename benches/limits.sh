#!/usr/bin/env bash
# Times risk budgeting within limits beside other libraries on the same inputs, in turn: bash benches/limits.sh [DIR]
#
# DIR (target/peers unless given) gets a Python environment and the inputs of peers.sh. Takes about four minutes; ROUNDS=1
# for less. PYRB says where pip finds pyrb, which PyPI has not. Needs python3 with venv, git, and cargo.
set -euo pipefail
folder=$(realpath -m "${1:-"$(dirname "$0")/../target/peers"}")
cd "$(dirname "$0")"

pyrb=${PYRB:-git+https://github.com/jcrichard/pyrb@250054e}
packages=(numpy numba scipy scikit-learn==1.9.1 pandas==3.1.1)
packages+=(skfolio==1.12.2 riskfolio-lib==7.4.0 "$pyrb")
python=$folder/libraries/bin/python
[ -x "$python" ] || python3 -m venv "$folder/libraries"
"$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
names='numpy|numba|scipy|pandas|skfolio|riskfolio-lib|pyrb|cvxpy|clarabel'
"$python" -m pip list --format freeze | grep -iE "^($names)[= ]" >&2

export PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=$folder/data/numba
"$python" inputs.py "$folder/data"
"$python" limits_peers.py "$folder/data"
