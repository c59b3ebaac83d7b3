"""What an admin is told beside a gateway that does not go by the file as it is: cut off, refused, not loaded; or that stands still."""

import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.cli import reload as command
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import as_taken
from tests.peers.commands import run
from tests.peers.gateway import RunningGateway

SINCE = r"since \d{4}-\d\d-\d\d \d\d:\d\d C[DS]T: "


@contextmanager
def stopped(running: RunningGateway) -> Iterator[None]:
    """Its process gets no turn."""
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        running.process.send_signal(signal.SIGCONT)


def of_another(running: RunningGateway, why: str) -> str:
    copy = running.directory / "data" / "last-good.toml"
    words = f"textback: the gateway does not go by {running.path} as it is now, but by {copy}, "
    return f"^{re.escape(words)}{SINCE}{re.escape(why)}"


def test_file_that_the_gateway_does_not_go_by(
    gateway: Callable[..., RunningGateway], capsys: pytest.CaptureFixture[str]
) -> None:
    running = gateway()
    assert_totals_begin_at_zero(running)
    good = running.path.read_text()
    assert_same(running)

    for number, cut in enumerate((0, 9, good.index("[web]") + 2), start=1):
        without_data_dir = good.replace('data_dir = "data"\n', "")
        running.path.write_text(without_data_dir[:cut])
        refused, status, healthy, check, listed = run(running.path, ["reload"], ["status"], ["healthy"], ["check"], ["calls"])
        assert (refused.status, refused.out) == (1, ""), refused
        assert "textback: the gateway keeps the configuration that it has" in refused.err
        assert running.log.count("event=reload_refused") == number
        assert status.status == 0, status
        assert "The configuration was not loaded again:" in status.out
        assert str(running.directory / "data/last-good.toml") in status.err
        assert healthy.status == 0, healthy
        assert re.search(of_another(running, "it refused the last that it was to load: "), check.err, re.M)
        assert listed.err.count("\n") == 2  # by which file, and that there are none

    running.path.write_text(good.replace("max_calls = 100", "max_calls = 101"))
    why = f"it refused the last that it was to load: {running.path}:8: sip.max_calls: cannot be changed while the gateway runs"
    refused, *told = run(running.path, ["reload"], ["check"], ["explain", "--from", "+14155550123"])
    assert refused.status == 1
    for one in told:
        assert one.status == 0, one
        assert len(re.findall(of_another(running, why), one.err, re.M)) == 1, one.err
    elsewhere = running.directory / "new.toml"
    elsewhere.write_text(running.path.read_text())
    assert [done.err for done in run(elsewhere, ["check"])] == [""]

    running.path.write_text(good)
    assert [done.status for done in run(running.path, ["reload"])] == [0]
    assert_same(running)
    running.path.write_text(good.replace("ring_seconds = 1", "ring_seconds = 2"))
    why = f"it was not loaded since; load it with textback -c {running.path} reload\n"
    (check,) = run(running.path, ["check"])
    assert re.search(of_another(running, why), check.err, re.M)
    assert_waiting_is_told(running, capsys)


def assert_totals_begin_at_zero(running: RunningGateway) -> None:
    """Before anything has happened."""
    with urllib.request.urlopen(f"http://127.0.0.1:{running.web_port}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    totals = [sample for family in families for sample in family.samples if sample.name.endswith("_total")]
    assert {sample.value for sample in totals} == {0}
    of_bridges = {sample.name for sample in totals if sample.labels.get("bridge") == "spool"}
    assert of_bridges == {f"textback_{what}_total" for what in ("submits", "receipts", "replies")}
    assert "textback_decisions_total" in {sample.name for sample in totals}


def assert_same(running: RunningGateway) -> None:
    assert [done.err for done in run(running.path, ["check"])] == [""]


def assert_waiting_is_told(running: RunningGateway, capsys: pytest.CaptureFixture[str]) -> None:
    """While it lasts, and at its end."""
    with stopped(running):
        words = [sys.executable, "-m", "gateway", "-c", str(running.path), "reload"]
        reloading = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert reloading.stderr is not None
        told = reloading.stderr.readline()
        assert reloading.poll() is None
    assert told == (
        f"textback: the gateway at 127.0.0.1:{running.web_port} does not answer at all: its process is stopped, or has too little"
        f" of the machine; waiting for it, {command.WITHIN_S:g} s at the most\n"
    )
    assert reloading.communicate(timeout=90) == (f"{running.path} is in force\n", "")
    with stopped(running), pytest.raises(NoAnswer) as late:
        post(as_taken(str(running.path)), "/api/v1/reload", within=0.5)
    assert str(late.value).endswith(
        f" If textback healthy has no answer either: end its process, then textback -c {running.path} run"
    )
    capsys.readouterr()
    command._tell_what_for(as_taken(str(running.path)))
    assert "reads the configuration, and the contacts and calendars that it names; waiting" in capsys.readouterr().err
