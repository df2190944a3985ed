#!/usr/bin/env bash
# Measures the GPU engine, and PyTorch and JAX on the same GPU where python3 has them: bash benches/gpu.sh [--quick] ...
# Writes gpu-<adapter>.json to $OUT or the current directory. Arguments are those of the bench (benches/gpu/main.rs).
#
# Builds nothing where $EQUIRISK_GPU_BENCH names the built bench, or `gpu-bench` lies beside this script; see
# benches/README.md for machines without cargo. All together stay below nine minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# Absolute: cargo runs the bench elsewhere.
mkdir -p "${OUT:-.}"
out=$(cd "${OUT:-.}" && pwd)
started=$SECONDS

# The Vulkan loader complains on every call without it.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
fi

built=${EQUIRISK_GPU_BENCH:-$here/gpu-bench}
if [ -x "$built" ]; then
    bench=("$built")
elif [ -n "${EQUIRISK_GPU_BENCH:-}" ]; then
    echo "error: EQUIRISK_GPU_BENCH names no program: $built" >&2
    exit 1
else
    bench=(cargo bench --manifest-path "$here/../Cargo.toml" --bench gpu --)
fi
if commit=$(git -C "$here" rev-parse HEAD 2>/dev/null); then
    set -- --commit "$commit" "$@"
fi

log=$(mktemp)
"${bench[@]}" --out "$out" "$@" | tee "$log"
report=$(tail -n 1 "$log")
rm -f "$log"

# Whatever goes wrong with the others, our figures are written. The first may take longest: compilers warm up.
for peer in torch jax; do
    left=$((525 - SECONDS + started))
    share=$([ "$peer" = torch ] && echo $((left * 6 / 10)) || echo "$left")
    if ! python3 -c "import numpy, $peer" 2>/dev/null; then
        echo "$peer: python3 does not have it"
    elif [ "$share" -lt 30 ]; then
        echo "$peer: no time is left"
    else
        PYTHONUNBUFFERED=1 timeout "$share" python3 "$here/gpu_$peer.py" --report "$report" --seconds $((share - 15)) ||
            echo "$peer: ended early"
    fi
done
if python3 -c "import numpy" 2>/dev/null; then
    python3 "$here/gpu_peers.py" "$report"
fi
echo "$report"
