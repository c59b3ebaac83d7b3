"""`script/build-pjsua2`: which source it builds from, what it says when it cannot, what it leaves behind. Nothing is compiled here."""

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.disk import SmallDisk
from tests.peers.gateway import PATIENCE_S
from tests.peers.machine import Machine

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "script" / "build-pjsua2"
NETWORK = "the network or the server at its other end cannot be reached; look at network and proxy and start again"
SOURCE = {
    "version.mak": "export PJ_VERSION_MAJOR  := 2\nexport PJ_VERSION_MINOR  := 17\n",
    "pjlib/include/pj/config.h": "",
    "pjmedia/build/Makefile": "",
    "pjlib/src/pj/ioqueue_common_abs.c": "PJ_DEF(pj_status_t) pj_ioqueue_accept(\n{\n#if PJ_IOQUEUE_FAST_TRACK\n#endif\n}\n",
    "pjsip/src/pjsip/sip_transport.c": (
        "PJ_DEF(pj_ssize_t) pjsip_tpmgr_receive_packet( pjsip_tpmgr *mgr,\n{\n"
        "    pjsip_transport *tr = rdata->tp_info.transport;\n}\n"
    ),
    "pjsip/src/pjsua-lib/pjsua_media.c": "    const int RTP_RETRY = 100\n",
    "pjsip/src/pjsua-lib/pjsua_call.c": "pj_bool_t pjsua_call_on_incoming(pjsip_rx_data *rdata)\n{\n"
    "    int sip_err_code = PJSIP_SC_INTERNAL_SERVER_ERROR;\n#if !PJSUA_DISABLE_AUTO_SEND_100\n        status = pjsip_inv_send_msg(inv, response);\n#endif\n}\n",
}
"""As much of pjproject as is looked at before it is configured."""


