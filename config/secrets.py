"""Secrets live in files of their own, named by keys that end in `_file`; the configuration itself never holds one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
LARGEST = 16384


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


def find(name: str, beside: Path) -> Path:
    """The file of a secret: beside the configuration, or in the directory that systemd gives credentials in."""
    path = beside / name
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and not path.exists():
        return Path(credentials) / Path(name).name
    return path


def read(name: str, beside: Path) -> str:
    """The secret, without the white space around it."""
    path = find(name, beside)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        secret = content.decode().strip()
    except FileNotFoundError:
        raise SecretError(f"there is no file {path}; write the secret into it and make it readable by its owner only") from None
    except OSError as error:
        raise SecretError(f"{path} cannot be read: {error.strerror}; give it to the user that the gateway runs as") from None
    except UnicodeDecodeError:
        raise SecretError(f"{path} is no text file; the secret must stand in it alone") from None
    if not secret or len(content) > LARGEST:
        raise SecretError(f"{path} is {'empty' if not secret else 'too long'}; the secret must stand in it alone")
    return secret


def is_open_to_others(path: Path) -> bool:
    """May anybody on the machine read it?"""
    return bool(path.stat().st_mode & 0o004)
