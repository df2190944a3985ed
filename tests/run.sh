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
    echo "no usable graphics adapter: installing Mesa's software Vulkan driver"
    install mesa-vulkan-drivers libvulkan1
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
    install_driver || no_adapter "the software Vulkan driver could not be installed"
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
echo "all tests passed"
