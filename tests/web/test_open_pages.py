"""What anybody may see: whether calls are taken, and which bridges are up. Nothing that somebody else wrote."""

import asyncio
from pathlib import Path

from tests.end_to_end.test_http_bridge import twilio
from tests.peers.provider import Provider
from tests.web.wire import Start


async def test_what_a_provider_says_of_the_account_is_not_shown(gateway: Start, tmp_path: Path) -> None:
    words = "Account AC0123 of +1 415 555 0177 is suspended"
    provider = await Provider(status=401, body=f'{{"code": 20003, "message": "{words}"}}').start()
    section = twilio(provider, tmp_path)

    def scenario() -> None:
        running = gateway(sms=section)
        running.cli("send-test", "+14155550123", "--wait", "1")
        running.wait_for_status(lambda status: bool(status["bridges"]["primary"]["paused"]))
        status = running.get("/api/v1/status")[1]
        assert "Account AC0123 of •••77 is suspended" in status["bridges"]["primary"]["detail"]
        assert running.get("/readyz")[1]["bridges"] == {"primary": {"up": False, "paused": True}}

    await asyncio.to_thread(scenario)
    await provider.stop()


def test_what_is_wrong_with_the_configuration_is_not_shown(gateway: Start) -> None:
    running = gateway()
    before = running.get("/readyz")[1]
    assert before["reload_failed"] is False
    running.path.write_text(running.path.read_text().replace('"+14155550100"', '"a number 555 0177"'))
    running.reload()
    assert "555 0177" in running.get("/api/v1/status")[1]["reload_error"]
    after = running.get("/readyz")[1]
    assert after == {**before, "reload_failed": True}
