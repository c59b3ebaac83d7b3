# shellcheck shell=bash
# What script/run, script/test, script/bench and script/install share: system packages, the SIP stack, the virtual environment. Sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=${TEXTBACK_PYTHON:-/usr/bin/python3}
HOME_OF_SERVICE=/opt/textback
# Environments are built in VENVS, each under its own name; VENV is a link to the newest that is complete, changed by one rename. Whatever
# ends an update, and whenever, the one before stays as it was, and a service that runs from it can start again.
VENV=$ROOT/.venv
VENVS=$ROOT/.venvs
STACK_NEEDS=(libsrtp2-1 libopus0 libsamplerate0 libgsm1 libspeex1 libspeexdsp1 libuuid1)

if [ "$(id -u)" = 0 ]; then SUDO=(); else SUDO=(sudo); fi

# shellcheck source=script/common.sh
. "$ROOT/script/common.sh"

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# need_packages PACKAGE...: installs what is missing, with apt.
need_packages() {
    local missing=() package words
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "needs ${missing[*]}, and there is no apt-get here; install them and start again"
    [ ${#SUDO[@]} -eq 0 ] || command -v sudo >/dev/null || die "needs ${missing[*]}, and there is no sudo here; start it as root"
    say "installing ${missing[*]}"
    words=$(apt_get update 2>&1) || say "the package lists could not be refreshed; trying with the old ones"
    words+=$(apt_get install -y --no-install-recommends "${missing[@]}" 2>&1) ||
        die_of "$words" "apt could not install ${missing[*]}"
}

# need_unstarted SERVICE...: the same for packages that bring a service of their own name: it is masked, so that neither the installation nor the
# next boot starts it (it would take this machine's port 5060). One that is installed already is left as it is.
need_unstarted() {
    local service units=/etc/systemd/system
    for service in "$@"; do
        dpkg-query -W -f '${Status}' "$service" 2>/dev/null | grep -q 'install ok installed' && continue
        { "${SUDO[@]}" mkdir -p "$units" && "${SUDO[@]}" ln -sfn /dev/null "$units/$service.service"; } ||
            die "cannot mask $service.service, which its installation would start; start it as root"
        say "$service.service is masked, so that nothing starts it; systemctl unmask $service undoes that"
    done
    need_packages "$@"
}

apt_get() { "${SUDO[@]}" env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }

# die_of WORDS SENTENCE: the end of what a program said, and the sentence with what that shows to be at fault.
die_of() {
    printf '%s\n' "$1" | tail -n 5 >&2
    die "$(why "$1" "$2")"
}

# make_environment run|test: .venv with the SIP stack, the pinned requirements and the product; at once when it is there.
make_environment() {
    local wheel dependencies
    find_python
    wheel=$("$ROOT/script/build-pjsua2" --python "$PYTHON" --print-wheel) || die "there is no SIP stack to run with"
    dependencies=$(digest "$wheel" "$(cat "$ROOT"/{requirements,requirements-build}.txt)")
    NEXT=$VENVS/$(digest "$dependencies" "$PYTHON" "$(product)" | cut -c1-16)
    is_set_up || locked set_up "$wheel" "$dependencies"
    is_loadable || need_packages "${STACK_NEEDS[@]}"
    [ "$1" = run ] || has_test_tools || locked install_test_tools
}

digest() { printf '%s\n' "$@" | sha256sum | cut -d ' ' -f 1; }

is_set_up() { [ "$VENV" -ef "$NEXT" ] && is_complete "$NEXT"; }

is_complete() { [ -e "$1/run.stamp" ] && [ -x "$1/bin/textback" ]; }

# A wheel out of the cache was built where its libraries were; here they may be missing.
is_loadable() { "$NEXT/bin/python" -c 'import pjsua2' 2>/dev/null; }

find_python() {
    local found package
    [ -n "${TEXTBACK_PYTHON:-}" ] || [ -x "$PYTHON" ] || need_packages python3
    found=$(command -v "$PYTHON") || die "there is no $PYTHON; let TEXTBACK_PYTHON be the path of a Python 3.11 to 3.13"
    PYTHON=$(realpath --no-symlinks "$found")
    "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
        die "$PYTHON is $("$PYTHON" -V 2>&1); Textback runs on Python 3.11 to 3.13 (name one with TEXTBACK_PYTHON=/path/to/python3)"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null && return 0
    package=$(python_package "$PYTHON" venv) || die "$PYTHON has no venv and ensurepip; install them, or name another with TEXTBACK_PYTHON"
    need_packages "$package"
}

# What the product is, as words: where its code lies, and for the service, which has a copy of its own, the code itself.
product() {
    cat "$ROOT/pyproject.toml"
    printf '%s\n' "$ROOT"
    [ "$ROOT" != "$HOME_OF_SERVICE" ] || (cd "$ROOT" && find config gateway sip sms -name __pycache__ -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

# locked COMMAND...: one at a time in this directory, and what it makes can be read by all: the service's user is not root.
locked() {
    local before
    before=$(umask)
    umask 022
    { mkdir -p "$VENVS" && [ -w "$VENVS" ]; } 2>/dev/null || die "cannot write into $ROOT; start it as the directory's owner, or from a copy of your own"
    exec 8>"$VENVS/lock"
    flock 8
    "$@"
    exec 8>&-
    umask "$before"
}

set_up() { # WHEEL DEPENDENCIES
    local words
    if ! is_complete "$NEXT"; then
        say "setting up $VENV"
        forget "$NEXT"
        take_dependencies "$2" || install_dependencies "$1"
        printf '%s' "$2" >"$NEXT/dependencies.stamp"
        is_loadable || need_packages "${STACK_NEEDS[@]}"
        install_product
        words=$("$NEXT/bin/textback" --version 2>&1) || die_of "$words" "what was set up in $NEXT does not start; $VENV is as it was"
        : >"$NEXT/run.stamp"
    fi
    switch
}

# forget ENVIRONMENT: first what says that it is whole, so that a removal that is cut off leaves nothing that looks so.
forget() {
    rm -f "$1"/{run,test,dependencies}.stamp
    rm -rf "$1"
}

make_venv() { # OPTION...
    local words
    words=$("$PYTHON" -m venv "$@" "$NEXT" 2>&1) || die_of "$words" "cannot make $NEXT"
}

# From an environment that has just these, so that new code needs no index: packages lie in any place alike, programs do not.
take_dependencies() { # DEPENDENCIES
    local other words
    for other in "$VENVS"/*/; do
        [ -e "$other/run.stamp" ] || forget "$other" # half made
        if [ "$(cat "$other/dependencies.stamp" 2>/dev/null)" = "$1" ] && ! [ -e "$other/test.stamp" ]; then
            make_venv --without-pip
            rm -rf "${NEXT:?}/lib"
            words=$(cp -a "$other/lib" "$NEXT/lib" 2>&1) || die_of "$words" "cannot copy $other to $NEXT"
            return 0
        fi
    done
    return 1
}

install_dependencies() { # WHEEL
    make_venv
    pip install --require-hashes --requirement "$ROOT/requirements.txt" --requirement "$ROOT/requirements-build.txt"
    pip install --no-deps "$1"
}

# Checkouts run the code as it lies there. The service has a copy in its environment: a half-copied update of /opt/textback touches nothing that runs.
install_product() {
    local source
    if [ "$ROOT" != "$HOME_OF_SERVICE" ]; then
        pip install --no-deps --no-build-isolation --editable "$ROOT"
    else
        source=$(mktemp -d)
        cp -r "$ROOT"/{config,gateway,sip,sms,pyproject.toml,README.md,LICENSE} "$source"
        pip install --no-deps --no-build-isolation --force-reinstall "$source"
        rm -rf "$source"
        sync --file-system "$NEXT" # before anything relies on it
    fi
}

# The environment before this one stays: what runs from it goes on reading there until it is restarted.
switch() {
    local before other
    [ -L "$VENV" ] || [ ! -e "$VENV" ] || { forget "$VENVS/unnamed" && mv "$VENV" "$VENVS/unnamed"; }
    before=$(basename "$(readlink "$VENV" || printf unnamed)")
    ln -sfn "$(basename "$VENVS")/$(basename "$NEXT")" "$VENVS/link"
    mv -T "$VENVS/link" "$VENV"
    for other in "$VENVS"/*/; do
        other=$(basename "$other")
        [ "$other" = "$before" ] || [ "$other" = "$(basename "$NEXT")" ] || forget "${VENVS:?}/$other"
    done
}

test_tools() { digest "$(cat "$ROOT/requirements-dev.txt")"; }

has_test_tools() { [ "$(cat "$NEXT/test.stamp" 2>/dev/null)" = "$(test_tools)" ]; }

install_test_tools() {
    say "adding the test tools to $VENV"
    : >"$NEXT/test.stamp"
    pip install --require-hashes --requirement "$ROOT/requirements.txt" --requirement "$ROOT/requirements-dev.txt"
    test_tools >"$NEXT/test.stamp"
}

pip() {
    local words
    words=$("$NEXT/bin/python" -m pip --quiet --disable-pip-version-check "$@" 2>&1) || die_of "$words" "pip $1 failed"
}
