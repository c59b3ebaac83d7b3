"""A configuration, calendars and contacts that change while the gateway runs: whole, beside the calls, whatever is wrong with them."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import load
from config.model import E164, Config
from gateway.daemon import Gateway
from gateway.office.directory import Directory
from gateway.office.knowledge import Knowledge
from gateway.process.reload import Reloading
from gateway.store.undeliverable import REMEMBERED
from tests.sms.test_smpp_bridge import until

CONFIG = """\
data_dir = "data"
timezone = "{zone}"
region = "{region}"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[contacts]
file = "contacts.csv"
[hours.office]
mon-fri = "08:00-17:00"
holidays = ["closures.ics"]
[line.front]
number = "+14155550100"
hours = "office"
"""
ICS = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:x\r
BEGIN:VEVENT\r
UID:1\r
DTSTART:20261209T150000\r
DTEND:20261209T170000\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART;VALUE=DATE:20260704\r
RRULE:FREQ=YEARLY\r
END:VEVENT\r
END:VCALENDAR\r
"""
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def write(directory: Path, zone: str = "America/Chicago", region: str = "US") -> Path:
    path = directory / "textback.toml"
    path.write_text(CONFIG.format(zone=zone, region=region))
    (directory / "data").mkdir(exist_ok=True)
    (directory / "closures.ics").write_text(ICS)
    (directory / "contacts.csv").write_text("020 7946 0018,Vera,staff\n(415) 555-0123,Sam,staff\n")
    os.utime(directory / "closures.ics", (1, 1))
    os.utime(directory / "contacts.csv", (1, 1))
    return path


def test_another_time_zone_and_region_read_the_same_files_anew(tmp_path: Path) -> None:
    knowledge = Knowledge()
    chicago = knowledge.directory(load(write(tmp_path)), NOW)
    assert chicago.hours["office"].closures[0][0] == datetime(2026, 12, 9, 21, tzinfo=UTC)
    assert [chicago.contact(E164(number)) is not None for number in ("+442079460018", "+14155550123")] == [False, True]
    london = knowledge.directory(load(write(tmp_path, "Europe/London", "GB")), NOW)
    assert london.hours["office"].closures[0][0] == datetime(2026, 12, 9, 15, tzinfo=UTC)
    assert [london.contact(E164(number)) is not None for number in ("+442079460018", "+14155550123")] == [True, False]


def test_last_good_copy_is_read_for_the_zone_of_now(tmp_path: Path) -> None:
    knowledge = Knowledge()
    knowledge.directory(load(write(tmp_path)), NOW)
    config = load(write(tmp_path, "Europe/London"))
    (tmp_path / "closures.ics").write_text("broken")
    with capture_logs() as logs:
        office = knowledge.directory(config, NOW).hours["office"]
    assert office.closures[0][0] == datetime(2026, 12, 9, 15, tzinfo=UTC)
    assert [log["event"] for log in logs if log["event"].startswith("calendar")] == ["calendar_unusable"]


def test_years_go_on_though_the_file_stays(tmp_path: Path) -> None:
    knowledge, config = Knowledge(), load(write(tmp_path))
    assert max(knowledge.directory(config, NOW).hours["office"].days_off).year == 2028
    assert max(knowledge.directory(config, NOW + timedelta(days=800)).hours["office"].days_off).year == 2031


class InForce:
    """What came into force, in order."""

    def __init__(self) -> None:
        self.configs: list[Config] = []

    def take(self, config: Config, directory: Directory) -> None:
        self.configs.append(config)


async def test_asked_before_it_runs_it_is_done_when_it_does(tmp_path: Path) -> None:
    config, took = load(write(tmp_path)), InForce()
    reloading = Reloading(config, Knowledge(), took.take)
    reloading.ask()
    write(tmp_path, "Europe/Berlin")
    task = asyncio.create_task(reloading.run())
    await until(lambda: took.configs)
    reloading.stop()
    await task
    assert [config.timezone for config in took.configs] == ["Europe/Berlin"]
    assert reloading.config.timezone == "Europe/Berlin"


def test_a_gateway_that_has_not_begun_takes_the_signal(tmp_path: Path) -> None:
    Gateway(load(write(tmp_path))).reload()


