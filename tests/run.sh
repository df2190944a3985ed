#!/usr/bin/env bash
# The whole test suite, on a fresh Debian or Ubuntu machine with a Rust toolchain: bash tests/run.sh
#
# Shaders are tested too, so a Vulkan adapter is needed, and reports are drawn in a browser. Where the machine has none,
# Mesa's software driver and Chromium are installed (root, or sudo). Without them the run fails; nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

# The driver keeps sockets here; without it the Vulkan loader complains on every call.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install() {
    as_root apt-get update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

install_driver() {
    echo "$1: installing Mesa's Vulkan drivers"
    install mesa-vulkan-drivers libvulkan1
}

# The file that tells the Vulkan loader of a driver.
driver() {
    find /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d -name "$1*.json" 2>/dev/null | sort | head -n 1
}

# The same for the browser's own: beside the program, wherever a distribution puts that.
swiftshader() {
    local folder
    for folder in "$(dirname "$(readlink -f "$CHROME")")" /usr/lib/chromium /usr/lib/chromium-browser /opt/google/chrome; do
        if [ -f "$folder/vk_swiftshader_icd.json" ]; then
            echo "$folder/vk_swiftshader_icd.json"
            return
        fi
    done
}

# Tests of shaders on one adapter and no other: the part of its name that is meant, the file of its driver, the tests.
shaders() {
    local name=$1 file=$2
    shift 2
    echo "== shaders on $name"
    local part
    for part in "$@"; do
        if ! cargo test --release --quiet --test suite -- --list "$part" | grep ': test$' >/dev/null; then
            echo "error: no test is called $part" >&2
            exit 1
        fi
    done
    TEST_ADAPTER=$name VK_ICD_FILENAMES=$file VK_DRIVER_FILES=$file \
        cargo test --release --no-fail-fast --test suite -- "$@"
}

# One that starts: Ubuntu's package of this name only points elsewhere.
browser() {
    local name
    for name in ${CHROME:+"$CHROME"} chromium chromium-browser google-chrome google-chrome-stable; do
        if "$name" --version >/dev/null 2>&1; then
            CHROME=$(command -v "$name")
            export CHROME
            return
        fi
    done
    return 1
}

no_browser() {
    echo "error: $1" >&2
    echo "hint: install Chromium or Chrome (Debian: chromium), name it in CHROME, and run this again" >&2
    exit 1
}

no_adapter() {
    echo "error: $1" >&2
    echo "hint: install a Vulkan driver (Debian and Ubuntu: mesa-vulkan-drivers libvulkan1) and run this again" >&2
    exit 1
}

# The program itself knows best whether an adapter can be used: it opens each and tests it.
adapter() {
    cargo run --release --quiet -- devices
}

# One profile, the optimised one, for program and tests: the dependencies are built once.
cargo build --release
if ! adapter; then
    install_driver "no usable graphics adapter" || no_adapter "the software Vulkan driver could not be installed"
    adapter || no_adapter "no usable graphics adapter, although a driver is installed"
fi

if ! browser; then
    echo "no browser to draw reports in: installing Chromium"
    install chromium || no_browser "Chromium could not be installed"
    browser || no_browser "no browser that starts, although one is installed"
fi

# `cargo test`, not nextest, which gives every test a process: the tests of one binary share an opened adapter and its
# compiled kernels. Measured on 2 cores and llvmpipe: 33 s either way with an empty shader cache, 5 s against 10 s with a
# full one. It also runs the examples of the documentation.
cargo test --release --no-fail-fast

# Shaders again where subgroups have other sizes. llvmpipe's are as wide as its vectors: 8 lanes where the processor has
# AVX2, 4 of 128 bits, which are too few for the kernels that talk through subgroups, and 16 of 512.
if [ -z "$(driver lvp_icd)" ]; then
    install_driver "no llvmpipe" || no_adapter "llvmpipe could not be installed"
fi
for bits in 128 512; do
    LP_NATIVE_VECTOR_WIDTH=$bits shaders "$bits bits" "$(driver lvp_icd)" gpu::
done

# SwiftShader, the browser's own, is another compiler with subgroups of 4, and slow: it takes the tests that compare every
# stage with its twin or the CPU. It has no double precision; there the tests are that it is refused.
if [ -n "$(swiftshader)" ]; then
    shaders SwiftShader "$(swiftshader)" gpu::the_adapter gpu::draw gpu::stages gpu::precision gpu::solutions::weights_are \
        gpu::limits::certificates gpu::limits::given gpu::listed::listed_sets_of gpu::estimators gpu::methods \
        gpu::measure::subsets gpu::measure::larger gpu::measure::double
else
    echo "not tested: SwiftShader, which does not lie beside this browser"
fi
echo "all tests passed"
