"""The real agent and what a SIP stack likes to refuse by itself: strange offers ring, and of the rest every call is told."""

import asyncio
import os
import resource
import socket
from collections import Counter

import pytest

from sip.protocol import AnsweredElsewhere, Busy, CallArrived, CallEnded, CallerHungUp, Pulse, Refused, RingTimedOut, Trunk
from tests.peers import uac
from tests.peers.raw_caller import RawCaller
from tests.sip.test_agent import RunningAgent

PBX = Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=1)
SESSION = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
KEY = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
PRINT = ":".join(["AB"] * 32)
OFFERS = {
    "PCMU": f"{SESSION}m=audio 4000 RTP/AVP 0\n",
    "SRTP alone": f"{SESSION}m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\n",
    "SRTP without a key": f"{SESSION}m=audio 4000 RTP/SAVP 0\n",
    "WebRTC": (
        f"{SESSION}a=group:BUNDLE 0\nm=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=rtpmap:111 opus/48000/2\na=rtcp-mux\n"
        f"a=fingerprint:sha-256 {PRINT}\na=setup:actpass\na=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuvwx\n"
    ),
    "G.729": f"{SESSION}m=audio 4000 RTP/AVP 18\na=rtpmap:18 G729/8000\n",
    "an unknown codec": f"{SESSION}m=audio 4000 RTP/AVP 97\na=rtpmap:97 AMR-WB/16000\n",
    "fax": f"{SESSION}m=image 4000 udptl t38\na=T38FaxVersion:0\n",
    "video": f"{SESSION}m=video 4000 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "text": f"{SESSION}m=text 4000 RTP/AVP 98\na=rtpmap:98 t140/1000\n",
    "MSRP": f"{SESSION}m=message 4000 TCP/MSRP *\na=accept-types:text/plain\n",
    "declined": f"{SESSION}m=audio 0 RTP/AVP 0\n",
    "no media": SESSION,
    "no address": "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0\n",
    "no SDP": "this is no SDP",
    "half a line": f"{SESSION}m=audio",
    "none": "",
}
ISUP = (
    "--b\nContent-Type: application/isup;version=itu-t92+\n\nx\n"
    f"--b\nContent-Type: application/sdp\n\n{OFFERS['SRTP alone']}\n--b--\n"
)
BODIES = {
    **{name: (offer, "application/sdp") for name, offer in OFFERS.items()},
    "SIP-I": (ISUP, "multipart/mixed;boundary=b"),
    "ISUP alone": ("x", "application/isup"),
    "plain text": ("hello", "text/plain"),
}


def ring(port: int, transport: str, name: str) -> list[int]:
    """Offer it, and wait until it has been rung to the end."""
    body, content_type = BODIES[name]
    with RawCaller(port, transport=transport) as caller:
        caller.send(body=body, content_type=content_type)
        caller.until(480)
        return caller.seen


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_rings_whatever_it_offers(transport: str) -> None:
    async with RunningAgent(max_calls=50, trunks=(PBX,), places=("udp:127.0.0.1", "tcp:127.0.0.1")) as agent:
        seen = await asyncio.gather(*(asyncio.to_thread(ring, agent.port, transport, name) for name in BODIES))
        assert dict(zip(BODIES, seen, strict=True)) == {name: [180, 480] for name in BODIES}
        await agent.until(lambda: len(agent.of(CallEnded)) == len(BODIES))
        assert len(agent.of(RingTimedOut)) == len(agent.of(CallArrived)) == len(BODIES)
        assert agent.of(Busy, Refused) == []


async def test_a_strange_offer_is_cancelled_as_any_call_is() -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port) as caller:
            caller.send(body=OFFERS["SRTP alone"])
            await asyncio.to_thread(caller.until, 180)
            caller.send("CANCEL", 'Reason: Q.850;cause=16;text="gone"', of=1)
            assert (await asyncio.to_thread(caller.until, 487)).status == 487
        await agent.until(lambda: len(agent.of(CallEnded)) == 1)
        assert [event.reason for event in agent.of(CallerHungUp)] == ['Q.850;cause=16;text="gone"']


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_cancel_that_comes_before_the_ringing_ends_the_call(transport: str) -> None:
    """Nothing has been answered yet: what nobody has written down does not ring."""
    async with RunningAgent(trunks=(PBX,), places=("udp:127.0.0.1", "tcp:127.0.0.1")) as agent:
        with RawCaller(agent.port, transport=transport) as caller:
            caller.send()
            caller.send("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"', of=1)
            assert (await asyncio.to_thread(caller.until, 200, "CANCEL")).status == 200
            assert (await asyncio.to_thread(caller.until, 487)).status == 487
        await agent.until(lambda: len(agent.of(CallEnded)) == 1)
        assert [event.reason[:13] for event in agent.of(AnsweredElsewhere)] == ["SIP;cause=200"]
        assert agent.of(RingTimedOut) == []


async def test_a_caller_who_requires_reliable_ringing_gets_it() -> None:
    """RFC 3262: the 180 comes again and again until its PRACK; it is no answer to the offer."""
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port) as caller:
            caller.send("INVITE", "Require: 100rel", body=OFFERS["G.729"])
            ringing = await asyncio.to_thread(caller.until, 180)
            assert (ringing.status, ringing.headers["content-length"]) == (180, "0")
            caller.send("PRACK", f"RAck: {ringing.headers['rseq']} 1 INVITE")
            assert (await asyncio.to_thread(caller.until, 200, "PRACK")).status == 200
            assert (await asyncio.to_thread(caller.until, 480)).status == 480


