"""Secrets live in files of their own, named by keys that end in `_file`; the configuration itself never holds one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.written import OF_A_SHELL, control_characters, is_home

SECRET_KEYS = {
    "web": ("password",),
    "trunk": ("password",),
    "sms": (
        "password",
        "auth_token",
        "api_key",
        "api_token",
        "api_secret",
        "signing_key",
        "public_key",
        "secret",
        "hook_secret",
        "hook_password",
    ),
}
"""By section: each is written as `KEY_file` and read into `KEY`."""
_STAND_INS = {"public_key": "A" * 43 + "=", "hook_secret": "0" * 16}
"""For keys whose secret has to have a form of its own."""
LARGEST = 16384
UNREAD = "unread"
"""Stands where a secret would, while what is wrong with its file is told."""
DIRECTORY = "secrets"
"""Beside the configuration, for root alone: the systemd unit gives the service a copy of what is in it."""


class SecretError(Exception):
    """A secret's file cannot be read; the sentence says why and what to do."""


def sections(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Every table that may name secrets: its dotted key, the table, the secrets that it may have."""
    web = document.get("web")
    if isinstance(web, dict):
        yield "web", web, SECRET_KEYS["web"]
    for section in ("trunk", "sms"):
        tables = document.get(section)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict):
                yield f"{section}.{name}", table, SECRET_KEYS[section]


def stand_in(key: str) -> str:
    """What is no secret, and may stand where one belongs."""
    return _STAND_INS.get(key, "unread")


def find(name: str, beside: Path) -> Path:
    """The file of a secret: the first of its places where it can be read, else the place where it is missed."""
    readable = (path for path in _places(name, beside) if os.access(path, os.R_OK))
    return next(readable, _missed(name, beside))


def read(name: Any, beside: Path) -> str:
    """The secret, without the white space around it."""
    if not isinstance(name, str) or not name.strip():
        raise SecretError("must be the name of a file, in quotes; the secret must stand in it alone")
    if is_home(name):
        raise SecretError(f"{name} {OF_A_SHELL}")
    path = find(name, beside)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        secret = content.decode("utf-8-sig").strip()
    except OSError as error:
        raise SecretError(_why_not(error, name, path)) from None
    except UnicodeDecodeError:
        raise SecretError(f"{path} is no text file; the secret must stand in it alone") from None
    if not secret or len(content) > LARGEST:
        raise SecretError(f"{path} is {'empty' if not secret else 'too long'}; the secret must stand in it alone")
    if found := control_characters(secret):
        what = "more than one line" if "\n" in secret else f"a control character ({found})"
        raise SecretError(f"{path} holds {what}; the secret must stand in it alone")
    return secret


def is_open_to_others(path: Path) -> bool:
    """May anybody on the machine read it?"""
    return bool(path.stat().st_mode & 0o004) and bool(path.parent.stat().st_mode & 0o001)


def _places(name: str, beside: Path) -> list[Path]:
    """Best first. A path that leads elsewhere is meant as it stands; a bare name may be systemd's, which can always be read."""
    given = _given(name)
    return [*given, beside / name, beside / DIRECTORY / name] if _is_bare(name) else [beside / name, *given]


def _given(name: str) -> list[Path]:
    """What systemd may have given: the file alone, or as one of `DIRECTORY`, whose name it then bears in front."""
    credentials, file = os.environ.get("CREDENTIALS_DIRECTORY"), Path(name).name
    return [Path(credentials, file), Path(credentials, f"{DIRECTORY}_{file}")] if credentials else []


def _missed(name: str, beside: Path) -> Path:
    """Where an admin would put it: where it is, though it cannot be read, else into `DIRECTORY` where there is one."""
    path, directory = beside / name, beside / DIRECTORY
    return directory / name if _is_bare(name) and not os.path.exists(path) and os.path.isdir(directory) else path


def _why_not(error: OSError, name: str, path: Path) -> str:
    is_closed = isinstance(error, PermissionError) and not os.access(path.parent, os.X_OK)
    if os.environ.get("CREDENTIALS_DIRECTORY") and (is_closed or isinstance(error, FileNotFoundError)):
        return f"systemd gave no secret {name} at the start; write it into {path} and restart the service"
    if isinstance(error, FileNotFoundError):
        return f"there is no file {path}; write the secret into it and make it readable by its owner only"
    if os.environ.get("INVOCATION_ID"):  # of systemd, whose service's user owns nothing
        return f"{path} cannot be read: {error.strerror}; move it into {path.parent / DIRECTORY} and restart the service"
    return f"{path} cannot be read: {error.strerror}; give it to the user that the gateway runs as"


def _is_bare(name: str) -> bool:
    return Path(name).name == name
