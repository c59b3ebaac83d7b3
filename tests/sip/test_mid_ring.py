"""Who calls may change while it rings: what the real agent tells of an UPDATE or another INVITE, and what the caller hears."""

import asyncio

import pytest

from sip.protocol import CallArrived, CallEnded, CallerChanged, CallerHungUp, Pulse, Trunk, UseTrunks
from sip.wire import identity
from sip.wire.message import SipMessage, parse
from tests.peers.raw_caller import RawCaller
from tests.sip.test_agent import RunningAgent
from tests.sip.test_offers import OFFERS

PBX = Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=60)
ASSERTED = "P-Asserted-Identity"
OTHER = "+14155550199"


async def ring(agent: RunningAgent, caller: RawCaller, *headers: str) -> None:
    """Until it rings."""
    caller.send("INVITE", *headers, body=OFFERS["PCMU"])
    await asyncio.to_thread(caller.until, 180)
    await agent.until(lambda: agent.of(CallArrived) != [])


async def hang_up(agent: RunningAgent, caller: RawCaller) -> None:
    """And wait for the last event, so that all that came before has been told."""
    caller.send("CANCEL", of=1)
    assert (await asyncio.to_thread(caller.until, 487)).status == 487
    await agent.until(lambda: agent.of(CallEnded) != [])
    assert len(agent.of(CallArrived)) == len(agent.of(CallerHungUp)) == 1


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("UPDATE", "", 200), ("UPDATE", OFFERS["PCMU"], 491), ("INVITE", "", 491), ("INVITE", OFFERS["G.729"], 491)],
)
async def test_the_agent_tells_who_calls_now_however_the_request_is_answered(method: str, body: str, status: int) -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port, caller="101") as caller:
            await ring(agent, caller)
            sent = caller.send(method, f'{ASSERTED}: "Ann" <sip:{OTHER}@pbx;verstat=TN-Validation-Passed-A>', body=body)
            assert (await asyncio.to_thread(caller.until, status, method)).status == status
            caller.repeat(sent)
            caller.send("UPDATE", f"{ASSERTED}: <sip:{OTHER}@pbx>")
            while (response := await asyncio.to_thread(caller.receive)).headers["cseq"] != "3 UPDATE":
                assert response.status == status, "the response to what was repeated"
            assert response.status == 200
            await hang_up(agent, caller)
        (changed,) = agent.of(CallerChanged)
        assert (changed.key, changed.caller, changed.caller_name) == (agent.of(CallArrived)[0].key, OTHER, "Ann")
        assert (changed.caller_header, changed.verstat) == (ASSERTED, "TN-Validation-Passed-A")


async def test_what_is_older_than_the_request_before_changes_nothing() -> None:
    """On its way overtaken by a newer one (RFC 3261 §12.2.2): 500, also where the newer one had to wait."""
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port) as caller:
            await ring(agent, caller)
            caller.skip_to(5)
            caller.send("INVITE", f"{ASSERTED}: <sip:{OTHER}@pbx>")
            assert (await asyncio.to_thread(caller.until, 491)).status == 491
            caller.skip_to(3)
            caller.send("UPDATE", f"{ASSERTED}: <sip:+14155550177@pbx>")
            assert (await asyncio.to_thread(caller.until, 500, "UPDATE")).status == 500
            await hang_up(agent, caller)
        assert [event.caller for event in agent.of(CallerChanged)] == [OTHER]


async def until_in_force(agent: RunningAgent, trunks: tuple[Trunk, ...]) -> None:
    """Until a MESSAGE is refused as one of these trunks, or as a stranger's where there is none."""
    who = f"MESSAGE of {trunks[0].name} " if trunks else ""
    with RawCaller(agent.port) as probe:
        while True:
            probe.send("MESSAGE")
            status = (await asyncio.to_thread(probe.until, 405, "MESSAGE")).status
            if status == (405 if trunks else 403) and agent.of(Pulse)[-1].last_not_taken.startswith(who):
                return


@pytest.mark.parametrize(
    "trunks", [(), (Trunk(name="carrier", peers=("127.0.0.1",)),)], ids=["from no trunk any more", "from another trunk"]
)
async def test_only_the_trunk_of_the_call_is_believed(trunks: tuple[Trunk, ...]) -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        with RawCaller(agent.port) as caller:
            await ring(agent, caller)
            agent.client.send(UseTrunks(trunks=trunks))
            await until_in_force(agent, trunks)
            caller.send("UPDATE", f"{ASSERTED}: <sip:{OTHER}@pbx>")
            assert (await asyncio.to_thread(caller.until, 200, "UPDATE")).status == 200
            await hang_up(agent, caller)
        assert agent.of(CallerChanged) == []
        assert "a request in a call of pbx is not believed" in agent.said


# --- whom a request names ---------------------------------------------------------------------------------------------

NAMED, HIDDEN = "From: <sip:+14155550123@pbx>;tag=a", 'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=a'


def request(*headers: str) -> SipMessage:
    return parse("\r\n".join(("UPDATE sip:x@y SIP/2.0", *headers, "", "")))


def asserted(user: str) -> str:
    return f"{ASSERTED}: <sip:{user}@pbx>"


@pytest.mark.parametrize(
    ("invite", "update", "caller"),
    [
        ((NAMED,), (NAMED,), "+14155550123"),
        ((NAMED,), (NAMED, asserted(OTHER)), OTHER),
        ((NAMED,), (NAMED, f"Remote-Party-ID: <sip:{OTHER}@pbx>;party=calling"), OTHER),
        ((NAMED,), (NAMED, f"Remote-Party-ID: <sip:{OTHER}@pbx>;party=called"), "+14155550123"),
        ((NAMED,), (f"From: <sip:{OTHER}@pbx>;tag=a",), OTHER),
        ((NAMED, asserted("101")), (NAMED,), "101"),
        ((NAMED, asserted("101")), (f"From: <sip:{OTHER}@pbx>;tag=a",), OTHER),
        ((NAMED,), (NAMED, asserted("alice")), "alice"),
        ((NAMED,), (NAMED, f"{ASSERTED}: what is this?"), "+14155550123"),
        ((NAMED,), (NAMED, asserted("anonymous")), None),
        ((NAMED,), (HIDDEN,), None),
        ((NAMED,), (NAMED, "Privacy: id"), None),
        ((NAMED, asserted(OTHER)), (NAMED, asserted(OTHER), "Privacy: id"), None),
        ((NAMED, asserted(OTHER), "Privacy: id"), (NAMED,), None),
        ((NAMED, asserted(OTHER), "Privacy: id"), (NAMED, asserted(OTHER)), None),
        ((NAMED, asserted(OTHER), "Privacy: id"), (NAMED, asserted("101")), "101"),
        (("From: <sip:anonymous@pbx>;tag=a", asserted("101")), ("From: <sip:anonymous@pbx>;tag=a",), "101"),
        ((HIDDEN,), (HIDDEN,), None),
        ((HIDDEN,), (f"From: <sip:{OTHER}@pbx>;tag=a",), OTHER),
    ],
)
def test_whom_a_later_request_names(invite: tuple[str, ...], update: tuple[str, ...], caller: str | None) -> None:
    assert identity.after(identity.identity(request(*invite)), request(*update)).caller.number == caller
