"""Other Debians for what this one has no package of: each a directory that mmdebstrap fills, once."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


class NoTree(Exception):
    """One cannot be had; the sentence says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A suite of Debian, and the packages that are wanted of it."""

    suite: str
    packages: tuple[str, ...]


TREES = {
    "asterisk-22": Tree(suite="sid", packages=("asterisk",)),
    "asterisk-16": Tree(suite="bullseye", packages=("asterisk",)),
}


def mirror() -> str:
    """Where this machine's own apt has Debian from."""
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Origin: Debian",
        "Component: main",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line for line in ran.stdout.split() if "security" not in line]
    if not found:
        raise NoTree("apt names no mirror of Debian here; name one with --mirror URL")
    return found[0]


def tree(cache: Path, name: str, mirror_of: str) -> Path:
    """The directory of a tree; filled now, where it is not there yet."""
    at, wanted = cache / name, TREES[name]
    if at.is_dir():
        return at
    fresh = cache / f"{name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    # sid's index is valid for a week only; who may sign it is looked at all the same
    options = ["--variant=essential", '--aptopt=Acquire::Check-Valid-Until "false"', f"--include={','.join(wanted.packages)}"]
    ran = subprocess.run(
        ["mmdebstrap", *options, wanted.suite, str(fresh), mirror_of], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        words = "\n".join(ran.stderr.splitlines()[-6:])
        raise NoTree(f"{words}\nmmdebstrap cannot make {name} out of {wanted.suite} at {mirror_of}; look at its words above")
    fresh.rename(at)
    return at
