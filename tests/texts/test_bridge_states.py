"""A bridge that goes up, down or is paused: one fact each, by the bridge's own word, however often it says that it changed."""

from pathlib import Path

from gateway.core import facts
from gateway.core.facts import Fact
from sms.smpp import pdu
from sms.text import Health
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.sending import Sending, sending, smpp
from tests.sms.test_smpp_bridge import until
from tests.texts.test_outbox import Stumbling

WRONG_PASSWORD = 0x0E


def of_bridges(happened: list[Fact]) -> list[tuple[str, str]]:
    kinds = facts.BridgeUp | facts.BridgeDown | facts.BridgePaused
    return [(fact.name, fact.bridge) for fact in happened if isinstance(fact, kinds)]


async def seen(it: Sending, *names: str) -> None:
    await until(lambda: [name for name, _ in of_bridges(it.happened)] == list(names), 20)


async def test_link_that_comes_and_goes_is_up_and_down_once_each(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc)) as it:
        await seen(it, "bridge.up")
        await it.add(5)
        await it.until("accepted", 5)
        assert of_bridges(it.happened) == [("bridge.up", "primary")]  # it has told of its room five times meanwhile
        await smsc.stop()
        await seen(it, "bridge.up", "bridge.down")
        (down,) = [fact for fact in it.happened if isinstance(fact, facts.BridgeDown)]
        assert down.detail == it.bridges.by_name["primary"].health().detail


async def test_account_that_is_refused_is_paused(tmp_path: Path) -> None:
    async def refuse(link: Link, one: pdu.Pdu) -> None:
        link.answer(one, WRONG_PASSWORD)

    smsc = await FaultySmsc(on_bind=refuse).start()
    async with sending(tmp_path, smpp(smsc)) as it:
        await until(lambda: it.bridges.by_name["primary"].health().paused, 20)
        await seen(it, "bridge.paused")
        assert "password" in next(fact.detail for fact in it.happened if isinstance(fact, facts.BridgePaused))
    await smsc.stop()


async def test_bridge_that_is_no_longer_in_the_configuration_is_forgotten(tmp_path: Path) -> None:
    """One of that name which comes later is up anew."""
    async with sending(tmp_path) as it:
        await seen(it, "bridge.up")
        it.bridges.use({})
        it.inbox.bridge_changed("spool")
        it.bridges.use(it.config.sms)
        await seen(it, "bridge.up", "bridge.up")


class Speechless(Stumbling):
    def health(self) -> Health:
        raise LookupError("a fault of ours")


async def test_bridge_that_cannot_say_how_it_is_counts_as_down(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        await seen(it, "bridge.up")
        it.bridges.by_name["stumbling"] = Speechless()
        for _ in range(2):
            it.inbox.bridge_changed("stumbling")
        del it.bridges.by_name["stumbling"]
        assert of_bridges(it.happened) == [("bridge.up", "spool"), ("bridge.down", "stumbling")]
