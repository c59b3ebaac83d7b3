"""Two machines that are network namespaces of their own, joined by one cable that can be made to swallow everything."""

import subprocess
from collections.abc import Sequence

AS_WE_ARE: tuple[str, ...] = ()
AS_ROOT_OF_OUR_OWN = ("--user", "--map-root-user")
"""In a user namespace: nobody has to be root for it, where the system lets users have one."""

UP = "ip link set lo up && echo up && exec cat"
"""What a machine runs: it lives until its standard input is closed, at the latest when the tests are gone."""


class TwoMachines:
    """`office` and `carrier`. Nothing of them touches the network of this machine, and none has a name outside."""

    office_address, carrier_address = "10.77.0.1", "10.77.0.2"

    def __init__(self) -> None:
        self._machines: dict[str, subprocess.Popen[str]] = {}
        self._user: list[str] = []
        self._addresses = {"office": self.office_address, "carrier": self.carrier_address}

    def start(self) -> "TwoMachines":
        """Make both and join them."""
        self._make_office()
        of_the_same_root = self._inside("office", *self._user) if self._user else []
        self._machines["carrier"] = _machine([*of_the_same_root, "unshare", "--net"])
        carrier = self._machines["carrier"].pid
        self._ip("office", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(carrier))
        for machine, address in self._addresses.items():
            self._ip(machine, "addr", "add", f"{address}/24", "dev", "cable")
            self._ip(machine, "link", "set", "cable", "up")
        return self

    def stop(self) -> None:
        """Take both away."""
        for machine in self._machines.values():
            machine.communicate()

    def on(self, machine: str) -> list[str]:
        """What to put before a command to run it on a machine."""
        return self._inside(machine, *self._user, "--net")

    def swallow(self) -> None:
        """From now on each machine's packets go to an address that nobody has: no error, no answer, nothing."""
        for machine, other in (("office", "carrier"), ("carrier", "office")):
            at = ("lladdr", "02:00:00:00:00:99", "dev", "cable", "nud", "permanent")
            self._ip(machine, "neigh", "replace", self._addresses[other], *at)

    def heal(self) -> None:
        """As if nothing had been."""
        for machine, other in (("office", "carrier"), ("carrier", "office")):
            self._ip(machine, "neigh", "del", self._addresses[other], "dev", "cable")

    def _make_office(self) -> None:
        refusals = []
        for rights in (AS_WE_ARE, AS_ROOT_OF_OUR_OWN):
            try:
                self._machines["office"] = _machine(["unshare", *rights, "--net"])
            except PermissionError as error:
                refusals.append(str(error))
            else:
                self._user = ["--user", "--preserve-credentials"] if rights else []
                return
        raise AssertionError(
            f"this test needs network namespaces of its own, and none may be made here ({'; '.join(refusals)}): run it as root, "
            "in a container with --cap-add SYS_ADMIN --cap-add NET_ADMIN, or where users may have namespaces"
        )

    def _inside(self, machine: str, *namespaces: str) -> list[str]:
        return ["nsenter", "--target", str(self._machines[machine].pid), *namespaces, "--"]

    def _ip(self, machine: str, *arguments: str) -> None:
        ran = subprocess.run([*self.on(machine), "ip", *arguments], check=False, capture_output=True, text=True)
        assert ran.returncode == 0, f"ip {' '.join(arguments)}: {ran.stderr}"


def _machine(prefix: Sequence[str]) -> "subprocess.Popen[str]":
    """A process in a network namespace of its own, with loopback; PermissionError with the system's words where that is refused."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([*prefix, "sh", "-c", UP], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    if process.stdout.readline() != "up\n":
        raise PermissionError(process.communicate()[1].strip())
    return process
