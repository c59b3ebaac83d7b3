"""What phones do that transfer a call which they have taken."""

import asyncio

from tests.peers.handset import Handsets, Packet

TALKS_S = 1.0
"""Asterisk refuses to transfer a call that was answered in this very moment."""
LISTENS_S = 0.5
"""Nobody transfers at the first ring of the first phone: Asterisk says who calls to those alone that ring already."""
PHONE = "8"
"""What the number of the transferring phone begins with; the rest is the end of its caller's."""


async def blind(phones: Handsets, invite: Packet, port: int) -> None:
    """REFER to the gateway's extension (RFC 3515), and out."""
    await asyncio.sleep(TALKS_S)
    _refer(phones, invite, port, f"sip:alone@127.0.0.1:{port}")


async def semi_attended(phones: Handsets, invite: Packet, port: int) -> None:
    """Call the group, and connect both while it rings: REFER with the Replaces of a call that nobody has taken (RFC 3891)."""
    await asyncio.sleep(TALKS_S)
    number = PHONE + invite["from"].partition("sip:")[2].partition("@")[0][-4:]
    placed = phones.invite(port, "group-rings", caller=number)
    await placed.rang.wait()
    await asyncio.sleep(LISTENS_S)
    ringing = next(packet for packet in placed.heard if packet.status > 100)
    to_tag = ringing["to"].partition(";tag=")[2]
    replaces = f"{placed.key}%3Bto-tag%3D{to_tag}%3Bfrom-tag%3D{placed.key}"
    _refer(phones, invite, port, f"sip:group-rings@127.0.0.1:{port}?Replaces={replaces}")


def caller_of(number: str) -> str:
    """Whose call a transferring phone has; empty of other numbers."""
    return f"+1415555{number.removeprefix(PHONE)}" if number.startswith(PHONE) and len(number) == 5 else ""


def _refer(phones: Handsets, invite: Packet, port: int, to: str) -> None:
    ours = f"127.0.0.1:{phones.port}"
    lines = [
        f"REFER {invite['contact'].partition('<')[2].partition('>')[0]} SIP/2.0",
        f"Via: SIP/2.0/UDP {ours};branch=z9hG4bK-refer-{invite['call-id']}",
        f"From: {invite['to']};tag=phone-{phones.port}",
        f"To: {invite['from']}",
        f"Call-ID: {invite['call-id']}",
        "CSeq: 101 REFER",
        f"Contact: <sip:{invite.user}@{ours}>",
        f"Refer-To: <{to}>",
        f"Referred-By: <sip:{invite.user}@{ours}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    phones.transmit(lines, port)
