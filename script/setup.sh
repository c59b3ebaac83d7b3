# shellcheck shell=bash
# What script/run and script/test share: system packages, the SIP stack, the virtual environment. Sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=${TEXTBACK_PYTHON:-/usr/bin/python3}
VENV=$ROOT/.venv
STACK_NEEDS=(libsrtp2-1 libopus0 libsamplerate0 libgsm1 libspeex1 libspeexdsp1 libuuid1)

if [ "$(id -u)" = 0 ]; then SUDO=(); else SUDO=(sudo); fi

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# need_packages PACKAGE...: installs what is missing, with apt.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "needs ${missing[*]}, and there is no apt-get here; install them and start again"
    [ ${#SUDO[@]} -eq 0 ] || command -v sudo >/dev/null || die "needs ${missing[*]}, and there is no sudo here; start it as root"
    say "installing ${missing[*]}"
    "${SUDO[@]}" apt-get update -qq || say "the package lists could not be refreshed; trying with the old ones"
    "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        die "apt could not install ${missing[*]}"
}

# make_environment run|test: .venv with the SIP stack, the pinned requirements and the product; at once when it is there.
make_environment() {
    local wheel
    [ -x "$PYTHON" ] || need_packages python3
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
    "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
        die "$PYTHON is $("$PYTHON" -V 2>&1); Textback runs on Python 3.11 to 3.13 (name one with TEXTBACK_PYTHON=/path/to/python3)"
    wheel=$("$ROOT/script/build-pjsua2" --python "$PYTHON" --print-wheel) || die "there is no SIP stack to run with"
    once run "$wheel" "$PYTHON" "$ROOT" "$(cat "$ROOT"/{requirements,requirements-build}.txt "$ROOT/pyproject.toml")" || install_product "$wheel"
    # A wheel out of the cache was built where its libraries were; here they may be missing.
    "$VENV/bin/python" -c 'import pjsua2' 2>/dev/null || need_packages "${STACK_NEEDS[@]}"
    [ "$1" = run ] || once test "$(cat "$VENV/run.stamp" "$ROOT/requirements-dev.txt")" || install_test_tools
}

install_product() { # WHEEL
    say "setting up $VENV"
    "$PYTHON" -m venv --clear "$VENV" || die "cannot make $VENV"
    pip install --require-hashes --requirement "$ROOT/requirements.txt" --requirement "$ROOT/requirements-build.txt"
    pip install --no-deps "$1"
    pip install --no-deps --no-build-isolation --editable "$ROOT"
    done_once run
}

install_test_tools() {
    say "adding the test tools to $VENV"
    pip install --require-hashes --requirement "$ROOT/requirements.txt" --requirement "$ROOT/requirements-dev.txt"
    done_once test
}

# once NAME WORD...: has this been done with just these words? done_once NAME says that it has.
once() {
    local name=$1
    WANTED=$(printf '%s\n' "${@:2}" | sha256sum)
    [ "$(cat "$VENV/$name.stamp" 2>/dev/null)" = "$WANTED" ]
}

done_once() { printf '%s' "$WANTED" >"$VENV/$1.stamp"; }

pip() {
    "$VENV/bin/python" -m pip --quiet --quiet --disable-pip-version-check "$@" || die "pip $1 failed; is the package index reachable?"
}
