"""Two machines that are network namespaces of their own, joined by one cable that can be made to swallow everything."""

import os
import subprocess

SUDO = [] if os.geteuid() == 0 else ["sudo"]


class TwoMachines:
    """`office` and `carrier`. Nothing of them touches the network of this machine."""

    office_address, carrier_address = "10.77.0.1", "10.77.0.2"

    def __init__(self) -> None:
        self._names = {"office": f"tb-office-{os.getpid()}", "carrier": f"tb-carrier-{os.getpid()}"}
        self._addresses = {"office": self.office_address, "carrier": self.carrier_address}

    def start(self) -> "TwoMachines":
        """Make both and join them."""
        office, carrier = self._names.values()
        for name in self._names.values():
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", office, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", carrier)
        for machine, name in self._names.items():
            _ip("-n", name, "addr", "add", f"{self._addresses[machine]}/24", "dev", "cable")
            _ip("-n", name, "link", "set", "cable", "up")
        return self

    def stop(self) -> None:
        """Take both away."""
        for name in self._names.values():
            subprocess.run([*SUDO, "ip", "netns", "del", name], check=False, capture_output=True)

    def on(self, machine: str) -> list[str]:
        """What to put before a command to run it on a machine."""
        return [*SUDO, "ip", "netns", "exec", self._names[machine]]

    def swallow(self) -> None:
        """From now on each machine's packets go to an address that nobody has: no error, no answer, nothing."""
        for machine, other in (("office", "carrier"), ("carrier", "office")):
            at = ("lladdr", "02:00:00:00:00:99", "dev", "cable", "nud", "permanent")
            _ip("-n", self._names[machine], "neigh", "replace", self._addresses[other], *at)

    def heal(self) -> None:
        """As if nothing had been."""
        for machine, other in (("office", "carrier"), ("carrier", "office")):
            _ip("-n", self._names[machine], "neigh", "del", self._addresses[other], "dev", "cable")


def _ip(*arguments: str) -> None:
    ran = subprocess.run([*SUDO, "ip", *arguments], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, f"ip {' '.join(arguments)}: {ran.stderr}"
