"""Public holidays, and those of them that an office works through."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.load import ConfigError, load, problem
from config.public_holidays import public_holidays
from gateway.office.knowledge import Knowledge
from gateway.preview.closed_days import coming, remarks_on

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CONFIG = """\
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[hours.office]
mon-fri = "08:00-17:00"
holidays = {holidays}
holidays_except = {but}
[line.front]
number = "+14155550100"
hours = "office"
"""


def written(tmp_path: Path, holidays: str, but: str) -> Path:
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(holidays=holidays, but=but))
    return path


def days_off(tmp_path: Path, holidays: str, but: str) -> frozenset[date]:
    return Knowledge().directory(load(written(tmp_path, holidays, but)), NOW).hours["office"].days_off


@pytest.mark.parametrize(
    ("holidays", "but", "opened"),
    [
        ('"US"', '"Columbus Day"', {(10, 12)}),
        ('"US"', '["columbus  day", "Veterans day"]', {(10, 12), (11, 11)}),
        ('"US"', '"Independence Day"', {(7, 3), (7, 4)}),  # the Saturday's and the day that stands for it
        ('"US"', '"Independence Day (observed)"', {(7, 3)}),
        ('"US-TX"', '["Friday After Thanksgiving", "San Jacinto Day"]', {(11, 27), (4, 21)}),
        ('"US-TX"', '"Emancipation Day In Texas"', set()),  # it is Juneteenth besides
        ('"US-TX"', '["Emancipation Day In Texas", "Juneteenth National Independence Day"]', {(6, 19)}),
        ('["US", "2026-12-24"]', '"2026-11-26"', {(11, 26)}),
        ('"DE-BY"', '["Heilige Drei Könige", "Corpus Christi"]', {(1, 6), (6, 4)}),
        ('"GB-SCT"', '"Saint Andrew’s Day"', {(11, 30)}),
    ],
)
def test_open_all_the_same(tmp_path: Path, holidays: str, but: str, opened: set[tuple[int, int]]) -> None:
    without = days_off(tmp_path, holidays, "[]")
    left = days_off(tmp_path, holidays, but)
    assert {(day.month, day.day) for day in without - left if day.year == 2026} == opened
    assert left <= without


@pytest.mark.parametrize(
    ("holidays", "but", "says"),
    [
        ('"US"', '"Columbus"', "'Columbus' is no holiday of US; there is Columbus Day"),
        ('"US"', '"Thanksgivin Day"', "is no holiday of US; there are Thanksgiving Day"),
        ('["US", "x.ics"]', '["Bridge day"]', "'Bridge day' is no holiday of US; there are "),
        ('"2026-12-24"', '"Christmas Eve"', "is the name of no holiday: holidays names no country; write dates here"),
        ('["US", "2026-12-24"]', '"2026-12-24"', "2026-12-24 stands in holidays too; remove it from one of the two"),
        ('"US"', '["2026-13-01"]', "'2026-13-01' is no date"),
        ('"US"', '[""]', "'' must be the name of a holiday such as"),
        ('"US"', "[5]", "5 must be the name of a holiday such as"),
    ],
)
def test_exceptions_that_mean_nothing(tmp_path: Path, holidays: str, but: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, holidays, but))
    (told,) = caught.value.problems
    assert "textback.toml:10: hours.office.holidays_except" in str(told)
    assert says in told.says


def test_only_public_holidays_close_an_office() -> None:
    """Neither optional nor school nor half days: Germany's catholic days and the US' half days are in the library too."""
    names = {holiday.name for holiday in public_holidays("DE", range(2026, 2027))}
    assert len(names) == 9
    assert "Groundhog Day" not in {holiday.name for holiday in public_holidays("US", range(2026, 2027))}


def test_names_are_those_of_the_country_whatever_the_language_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "th_TH.UTF-8")
    assert public_holidays("DE", range(2031, 2032))[0].name == "Neujahr"


def test_the_coming_twelve_months(tmp_path: Path) -> None:
    (tmp_path / "x.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:Training\nDTSTART:20261201T220000\n"
        "DTEND:20261203T010000\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    config = load(written(tmp_path, '["US", "x.ics", "2026-12-24", "2026-01-02"]', '"Columbus Day"'))
    days = coming(config, Knowledge().calendars(config, NOW), NOW)
    shown = [(f"{day.day}", day.times, day.name, day.whence, config.where(day.key), day.is_open) for day in days]
    assert shown[:6] == [
        ("2026-11-26", "", "Thanksgiving Day", "US", "textback.toml:9", False),
        ("2026-12-01", "22:00-24:00", "Training", "x.ics", "textback.toml:9", False),
        ("2026-12-02", "00:00-24:00", "Training", "x.ics", "textback.toml:9", False),
        ("2026-12-03", "00:00-01:00", "Training", "x.ics", "textback.toml:9", False),
        ("2026-12-24", "", "day off", "2026-12-24", "textback.toml:9", False),
        ("2026-12-25", "", "Christmas Day", "US", "textback.toml:9", False),
    ]
    assert [day.name for day in days if day.is_open] == ["Columbus Day"]
    assert max(day.day for day in days) <= date(2027, 11, 24)


@pytest.mark.parametrize(
    ("holidays", "says"),
    [
        ('["US", "IL"]', ["IL is Israel; Illinois (United States) is US-IL"]),
        ('"CA"', ["CA is Canada; California (United States) is US-CA"]),
        ('["DE", "US-TX"]', ["DE is Germany; Delaware (United States) is US-DE"]),
        ('["US-IL", "GB"]', []),
    ],
)
def test_country_that_bears_the_letters_of_a_part(tmp_path: Path, holidays: str, says: list[str]) -> None:
    config = load(written(tmp_path, holidays, "[]"))
    found = [(problem(config, key, said).line, said) for key, said in remarks_on(config, {}, NOW)]
    assert [said for _, said in found if "is US-" in said] == says
    assert {line for line, _ in found} <= {9}


def test_check_names_the_country_and_the_day_in_english(tmp_path: Path) -> None:
    path = written(tmp_path, '["IL", "US-IL"]', "[]")
    command = [sys.executable, "-m", "gateway", "-c", str(path), "check", "--holidays"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "textback.toml:9: hours.office.holidays.1: IL is Israel" in shown.stdout
    assert "twelve months (IL is Israel; US-IL is Illinois (United States)):\n" in shown.stdout
    assert "פסח – Pesach (IL, textback.toml:9)\n" in shown.stdout


def test_check_lists_them_and_names_files_that_it_cannot_use(tmp_path: Path) -> None:
    path = written(tmp_path, '["US", "x.ics"]', '"Veterans Day"')
    command = [sys.executable, "-m", "gateway", "-c", str(path), "check", "--holidays"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 1
    assert (
        f"textback.toml:9: hours.office.holidays.2: {tmp_path / 'x.ics'} is not there; put it there, or name another"
        in shown.stderr
    )
    assert "[hours.office] is closed on " in shown.stdout
    assert "Christmas Day (US, textback.toml:9)\n" in shown.stdout
    assert "open: Veterans Day (US, textback.toml:10)\n" in shown.stdout
    (tmp_path / "x.ics").write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Odd\nDTSTART:x\nEND:VEVENT\nEND:VCALENDAR\n")
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(told.stdout)
    assert (told.returncode, found["errors"], told.stderr) == (0, [], "")
    assert [problem["says"][:28] for problem in found["warnings"] if problem["line"] == 9] == ['x.ics:2: the event "Odd" can']
    assert {day["where"] for day in found["holidays"] if not day["is_open"]} == {"textback.toml:9"}
