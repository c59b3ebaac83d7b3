# shellcheck shell=bash
# What setup.sh and build-pjsua2 share. Sourced, not run.

say() { printf '%s\n' "$*" >&2; }

# python_package PYTHON dev|venv: Debian's package of that part, for a Python that is Debian's.
python_package() {
    case $1 in
        /usr/bin/python3) printf 'python3-%s' "$2" ;;
        /usr/bin/python3.*) printf '%s-%s' "${1##*/}" "$2" ;;
        *) return 1 ;;
    esac
}

# why WORDS SENTENCE: one sentence: what the words show to be at fault, with its cure; else SENTENCE.
why() {
    case $1 in
        *"No space left on device"* | *"enough free space"* | *"Disk quota exceeded"* | *"fatal error: error writing"*)
            printf '%s: the disk is full; free some space and start again' "$2" ;;
        *"Could not get lock"* | *"Unable to acquire the dpkg"* | *"Unable to lock"*)
            printf '%s: another apt or dpkg is at work; start again when it has ended' "$2" ;;
        *"dpkg was interrupted"*)
            printf '%s: an earlier run of dpkg was cut off; run dpkg --configure -a (as root) and start again' "$2" ;;
        *"sudo: command not found"* | *"sudo: not found"* | *"No such file or directory: 'sudo'"*)
            printf '%s: that needs root, and there is no sudo here; start it as root' "$2" ;;
        *"a password is required"* | *"is not in the sudoers"* | *"may not run sudo"* | *"a terminal is required"* | *"incorrect password"*)
            printf '%s: that needs root, and sudo does not give it; start it as root' "$2" ;;
        *"Read-only file system"*)
            printf '%s: the disk is mounted read-only; mount it writable and start again' "$2" ;;
        *"DO NOT MATCH THE HASHES"*)
            printf '%s: the index gave other files than those that are pinned here; ask for them without a mirror in between' "$2" ;;
        *"ertificate verif"* | *"CERTIFICATE_VERIFY_FAILED"* | *"ertificate is not trusted"*)
            printf '%s: the certificate of the server is not trusted here; is ca-certificates installed, and is the clock right?' "$2" ;;
        *"emporary failure"*"resol"* | *"ould not resolve"* | *"ould not connect"* | *"nable to connect"* | *"annot initiate the connection"* | \
            *"Connection failed"* | *"onnection refused"* | *"onnection timed out"* | *"onnect timeout"* | *"Read timed out"* | *"etwork is unreachable"* | \
            *"No route to host"* | *"Failed to establish a new connection"* | *"ConnectTimeoutError"* | *"Failed to fetch"* | *"(from versions: none)"*)
            printf '%s: the network or the server at its other end cannot be reached; look at network and proxy and start again' "$2" ;;
        *)
            printf '%s' "$2" ;;
    esac
}
