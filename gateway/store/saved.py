"""The copies that the gateway saved beside its database, for whoever has to put one back."""

from pathlib import Path

from gateway.store.errors import StoreError


def refuse_empty(path: Path) -> None:
    """A file without a byte was a database once, or is a mistake: to begin anew in it would forget every STOP."""
    if path.exists() and path.stat().st_size == 0:
        raise StoreError(f"{path}: the file is empty; {what_to_put_there(path)}, or remove it to begin anew")


def what_to_put_there(path: Path) -> str:
    """Where the newest copy is."""
    saved = newest_saved(path)
    return f"put {saved.name}, which the gateway saved, in its place" if saved else "put the newest backup in its place"


def newest_saved(path: Path) -> Path | None:
    """None: there is none."""
    return max(path.parent.glob(f"{path.name}.saved-*"), default=None)
