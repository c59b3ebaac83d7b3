"""One value out of a configuration, whatever the rest of it is."""

import pytest

from config import glimpse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[web]\nlisten = "127.0.0.1:1"', "127.0.0.1:1"),
        ('web.listen = "127.0.0.1:1"', "127.0.0.1:1"),
        ('web = { listen = "127.0.0.1:1" }', "127.0.0.1:1"),
        ('[sip]\nlisten = "udp:x"\n[ web ] # pages\nlisten = "127.0.0.1:1" # here\n[line.x\n', "127.0.0.1:1"),
        ("[web]\nlisten = 127.0.0.1:1\n", "127.0.0.1:1"),
        ('listen = "127.0.0.1:1"\n[sip\n', ""),
        ('[sip]\nlisten = "udp:x"\n', ""),
        ("[web]\nlisten = 5", ""),
        ("[" * 5000, ""),
        ("", ""),
    ],
)
def test_value_of_a_section(text: str, found: str) -> None:
    assert glimpse.value(text, "listen", "web") == found
