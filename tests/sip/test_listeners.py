"""By what name a caller can reach us."""

import pytest

from sip.stack.listeners import contact, listener

UDP, TCP = "udp:127.0.0.1:5060", "tcp:127.0.0.1:5061"
UDP6, TCP6 = "udp:[::1]:5062", "tcp:[::1]:5063"


@pytest.mark.parametrize(
    ("listens", "transport", "caller", "name"),
    [
        ((UDP,), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5060>"),
        ((UDP, TCP), "tcp", "127.0.0.1", "<sip:textback@127.0.0.1:5061;transport=tcp>"),
        ((TCP, UDP), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5060>"),
        ((TCP,), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5061;transport=tcp>"),
        ((UDP, TCP, UDP6, TCP6), "tcp", "::1", "<sip:textback@[::1]:5063;transport=tcp>"),
        ((UDP, TCP, UDP6, TCP6), "udp", "::1", "<sip:textback@[::1]:5062>"),
        ((TCP, UDP6), "tcp", "127.0.0.1", "<sip:textback@127.0.0.1:5061;transport=tcp>"),
        (("udp:0.0.0.0:5060",), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5060>"),
        (("udp:[::]:5060",), "udp", "::1", "<sip:textback@[::1]:5060>"),
        (("udp:192.0.2.1:5060", UDP), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5060>"),
        (("udp:192.0.2.1:5060", "udp:0.0.0.0:5070"), "udp", "127.0.0.1", "<sip:textback@127.0.0.1:5070>"),
        (("udp:192.0.2.1:5060",), "udp", "127.0.0.1", "<sip:textback@192.0.2.1:5060>"),
        (("udp:0.0.0.0:5060",), "udp", "no address", "<sip:textback@0.0.0.0:5060>"),
    ],
)
def test_contact(listens: tuple[str, ...], transport: str, caller: str, name: str) -> None:
    assert str(contact([listener(listen) for listen in listens], transport, caller)) == name


@pytest.mark.parametrize(
    ("public", "caller", "host"),
    [
        ("203.0.113.7", "127.0.0.1", "203.0.113.7"),
        ("203.0.113.7", "::1", "::1"),
        ("2001:db8::7", "::1", "2001:db8::7"),
        ("2001:db8::7", "127.0.0.1", "127.0.0.1"),
        ("gw.example.net", "127.0.0.1", "gw.example.net"),
    ],
)
def test_public_address(public: str, caller: str, host: str) -> None:
    listeners = [listener("udp:0.0.0.0:5060"), listener("udp:[::]:5060")]
    assert contact(listeners, "udp", caller, public).host == host
