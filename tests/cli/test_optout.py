"""A caller says by phone that they want no texts: it counts at once, is kept as evidence, and needs no running gateway."""

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.values import number
from gateway.actions import ActionRefused
from gateway.cli.main import main
from gateway.process.data_dir import LOCK, one_runs, only_one_here, while_none_runs
from gateway.store import consent
from gateway.store.database import FILE, reading
from sms.text import Reply
from tests.peers import sipp
from tests.peers.gateway import RunningGateway, free_port
from tests.peers.sending import CALLER, SPOOL, sending
from tests.peers.sipp import Call, Ends
from tests.web.wire import Start

BRIDGES = SPOOL + '[web]\nlisten = "127.0.0.1:{port}"\n'
Captured = pytest.CaptureFixture[str]


async def test_opt_out_meets_what_waits(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        it.outbox.routes = {}
        await it.add(recipient=CALLER)
        await it.add(recipient=CALLER, held_for="limit_minute", due_at=None)
        await it.add(recipient=CALLER, held_for="quiet_hours", due_at=datetime.now(UTC) + timedelta(hours=9))
        await it.add(recipient="+14155550199")
        with capture_logs() as logs:
            said = await it.actions.opt_out(CALLER, "front", "said so by phone")
        assert said == f"{CALLER} gets no more texts; 3 texts that waited are cancelled"
        assert [row["state"] for row in await it.rows()] == ["cancelled", "cancelled", "cancelled", "queued"]
        assert [(log["event"], log["number"], log["cancelled"]) for log in logs] == [("number_opted_out", "+1415•••0123", 3)]
        with pytest.raises(ActionRefused, match="there is no line nobody; the lines are front"):
            await it.actions.opt_out(CALLER, "nobody", "")
        (kept,) = await it.store.run(consent.of_number, CALLER)
        assert (kept.source, kept.line, kept.note, kept.words) == ("person", "front", "said so by phone", None)
        assert await it.actions.opt_out(CALLER, None, "") == f"{CALLER} gets no more texts (and was opted out already)"
        assert len(await it.store.run(consent.of_number, CALLER)) == 2


async def test_text_under_way_is_told(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        it.outbox.routes = {}
        (text,) = await it.add(recipient=CALLER)
        await it.store.run(lambda db: db.execute("UPDATE texts SET state = 'sending' WHERE id = ?", (text,)))
        said = await it.actions.opt_out(CALLER, None, "")
        assert said == f"{CALLER} gets no more texts; 1 text under way may still arrive"


@pytest.mark.parametrize("source", ["reply", "bridge"])
async def test_opt_out_is_taken_back_with_a_reason(tmp_path: Path, source: str) -> None:
    async with sending(tmp_path) as it:
        with pytest.raises(ActionRefused, match="is not opted out"):
            await it.actions.opt_in(CALLER, "wants texts again")
        if source == "reply":
            stop = Reply(bridge="spool", sender=CALLER, to="+14155550100", body="Stop!", at=datetime.now(UTC))
            await it.inbox.reply(stop)
        else:
            await it.store.run(consent_of_bridge)
        said = await it.actions.opt_in(CALLER, "wants texts again")
        assert said.startswith(f"{CALLER} gets texts again")
        assert ("the provider of primary keeps a list of its own" in said) == (source == "bridge")
        newest, before = await it.store.run(consent.of_number, CALLER)
        assert (newest.wish.value, newest.source, newest.note) == ("opt_in", "person", "wants texts again")
        assert before.words == ("Stop!" if source == "reply" else None)
        with pytest.raises(ActionRefused, match="is not opted out"):
            await it.actions.opt_in(CALLER, "once more")


def consent_of_bridge(db):
    consent.add(db, number=CALLER, wish=consent.Wish.OPT_OUT, at=datetime.now(UTC), source="bridge:primary")


# --- without a gateway ---


@pytest.fixture
async def office(tmp_path: Path) -> Path:
    """Where a gateway has run, whose configuration this is."""
    async with sending(tmp_path, BRIDGES.format(port=free_port())) as it:
        it.outbox.routes = {}
        await it.add(recipient=CALLER)
    return tmp_path / "textback.toml"


def run(office: Path, *words: str) -> int:
    return main(["-c", str(office), "optout", *words])


@pytest.mark.parametrize("given", ["(415) 555-0123", "+1 415-555-0123", "4155550123", "0014155550123"])
def test_without_a_gateway(office: Path, capsys: Captured, given: str) -> None:
    before = {path.name for path in (office.parent / "data").iterdir()}
    assert run(office, "add", given, "--line", "front", "--note", "said so\nby phone") == 0
    assert capsys.readouterr() == (f"{CALLER} gets no more texts; 1 text that waited is cancelled\n", "")
    assert {path.name for path in (office.parent / "data").iterdir()} == before
    assert run(office, "list") == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert shown.startswith(f"{CALLER}      opt out  ")
    assert shown.endswith(r"person on front  said so\nby phone" + "\n")
    assert run(office, "list", "--json") == 0
    (kept,) = json.loads(capsys.readouterr().out)
    assert datetime.fromisoformat(kept.pop("at")).tzinfo is not None
    assert kept == {
        "number": CALLER, "wish": "opt_out", "source": "person", "line": "front", "note": "said so\nby phone", "words": None,
    }  # fmt: skip
    assert run(office, "remove", given, "--reason", "their daughter had asked") == 0
    assert capsys.readouterr().out == f"{CALLER} gets texts again\n"
    assert run(office, "list") == 0
    assert capsys.readouterr().out == "Nobody has opted out.\n"
    assert run(office, "list", given) == 0
    assert [line.split()[1:3] for line in capsys.readouterr().out.splitlines()] == [["opt", "in"], ["opt", "out"]]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["add", "hello"], 2, "textback: hello is no telephone number, neither in US nor with + and country code\n"),
        (["add", CALLER, "--line", "nobody"], 2, "textback: there is no line nobody; the lines are front\n"),
        (["remove", CALLER, "--reason", "x"], 1, f"textback: {CALLER} is not opted out; textback optout list shows who is\n"),
        (["list", "hello"], 2, "textback: hello is no telephone number, neither in US nor with + and country code\n"),
    ],
)
def test_what_cannot_be_done(office: Path, capsys: Captured, words: list[str], status: int, said: str) -> None:
    assert run(office, *words) == status
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("words", [["remove", CALLER], ["remove", CALLER, "--reason", " "], ["add"], []])
def test_wrong_use(office: Path, capsys: Captured, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(office, *words)
    assert "--reason" in capsys.readouterr().err or "remove" not in words


def test_no_database_yet(office: Path, capsys: Captured) -> None:
    (office.parent / "data" / FILE).unlink()
    assert run(office, "add", CALLER) == 1
    assert "no database here yet" in capsys.readouterr().err
    assert not (office.parent / "data" / FILE).exists()


def test_gateway_that_runs_and_does_not_answer(office: Path, capsys: Captured) -> None:
    """It starts just now, or listens elsewhere than the file says: it alone may write."""
    with only_one_here(office.parent / "data"):
        assert run(office, "add", CALLER) == 1
    assert "runs on data_dir" in (said := capsys.readouterr().err)
    assert "web.listen was changed" in said
    with reading(office.parent / "data" / FILE) as db:
        assert consent.of_number(db, number(CALLER)) == []
    assert run(office, "add", CALLER) == 0


def test_gateway_that_starts_meanwhile_waits_for_the_command(office: Path) -> None:
    data = office.parent / "data"
    (data / LOCK).touch()
    begun, done = threading.Event(), threading.Event()

    def start() -> None:
        begun.set()
        with only_one_here(data):
            done.set()

    starting = threading.Thread(target=start)
    with while_none_runs(data):
        starting.start()
        begun.wait()
        assert not one_runs(data.parent)
        assert one_runs(data)
        assert not done.is_set()
    starting.join()
    assert done.is_set()


def test_what_root_writes_stays_the_gateways(office: Path) -> None:
    data = office.parent / "data"
    (data / LOCK).unlink(missing_ok=True)
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    for path in (data, *data.iterdir()):
        os.chown(path, owner, -1)
    assert run(office, "add", CALLER) == 0
    assert {path.stat().st_uid for path in data.iterdir()} == {owner}
    assert not (data / LOCK).exists()


# --- beside a gateway ---


def missed(running: RunningGateway) -> None:
    assert sipp.place(running.directory, running.sip_port, [Call(caller=CALLER)], Ends(cancel_after=0.2)).is_good


def test_running_gateway_knows_at_once(gateway: Start) -> None:
    running = gateway(limits="per_minute = 1")
    missed(running)
    running.wait_for("texts", 1, state="accepted")
    missed(running)
    running.wait_for("texts", 1, state="held")
    done = running.cli("optout", "add", "(415) 555-0123", "--note", "said so by phone")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{CALLER} gets no more texts; 1 text that waited is cancelled\n"
    assert "event=number_opted_out" in running.log
    assert CALLER not in next(line for line in running.log.splitlines() if "number_opted_out" in line)
    missed(running)
    assert running.wait_for("calls", 3, outcome="abandoned")[2]["reason"] == "opted_out"
    assert running.cli("optout", "remove", CALLER, "--reason", "asked for it").stdout == f"{CALLER} gets texts again\n"
    again = running.cli("optout", "remove", CALLER, "--reason", "asked for it")
    assert (again.returncode, again.stderr) == (1, f"textback: {CALLER} is not opted out; textback optout list shows who is\n")
    for path, body in (("add", {"number": CALLER}), ("remove", {"number": CALLER, "reason": "x"})):
        assert running.post(f"/api/v1/optouts/{path}", body)[0] == 403
