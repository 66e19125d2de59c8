#!/usr/bin/env bash
# Build the web pages into web/dist. Quick when nothing changed; safe to interrupt.
set -eu
cd "$(dirname "$0")/../web"

say() { printf 'web: %s\n' "$*" >&2; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "no Node.js 20 with npm here: the pages are not built, and tests that need them are skipped"
    exit 0
fi

if command -v flock >/dev/null; then
    exec 9<package.json
    flock 9
fi

packages=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat node_modules/.lock-hash 2>/dev/null)" != "$packages" ]; then
    say "installing the packages of package-lock.json"
    if ! npm ci --silent --no-audit --no-fund >&2; then
        say "the package registry is not reachable: the pages are not built, and tests that need them are skipped"
        exit 0
    fi
    echo "$packages" >node_modules/.lock-hash
fi

sources=$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
if [ "$(cat dist/.sources-hash 2>/dev/null)" = "$sources" ]; then
    exit 0
fi
npm run --silent types
npm run --silent build >&2
echo "$sources" >dist/.sources-hash
