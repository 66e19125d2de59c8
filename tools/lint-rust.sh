#!/usr/bin/env bash
# Formatting, lints and tests of the Rust crates; says so where there is no toolchain.
set -eu
cd "$(dirname "$0")/../crypto/native"
if [ ! -e ../group/_native.abi3.so ]; then
    echo "lint-rust: the native arithmetic is not built here, so the crates are not checked" >&2
    exit 0
fi
cargo fmt --all --check
cargo clippy --quiet --locked --offline --workspace --all-targets -- --deny warnings
cargo test --quiet --locked --offline --package blst-shim
cd ../..
.venv/bin/stubtest crypto.group._native --ignore-missing-stub
