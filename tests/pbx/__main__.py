"""`script/pbx`: fetches the PBXs (`fetch`), then runs every case through each of them (`run`) and prints the table."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.pbx import asterisk_cases, kamailio, trees
from tests.pbx.seen import Verdict, lines, listening, table
from tests.peers.gateway import RunningGateway
from tests.peers.kamailio import kamailio_version

ASTERISKS = {
    "asterisk-22": ("asterisk-22", False, 2000),
    "asterisk-16": ("asterisk-16", False, 3000),
    "chan_sip": ("asterisk-16", True, 4000),
}
"""By what may be asked for: the tree, whether it is chan_sip, the first caller's number."""
PBXS = ("kamailio", *ASTERISKS)


def main() -> int:
    """0: each case was as docs/pbx.md says; 1: one was not; 2: a PBX cannot be had."""
    parser = argparse.ArgumentParser(
        prog="script/pbx", description="Runs real PBXs around the gateway and prints what each tells and hears."
    )
    parser.add_argument("step", choices=("fetch", "run"), help=argparse.SUPPRESS)
    parser.add_argument("pbx", nargs="*", help=f"which: {', '.join(PBXS)}; all, where none is named")
    parser.add_argument("--cache", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--mirror", help="of Debian; where this machine's apt has it from, unless one is named")
    options = parser.parse_intermixed_args()
    wanted = options.pbx or list(PBXS)
    if unknown := [name for name in wanted if name not in PBXS]:
        parser.error(f"there is no {', '.join(unknown)} here; there are {', '.join(PBXS)}")
    return _fetch(wanted, options) if options.step == "fetch" else _run(wanted, options.cache)


def _fetch(wanted: list[str], options: argparse.Namespace) -> int:
    try:
        for name in dict.fromkeys(ASTERISKS[pbx][0] for pbx in wanted if pbx in ASTERISKS):
            if not (options.cache / name).is_dir():
                print(f"fetching {name}, which takes some minutes", file=sys.stderr)
            trees.tree(options.cache, name, options.mirror or trees.mirror())
    except trees.NoTree as error:
        print(f"script/pbx: {error}", file=sys.stderr)
        return 2
    return 0


def _run(wanted: list[str], cache: Path) -> int:
    is_right = True
    for title, verdicts in _of_each(wanted, cache):
        print("\n".join([f"== {title}", *table(verdicts), ""]), flush=True)
        is_right &= all(verdict.is_right for verdict in verdicts)
    return 0 if is_right else 1


def _of_each(wanted: list[str], cache: Path) -> Iterator[tuple[str, list[Verdict]]]:
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        running = RunningGateway(directory)
        running.configure(listen=listening(running.sip_port), more=lines(same_call_within="20s"))
        running.start()
        try:
            for pbx in wanted:
                if pbx in ASTERISKS:
                    name, is_old, first = ASTERISKS[pbx]
                    version, verdicts = asterisk_cases.verdicts(cache / name, running, is_old=is_old, first=first)
                    yield f"Asterisk {version}, {'chan_sip' if is_old else 'PJSIP'}", verdicts
                else:
                    yield f"Kamailio {kamailio_version()}", kamailio.verdicts(directory, running)
        finally:
            running.end()


if __name__ == "__main__":
    sys.exit(main())
