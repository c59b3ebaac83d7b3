"""`textback reload`: what the running gateway said of its configuration, which is more than a check of the file can know."""

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.config.test_load import WITHOUT_ROOTS_RIGHTS
from tests.peers.gateway import RunningGateway

KEPT = "textback: the gateway keeps the configuration that it has\n"


def reload(running: RunningGateway) -> subprocess.CompletedProcess[str]:
    return running.cli("reload")


def broken_by(running: RunningGateway, old: str, new: str) -> Callable[[], None]:
    """Write it; what is given back writes the good one again."""
    good = running.path.read_text()
    assert old in good
    running.path.write_text(good.replace(old, new))
    return lambda: running.path.write_text(good) and None


def test_it_says_what_the_gateway_did(gateway: Callable[..., RunningGateway]) -> None:
    running = gateway(ring=1, prefix=WITHOUT_ROOTS_RIGHTS)
    running.configure(ring=2)
    assert (
        f"has changed since the gateway started; load it with textback -c {running.path} reload\n"
        in running.cli("status").stdout
    )
    taken = reload(running)
    assert (taken.returncode, taken.stdout, taken.stderr) == (0, f"{running.path} is in force\n", "")
    assert running.log.count("event=configuration_loaded") == 1
    assert running.get("/api/v1/status")[1]["reloads"] == 1

    for number, (old, new, says) in enumerate(
        (
            ("max_calls = 100", "max_calls = 101", ": sip.max_calls: cannot be changed while the gateway runs; restart it"),
            (f'"127.0.0.1:{running.web_port}"', '"127.0.0.1:1"', ": web.listen: cannot be changed while the gateway runs"),
            (
                "ring_seconds",
                "ring_secs",
                ': line.front-desk.ring_secs: is no key of this section; did you mean "ring_seconds"?',
            ),
            ('region = "US"', 'region = "US', "textback.toml:3: "),
        ),
        start=2,
    ):
        mend = broken_by(running, old, new)
        refused = reload(running)
        mend()
        assert (refused.returncode, refused.stdout) == (1, ""), refused
        assert says in refused.stderr
        assert f"{running.path}:" in refused.stderr
        assert refused.stderr.endswith(KEPT)
        assert refused.stderr.count("\n") == 2, refused.stderr
        assert running.get("/api/v1/status")[1]["reloads"] == number

    running.path.chmod(0)
    closed = reload(running)
    running.path.chmod(0o644)
    assert (closed.returncode, closed.stdout) == (1, "")
    assert f"{running.path}: cannot be read: Permission denied" in closed.stderr

    mend = broken_by(running, "[limits]", '[contacts]\nfile = "nobody.csv"\n[limits]')
    half = reload(running)
    mend()
    assert (half.returncode, half.stdout) == (1, f"{running.path} is in force\n")
    assert f"{running.directory / 'nobody.csv'} is not there" in half.stderr
    mend = broken_by(running, "[limits]", '[contacts]\nfile = "some.csv"\n[limits]')
    (running.directory / "some.csv").write_text("number,name,group\n+14155550123,Ann,stfaf\n")
    rows = reload(running)
    mend()
    assert (rows.returncode, rows.stdout) == (0, f"{running.path} is in force\n")
    assert "has 1 row that cannot be read (line 2: " in rows.stderr
    with ThreadPoolExecutor(4) as several:
        assert [done.returncode for done in several.map(lambda _: reload(running), range(4))] == [0] * 4

    other = running.directory / "other.toml"
    other.write_text(running.path.read_text())
    done = RunningGateway.cli(_named(running, other), "reload")
    assert (done.returncode, done.stderr) == (1, f"textback: the gateway runs with {running.path}, and has loaded that\n")

    whole = running.path.read_text()
    running.path.write_text(whole[: whole.index("[limits]")])
    cut = reload(running)
    running.path.write_text(whole)
    assert (cut.returncode, cut.stdout) == (0, f"{running.path} is in force\n")
    assert re.match(r"textback: \[limits\], .*stood there before and count no more", cut.stderr)

    running.stop()
    nobody = reload(running)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr == (
        f"textback: no gateway answers at 127.0.0.1:{running.web_port}; start it with textback -c {running.path} run\n"
    )


def _named(running: RunningGateway, path: object) -> RunningGateway:
    """The same gateway, asked by another file's name."""
    same = object.__new__(RunningGateway)
    same.__dict__.update(running.__dict__, path=path)
    return same


@pytest.mark.parametrize("words", [["reload", "x"], ["reload", "--now"]])
def test_wrong_use(words: list[str]) -> None:
    done = subprocess.run(["python", "-m", "gateway", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
