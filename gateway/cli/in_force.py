"""What the running gateway goes by, where that is not what its file says: told by commands that go by the file."""

from datetime import UTC, datetime
from pathlib import Path

from config.model import Config
from gateway.cli.ask import NoAnswer, get
from gateway.cli.configuration import as_taken
from gateway.cli.say import complain
from gateway.cli.starting import how_to_reload
from gateway.core.schedule import local
from gateway.process import running
from gateway.process.data_dir import LAST_GOOD

ASK_WITHIN_S = 2.0


def tell_of_another(file: Path) -> None:
    """One line where the gateway that runs by a file goes by another content of it: which, since when, and why."""
    data_dir = running.data_dir_of(file)
    if data_dir is None:
        return
    copy = data_dir / LAST_GOOD
    try:
        if copy.read_bytes() == file.read_bytes():
            return
        taken_at = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
    except OSError:  # without a copy, which the log has told, nobody knows what it goes by; the file is looked at elsewhere
        return
    config = as_taken(str(file))
    complain(
        f"textback: the gateway does not go by {file} as it is now, but by {copy},"
        f" since {local(taken_at, config.timezone):%Y-%m-%d %H:%M %Z}: {_why(config, file)}"
    )


def _why(config: Config, file: Path) -> str:
    try:
        refused = str(get(config, "/api/v1/status", within=ASK_WITHIN_S)["reload_error"])
    except NoAnswer as error:
        return f"why is not known ({error})"
    if not refused:
        return f"it was not loaded since; load it with {how_to_reload(file)}"
    first, *others = refused.split("\n")
    more = f" (and {len(others)} more)" if others else ""
    return f"it refused the last that it was to load: {first}{more}. When that is mended: {how_to_reload(file)}"