async def test_broken_and_mended(tmp_path: Path) -> None:
    path, took = write(tmp_path), InForce()
    reloading = Reloading(load(path), Knowledge(), took.take)
    task = asyncio.create_task(reloading.run())
    with capture_logs() as logs:
        path.write_text("timezone = ")
        reloading.ask()
        await until(lambda: reloading.error)
        assert took.configs == []
        write(tmp_path)
        reloading.ask()
        await until(lambda: not reloading.error)
    reloading.stop()
    await task
    assert len(took.configs) == 1
    assert [log["event"] for log in logs if not log["event"].startswith("contact_")] == [
        "reload_refused",
        "calendar_read",
        "contacts_read",
        "configuration_loaded",
    ]


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("hours", ['"closed"', '"9:00-12:00"', "5", "false"])
async def test_broken_hours_are_refused_and_the_next_change_is_taken(tmp_path: Path, hours: str, is_watched: bool) -> None:
    path, took = write(tmp_path), InForce()
    path.write_text(f"watch = {str(is_watched).lower()}\n{path.read_text()}")
    good = path.read_text()
    line = good[: good.index("mon-fri")].count("\n") + 1
    reloading = Reloading(load(path), Knowledge(), took.take)
    task = asyncio.create_task(reloading.run())
    for text, is_broken in ((good.replace('"08:00-17:00"', hours), True), (good, False)):
        path.write_text(text)
        if not is_watched:
            reloading.ask()
        await until(lambda wanted=is_broken: bool(reloading.error) is wanted)
        assert not is_broken or f"{path}:{line}: hours.office.mon-fri: " in reloading.error
    assert {config.hash for config in took.configs} == {load(path).hash}
    reloading.stop()
    await task


async def test_under_watch_a_file_counts_when_it_has_stayed_as_it_is(tmp_path: Path) -> None:
    """A file that is saved in pieces, each of which is a configuration, is taken once, whole."""
    path, took = write(tmp_path), InForce()
    whole = f"watch = true\n{path.read_text()}"
    path.write_text(whole)
    reloading = Reloading(load(path), Knowledge(), took.take)
    task = asyncio.create_task(reloading.run())
    whole = whole.replace("[contacts]", "[limits]\nper_day = 7\n[contacts]")
    cut = whole[: whole.index("[limits]")] + whole[whole.index("[hours.office]") :]
    for _ in range(6):
        path.write_text(cut)
        await asyncio.sleep(1)
    assert took.configs == []
    path.write_text(whole)
    await until(lambda: took.configs)
    assert {config.hash for config in took.configs} == {load(path).hash}
    reloading.stop()
    await task


async def test_under_watch_a_replaced_file_of_the_same_age_and_size_is_noticed(tmp_path: Path) -> None:
    path, took = write(tmp_path), InForce()
    path.write_text(f"watch = true\n{path.read_text()}")
    reloading = Reloading(load(path), Knowledge(), took.take)
    task = asyncio.create_task(reloading.run())
    fresh = tmp_path / "fresh"
    fresh.write_text(path.read_text().replace("17:00", "18:00"))
    os.utime(fresh, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    fresh.replace(path)
    await until(lambda: took.configs)
    assert took.configs[0].hash == load(path).hash
    reloading.stop()
    await task


async def test_sections_that_a_reload_takes_away_are_told(tmp_path: Path) -> None:
    path, took = write(tmp_path), InForce()
    whole = path.read_text()
    path.write_text(whole + "[line.front.text]\nwait = '5s'\n[limits]\nper_day = 5\n[line.back]\nnumber = '+14155550101'\n")
    reloading = Reloading(load(path), Knowledge(), took.take)
    path.write_text(whole.replace('[contacts]\nfile = "contacts.csv"\n', ""))
    task = asyncio.create_task(reloading.run())
    with capture_logs() as logs:
        for times in (1, 2):
            reloading.ask()
            await until(lambda wanted=times: len(took.configs) == wanted)
    reloading.stop()
    await task
    (gone,) = [log for log in logs if log["event"] == "configuration_sections_gone"]
    assert (gone["log_level"], gone["sections"]) == ("warning", "[limits], [contacts], [line.front.text], [line.back]")


async def test_calls_do_not_wait_for_a_large_calendar(tmp_path: Path) -> None:
    """A calendar that takes a while is read beside the event loop, also on a reload."""
    path, took = write(tmp_path), InForce()
    event = "BEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:20260101T{1:02}0000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=150\r\nEND:VEVENT\r\n"
    many = "".join(event.format(number, number % 24) for number in range(60))
    (tmp_path / "closures.ics").write_text(ICS.replace("END:VCALENDAR", f"{many}END:VCALENDAR"))
    reloading = Reloading(load(path), Knowledge(), took.take)
    reloading.ask()
    task = asyncio.create_task(reloading.run())
    longest, took_s = 0.0, time.monotonic()
    while not took.configs:
        before = time.monotonic()
        await asyncio.sleep(0)
        longest = max(longest, time.monotonic() - before)
    took_s = time.monotonic() - took_s
    reloading.stop()
    await task
    assert longest < max(0.25, took_s / 2)


def test_the_time_for_which_numbers_are_remembered_is_what_the_documents_say() -> None:
    assert f"last {REMEMBERED.days} days" in (Path(__file__).parents[2] / "docs/reasons.md").read_text()