def tarball(path: Path, configure: str) -> Path:
    """A pjproject whose `configure` is this shell command."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {**SOURCE, "configure": f"#!/bin/sh\n{configure}\n"}.items():
            entry = tarfile.TarInfo(f"pjproject/{name}")
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content.encode()))
    return path


def build(cache: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT), "--python", sys.executable, *options]
    there = {**os.environ, "TEXTBACK_CACHE": str(cache), **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=there)


def keep_wheel_of(cache: Path, source: Path) -> Path:
    """Put a wheel where a build from this tarball puts it."""
    recipe = b"".join(path.read_bytes() for path in sorted((ROOT / "script" / "pjsua2").iterdir()))
    recipe += f"{hashlib.sha256(source.read_bytes()).hexdigest()}  -\n".encode()
    key = hashlib.sha256(recipe).hexdigest()[:16]
    words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    system = (words.get("ID", "linux") + words.get("VERSION_ID", "")).replace('"', "")
    shelf = cache / "pjsua2" / f"{system}-{os.uname().machine}-cp{sys.version_info.major}{sys.version_info.minor}-{key}"
    shelf.mkdir(parents=True)
    (shelf / "proof").write_text("pjsua2 as it was built\n")
    (shelf / "textback_pjsua2.whl").touch()
    return shelf / "textback_pjsua2.whl"


def test_tarball_that_was_given_counts_from_then_on(tmp_path: Path) -> None:
    """Also for the scripts that call this one without it, and after the tarball has gone."""
    given = tarball(tmp_path / "pjproject.tar.gz", "exit 1")
    wheel = keep_wheel_of(tmp_path / "cache", given)
    only_look = {"TEXTBACK_PJSUA2_NO_BUILD": "1"}
    without = build(tmp_path / "cache", "--no-fallback", "--print-wheel", **only_look)
    assert (without.returncode, without.stdout) == (1, "")
    assert build(tmp_path / "cache", "--source", str(given)).stdout == "pjsua2 as it was built\n"
    given.unlink()
    for _ in range(2):
        found = build(tmp_path / "cache", "--no-fallback", "--print-wheel", **only_look)
        assert (found.returncode, found.stdout) == (0, f"{wheel}\n"), found.stderr
    back = build(tmp_path / "cache", "--source", "debian", "--no-fallback", **only_look)
    assert back.returncode == 1, "Debian's has not been built here"


def test_tarball_that_did_not_build_is_not_kept(tmp_path: Path) -> None:
    broken = tarball(tmp_path / "pjproject.tar.gz", "echo 'configure: error: no compiler' >&2; exit 1")
    done = build(tmp_path / "cache", "--source", str(broken), "--no-fallback")
    assert done.returncode == 1
    assert "build-pjsua2: cannot build: configure failed. The log is" in done.stderr
    assert "configure: error: no compiler" in done.stderr
    assert not (tmp_path / "cache" / "source" / "chosen").exists()


@pytest.mark.parametrize(
    ("configure", "why"),
    [
        ("cat /dev/zero >/dev/full", "configure failed: the disk is full; free some space and start again"),
        ("touch /sys/kernel/textback 2>&1; exit 1", "configure failed"),
        (
            "exec /usr/bin/python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:9\")'",
            f"configure failed: {NETWORK}",
        ),
    ],
)
def test_failed_step_is_put_down_to_what_its_log_shows(tmp_path: Path, configure: str, why: str) -> None:
    done = build(tmp_path / "cache", "--source", str(tarball(tmp_path / "pj.tar.gz", configure)), "--no-fallback")
    assert f"build-pjsua2: cannot build: {why}. The log is" in done.stderr


def test_ready_made_wheel_is_fetched_once(tmp_path: Path) -> None:
    shelf = tmp_path / "pjsua2" / f"fallback-{os.uname().machine}-cp{sys.version_info.major}{sys.version_info.minor}"
    shelf.mkdir(parents=True)
    (shelf / "proof").write_text("the stand-in\n")
    (shelf / "pjsua2_python.whl").touch()
    no_index = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    done = build(tmp_path, "--print-wheel", TEXTBACK_PJSUA2_NO_BUILD="1", **no_index)
    assert (done.returncode, done.stdout) == (0, f"{shelf}/pjsua2_python.whl\n"), done.stderr


def test_killed_build_leaves_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    command = [str(SCRIPT), "--python", sys.executable, "--no-fallback", "--source"]
    endless = tarball(tmp_path / "endless.tar.gz", f"touch '{tmp_path}/begun'; exec sleep 600")
    killed = subprocess.Popen(
        [*command, str(endless)], env={**os.environ, "TEXTBACK_CACHE": str(cache)}, start_new_session=True
    )
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / "begun").exists():
        assert killed.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert list(cache.glob("build.??????")) != []
    build(cache, "--source", str(tarball(tmp_path / "broken.tar.gz", "exit 1")), "--no-fallback")
    assert {path.name for path in cache.iterdir()} == {"build-pjsua2.lock", "build-pjsua2.log", "source"}


def test_full_disk_is_seen_before_anything_is_done(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "cache")
    try:
        done = build(disk.path, "--source", str(tarball(tmp_path / "pj.tar.gz", "exit 1")), "--no-fallback")
        assert "cannot build: the disk is full: 8 MB are free in " in done.stderr
        disk.fill()
        done = build(disk.path, "--source", str(tarball(tmp_path / "pj.tar.gz", "exit 1")), "--no-fallback")
        assert done.returncode == 1
        assert "free some space" in done.stderr
    finally:
        disk.unmount()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    there = Machine(tmp_path_factory.mktemp("machine")).start()
    yield there
    there.stop()


DEBIAN = "ID=debian\\nVERSION_ID=12\\n"
UBUNTU = "ID=ubuntu\\nVERSION_ID=24.04\\nID_LIKE=debian\\n"


@pytest.mark.parametrize(
    ("system", "prepare", "why"),
    [
        (DEBIAN, "echo deb http://127.0.0.1:9/debian bookworm main", f"Debian's source index could not be read: {NETWORK}"),
        (DEBIAN, "true", "apt names no Debian mirror; give a tarball with --source"),
        (
            UBUNTU,
            "echo deb http://127.0.0.1:9/ubuntu noble main",
            "pjproject's source comes from Debian's archive, and this system is not Debian; give a tarball with --source",
        ),
    ],
)
def test_source_that_cannot_be_had(machine: Machine, system: str, prepare: str, why: str) -> None:
    # a file of its own: /etc/os-release is a link out of /etc
    machine.run("bash", "-c", f"rm -f /etc/os-release; printf '{system}' >/etc/os-release")
    machine.run("bash", "-c", f"rm -rf /etc/apt/sources.list.d; ({prepare}) >/etc/apt/sources.list")
    done = machine.run(str(SCRIPT), "--no-fallback", TEXTBACK_CACHE="/opt/cache")
    assert done.returncode == 1
    assert f"build-pjsua2: cannot build: {why}. The log is" in done.stderr


def test_directory_where_nothing_can_be_run(machine: Machine, tmp_path: Path) -> None:
    machine.run("bash", "-c", "mkdir /run/cache && mount -t tmpfs -o noexec tmpfs /run/cache")
    given = tarball(tmp_path / "pj.tar.gz", "exit 1")
    done = machine.run(str(SCRIPT), "--source", str(given), "--no-fallback", TEXTBACK_CACHE="/run/cache")
    assert "programs cannot be run in /run/cache/build." in done.stderr
    assert "is it mounted noexec? Name a directory where they can with TEXTBACK_CACHE" in done.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)", "another apt or dpkg is at work"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "the disk is full"),
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", "run dpkg --configure -a"),
        ("W: Failed to fetch http://mirror/InRelease  Temporary failure resolving 'mirror'", "look at network and proxy"),
        (
            "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)",
            "look at network and proxy",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "without a mirror in between"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "is the clock right?"),
        ("script/setup.sh: line 33: sudo: command not found", "start it as root"),
        ("sudo: a password is required", "start it as root"),
        ("g++: internal error", None),
    ],
)
def test_words_of_programs_name_the_cure(words: str, why: str | None) -> None:
    command = ["bash", "-c", '. "$0" && why "$1" "it failed"', str(ROOT / "script" / "common.sh"), words]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith("it failed: ") if why else said == "it failed"
    assert (why or "") in said


def test_image_is_built_with_all_that_the_script_needs(tmp_path: Path) -> None:
    """What the Dockerfile copies before it runs the script, so that a change of anything else compiles nothing again."""
    first, _, _ = (ROOT / "Dockerfile").read_text().partition("\nRUN ")
    for words in re.findall(r"^COPY (.*)$", first, flags=re.MULTILINE):
        *sources, target = words.split()
        for source in sources:
            there = tmp_path / target.removeprefix("/src/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, there)
            else:
                there = there / Path(source).name if target.endswith("/") else there
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, there)
    done = subprocess.run(
        [tmp_path / "script" / "build-pjsua2", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {"requirements-build.txt", "requirements-pjsua2-fallback.txt"} <= {path.name for path in tmp_path.iterdir()}