async def test_a_call_rings_where_no_descriptor_is_left_for_its_media() -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        pid = agent.client.pid
        assert pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
        assert await asyncio.to_thread(ring, agent.port, "udp", "PCMU") == [180, 480]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        await agent.until(lambda: len(agent.of(RingTimedOut)) == 1)


async def test_a_second_offer_while_it_rings_has_to_wait() -> None:
    """491, to which callers try again later; the call rings on. An UPDATE that offers nothing (a new caller's name) is taken."""
    async with RunningAgent(trunks=(Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=60),)) as agent:
        with RawCaller(agent.port) as caller:
            caller.send(body=OFFERS["PCMU"])
            await asyncio.to_thread(caller.until, 180)
            for method, body, status in (
                ("INVITE", OFFERS["PCMU"], 491),
                ("INVITE", "", 491),
                ("UPDATE", OFFERS["SRTP alone"], 491),
                ("UPDATE", "", 200),
            ):
                caller.send(method, body=body)
                assert (await asyncio.to_thread(caller.until, status, method)).status == status, (method, body)
            caller.send("CANCEL", of=1)
            assert (await asyncio.to_thread(caller.until, 487)).status == 487
            caller.send("ACK", of=1)
            caller.send("INVITE")  # as chan_sip sends it after the end
            assert (await asyncio.to_thread(caller.until, 481)).status == 481
        await agent.until(lambda: agent.of(CallerHungUp) != [])
        assert len(agent.of(CallArrived)) == 1
        assert agent.of(Busy, Refused) == []


# --- what the stack refuses all the same ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status", "why"),
    [
        ("Require: tdialog", 420, "it requires an extension that is unknown here"),
        ("Require: 100rel, com.example.magic", 420, "it requires an extension that is unknown here"),
        ("Replaces: nothing@pbx;to-tag=a;from-tag=b", 481, "it replaces a call that is not here"),
    ],
)
async def test_an_invite_that_the_stack_refuses_is_told_once(header: str, status: int, why: str) -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port) as caller:
            sent = caller.send("INVITE", header, body=OFFERS["PCMU"])
            assert (await asyncio.to_thread(caller.until, status)).status == status
            caller.repeat(sent)
            assert (await asyncio.to_thread(caller.until, status)).status == status
        await agent.until(lambda: bool(agent.of(Pulse)[-1].stack_refused))
        arrived, refused, ended = agent.of(CallArrived, Refused, CallEnded)
        assert (arrived.trunk, arrived.caller, arrived.dialled) == ("pbx", "+14155550123", ("+14155550100",))
        assert (refused.status, ended.status) == (status, status)
        assert arrived.key == refused.key == ended.key
        assert agent.of(Pulse)[-1].last_stack_refused == f"pbx ({arrived.source}): {status}, {why}"


async def test_an_invite_that_the_stack_cannot_take_is_busy() -> None:
    """It would say 500, here of a Contact to which nothing could be sent; that tells a trunk that we are broken."""
    async with RunningAgent(trunks=(PBX,)) as agent:
        loop = asyncio.get_running_loop()
        transport, crowd = await loop.create_datagram_endpoint(
            Crowd, local_addr=("127.0.0.1", 0), remote_addr=("127.0.0.1", agent.port)
        )
        port = transport.get_extra_info("sockname")[1]
        invite = uac.INVITE.format(to="+14155550100", port=port, id="one", caller="+14155550123")
        transport.sendto(invite.replace(f"<sip:bench@127.0.0.1:{port}>", "<tel:+14155550123>").encode())
        await agent.until(lambda: crowd.final != {})
        await agent.until(lambda: agent.of(CallEnded) != [])
        transport.close()
        assert crowd.final == {"one": 486}
        assert [event.status for event in agent.of(Busy)] == [486]


async def test_a_strangers_invite_that_the_stack_refuses_is_counted_as_a_strangers() -> None:
    async with RunningAgent(trunks=()) as agent:
        with RawCaller(agent.port) as caller:
            caller.send("INVITE", "Require: tdialog")
            assert (await asyncio.to_thread(caller.until, 420)).status == 420
        await agent.until(lambda: agent.of(Pulse)[-1].strangers == 1)
        assert agent.of(CallArrived) == []
        assert agent.of(Pulse)[-1].stack_refused == 0


class Crowd(asyncio.DatagramProtocol):
    """Many callers of one socket, who acknowledge nothing."""

    def __init__(self) -> None:
        self.final: dict[str, int] = {}
        """Statuses by Call-ID."""

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A response."""
        start, *lines = data.decode().split("\r\n")
        headers = dict(line.partition(": ")[::2] for line in lines)
        if (status := int(start.split(" ")[1])) >= 200:
            self.final[headers["Call-ID"]] = status


async def test_more_calls_at_once_than_the_stack_holds_are_all_told() -> None:
    calls = [str(5550000 + number) for number in range(700)]
    async with RunningAgent(max_calls=50, trunks=(PBX,)) as agent:
        loop = asyncio.get_running_loop()
        transport, crowd = await loop.create_datagram_endpoint(
            Crowd, local_addr=("127.0.0.1", 0), remote_addr=("127.0.0.1", agent.port)
        )
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        port = transport.get_extra_info("sockname")[1]
        for call in calls:
            transport.sendto(uac.INVITE.format(to="+14155550100", port=port, id=call, caller=f"+1415{call}").encode())
        await agent.until(lambda: set(crowd.final) == set(calls))
        await agent.until(lambda: len(agent.of(RingTimedOut, Busy)) == len(calls))
        transport.close()
        assert {event.call_id for event in agent.of(CallArrived)} == set(calls)
        statuses = Counter(crowd.final.values())
        assert set(statuses) == {480, 486}
        assert [event.status for event in agent.of(Busy)] == [486] * statuses[486]
