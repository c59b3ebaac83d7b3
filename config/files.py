"""The files that a configuration names: relative names are relative to the configuration, and what must be readable is read."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.bridges import Smpp
from config.model import Config
from config.written import is_home

_KEYS = (("data_dir",), ("sip", "tls_certificate"), ("sip", "tls_key"), ("contacts", "file"))
_NAMED_KEYS = (("sms", "tls_ca"), ("line", "greeting"))


def make_whole(document: dict[str, Any], beside: Path) -> None:
    """Every name of a file as it is found from anywhere; secrets have places of their own (`config/secrets.py`)."""
    tables = [(document if len(key) == 1 else document.get(key[0]), key[-1]) for key in _KEYS]
    for section, name in _NAMED_KEYS:
        named = document.get(section)
        tables += [(table, name) for table in named.values()] if isinstance(named, dict) else []
    for table, name in tables:
        if isinstance(table, dict) and isinstance(table.get(name), str) and table[name].strip() and not is_home(table[name]):
            table[name] = str((beside / table[name]).absolute())


def faults_of(config: Config) -> Iterator[tuple[str, str]]:
    """Files without which the gateway cannot do what the configuration says: the key, and what is wrong."""
    if (says := _no_directory(config.data_dir)) is not None:
        yield "data_dir", says
    if config.contacts is not None and _is_device(config.contacts.file):
        yield "contacts.file", f"{config.contacts.file} is a device or a pipe, which has no end; name a file"
    for name, way in config.sms.items():
        if isinstance(way, Smpp) and way.tls_ca is not None and (says := _no_certificates(way.tls_ca)) is not None:
            yield f"sms.{name}.tls_ca", says


def _no_directory(path: Path) -> str | None:
    for place in (path, *path.parents):
        if os.path.isdir(place):  # also where one may not look
            return None
        if os.path.lexists(place):
            return f"{place} is no directory; name one, or a place where one can be made"
    return None


def _is_device(path: Path) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _no_certificates(path: Path) -> str | None:
    if _is_device(path):
        return f"{path} is a device or a pipe; name a file"
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return f"{path} holds no certificates; it must be a PEM file that begins with -----BEGIN CERTIFICATE-----"
    except OSError as error:
        return (
            f"{path} cannot be read: {error.strerror}; put the file there, mode 644, or leave tls_ca out to trust the system's"
        )
    return None
