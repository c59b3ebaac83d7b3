"""A configuration in which every section and every key stands, to be broken at one place; and all that is built out of one."""

from datetime import UTC, datetime
from pathlib import Path

from yarl import URL

from config.bridges import Http
from config.load import load, not_in_effect, warnings_about_secrets
from config.model import Config
from config.problems import ConfigError, Problem
from gateway.office.knowledge import Knowledge
from gateway.preview.advice import advise, messages
from gateway.preview.timetable import week
from gateway.texts.outbox import routes_of
from sip.pipe.lines import decode_command, encode
from sip.protocol import Start
from sms.build import build_bridge
from sms.http.providers import provider_of
from sms.text import Text
from tests.sms.test_smpp_bridge import certificate

HTTP = {"cost_per_segment": "0.01", "window": "5", "per_second": "2", "connect_timeout": '"5s"', "response_timeout": '"20s"'}
SECTIONS: dict[str, dict[str, str]] = {
    "": {"data_dir": '"data"', "timezone": '"America/Chicago"', "region": '"US"', "watch": "true"},
    "sip": {
        "listen": '["udp:0.0.0.0:5060", "tcp:127.0.0.1:5060"]',
        "rtp_ports": '"10000-10299"',
        "max_calls": "100",
        "public_address": '"203.0.113.7"',
        "stun": '"stun.example.net:3478"',
        "tls_certificate": '"fullchain.pem"',
        "tls_key": '"privkey.pem"',
    },
    "web": {"listen": '"127.0.0.1:8080"', "password_file": '"a.secret"', "public_url": '"https://textback.example.com"'},
    "trunk.pbx": {
        "peers": '["192.0.2.10", "198.51.100.0/28"]',
        "answered_elsewhere": '"trust"',
        "default_line": '"front"',
        "strip": '["9", "101"]',
        "replace": '["NXXXXXX -> +1415", "1XX|. -> "]',
        "national_prefix": '"0"',
        "international_prefix": '"011"',
        "no_answer": "480",
        "busy_answer": "486",
    },
    "trunk.carrier": {
        "registrar": '"sip:sip.carrier.example"',
        "username": '"15550100"',
        "password_file": '"a.secret"',
        "transport": '"udp"',
        "proxy": '"sip:proxy.carrier.example"',
        "expires": '"1h"',
    },
    "sms.smsc": {
        "kind": '"smpp"',
        "cost_per_segment": "0.008",
        "host": '"smsc.carrier.example"',
        "port": "2775",
        "system_id": '"abchvac"',
        "password_file": '"a.secret"',
        "system_type": '"x"',
        "service_type": '"x"',
        "bind": '"transceiver"',
        "tls": "true",
        "tls_ca": '"ca.pem"',
        "window": "10",
        "per_second": "1.0",
        "long_texts": '"udh"',
        "source_ton": "1",
        "source_npi": "1",
        "dest_ton": "1",
        "dest_npi": "1",
        "receipts": "true",
        "connect_timeout": '"10s"',
        "response_timeout": '"15s"',
        "enquire_link": '"30s"',
        "reconnect_most": '"60s"',
    },
    "sms.spool": {"kind": '"spool"', "cost_per_segment": "0"},
    "sms.twilio": {
        "kind": '"twilio"',
        "account_sid": '"AC1"',
        "auth_token_file": '"a.secret"',
        "base_url": '"https://api.twilio.com"',
        "callback_url": '"https://textback.example.com"',
        "hook_from": '["192.0.2.0/24"]',
        "hook_secret_file": '"long.secret"',
        **HTTP,
    },
    "sms.signalwire": {
        "kind": '"signalwire"',
        "base_url": '"https://x.signalwire.com"',
        "project_id": '"p"',
        "api_token_file": '"a.secret"',
        "signing_key_file": '"a.secret"',
    },
    "sms.telnyx": {
        "kind": '"telnyx"',
        "api_key_file": '"a.secret"',
        "public_key_file": '"public.key"',
        "messaging_profile": '"m"',
        "base_url": '"https://api.telnyx.com"',
    },
    "sms.bandwidth": {
        "kind": '"bandwidth"',
        "account_id": '"1"',
        "application_id": '"2"',
        "username": '"u"',
        "password_file": '"a.secret"',
        "hook_username": '"h"',
        "hook_password_file": '"a.secret"',
    },
    "sms.vonage": {
        "kind": '"vonage"',
        "api_key_file": '"a.secret"',
        "api_secret_file": '"a.secret"',
        "signing_key_file": '"a.secret"',
        "signature_method": '"sha512"',
    },
    "sms.plivo": {"kind": '"plivo"', "auth_id": '"MA1"', "auth_token_file": '"a.secret"'},
    "sms.sinch": {"kind": '"sinch"', "service_plan_id": '"p"', "api_token_file": '"a.secret"'},
    "sms.android": {
        "kind": '"android"',
        "username": '"u"',
        "password_file": '"a.secret"',
        "signing_key_file": '"a.secret"',
        "sim": "1",
        "url": '"http://192.168.1.5:8080/message"',
    },
    "sms.kannel": {"kind": '"kannel"', "username": '"u"', "password_file": '"a.secret"', "smsc": '"s"'},
    "sms.jasmin": {"kind": '"jasmin"', "username": '"u"', "password_file": '"a.secret"'},
    "sms.any": {
        "kind": '"http"',
        "url": '"https://api.sms.example/v1/messages"',
        "headers": '{ Authorization = "Bearer {secret}" }',
        "secret_file": '"a.secret"',
        "hook_secret_file": '"long.secret"',
        "body": '"json"',
        "fields": '{ from = "{sender}", to = ["{to}"], text = "{text}", status_url = "{receipt_url}" }',
        "id": '"data.0.id"',
        "accepted": "[200, 201]",
        "refused": "[400, 422]",
        "temporary": "429",
        "hook_answer": '"OK"',
    },
    "sms.any.receipt": {
        "id": '"message.id"',
        "to": '"message.to"',
        "key": '"key"',
        "state": '"status"',
        "delivered": '"delivered"',
        "undelivered": '["failed"]',
    },
    "sms.any.inbound": {"id": '"id"', "sender": '"from"', "to": '"to"', "text": '"text"'},
    "hours.office": {
        "mon-fri": '["08:00-12:00", "13:00-17:00"]',
        "sat": '"09:00-12:00"',
        "holidays": '["US-TX", "closures.ics", "2026-12-24"]',
    },
    "line.front": {
        "number": '"+14155550100"',
        "business": '"ABC HVAC"',
        "staff": '"Mike"',
        "timezone": '"America/Denver"',
        "trunks": '["pbx", "carrier"]',
        "arrives": '"group"',
        "ring_seconds": "20",
        "ring_most": '"5m"',
        "same_call_within": '"20s"',
        "min_ring": '"3s"',
        "phones": '["sip:101@192.0.2.20", "+14155550123"]',
        "then": '"reject"',
        "greeting": '"greeting.wav"',
        "hours": '"office"',
        "sms": '["smsc", "twilio", "any"]',
        "sender": '"+14155550100"',
        "campaign": '"C1"',
    },
    "line.front.text": {
        "enabled": "true",
        "message": '"This is {staff} at {business}. Reply STOP to opt out."',
        "wait": '"0s"',
        "once_per": '"day"',
        "expires": '"15m"',
        "repeat_after_no_reply": "true",
    },
    "[line.front.text.variant]": {
        "hours": '"closed"',
        "missed": "2",
        "days": '"sat-sun"',
        "between": '"17:00-20:00"',
        "caller": '"known"',
        "outcome": '"busy"',
        "message": '"{business}: open again {opens}."',
        "send": "true",
    },
    "consent": {
        "quiet_hours": '"21:00-08:00"',
        "when_quiet": '"hold"',
        "opt_out_reply": '"{business}: no more."',
        "opt_in_reply": '"{business}: again."',
        "help_reply": '"{business}: call {number}."',
        "provider_confirms_opt_out": "false",
    },
    "limits": {
        "regions": '["US", "CA"]',
        "per_minute": "10",
        "per_day": "100",
        "per_region_abroad": "5",
        "require_attestation": '["A", "B"]',
    },
    "contacts": {"file": '"contacts.csv"'},
    "retention": {"calls": '"90d"', "voicemail": '"30d"'},
    "alert.owner": {"kind": '"email"', "to": '"mike@abchvac.example"', "events": '["reply", "digest"]'},
}
KEYS = [(section, key) for section, keys in SECTIONS.items() for key in keys]
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def toml(section: str, key: str, value: str | None) -> tuple[str, int]:
    """The whole configuration with another value of one key, or without it; and the line where it stands, or its section."""
    lines: list[str] = []
    line = 1
    for name, keys in SECTIONS.items():
        lines += [f"[{name}]"] if name else []
        line = len(lines) if name == section else line
        values = {**keys, key: value} if name == section else keys
        for one, shown in values.items():
            if shown is not None:
                lines.append(f"{one} = {shown}")
                line = len(lines) if (name, one) == (section, key) else line
    return "\n".join(lines) + "\n", line


def lay_out(directory: Path) -> Path:
    """The files that the configuration names; the configuration's own name."""
    certificate(directory, "localhost")[0].rename(directory / "ca.pem")
    (directory / "a.secret").write_text("secret\n")
    (directory / "long.secret").write_text("a-secret-of-20-letters\n")
    (directory / "public.key").write_text("A" * 43 + "=\n")
    (directory / "contacts.csv").write_text("4155550199,Sam,staff\n")
    (directory / "two.lines").write_text("secret\nsecret\n")
    (directory / "closures.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    return directory / "textback.toml"


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Everything that is wrong with a file; nothing where it is accepted, and then everything can be built out of it."""
    try:
        config = load(path)
    except ConfigError as refused:
        error = refused
    else:
        build(config)
        return ()
    assert error.problems, "refused without a word"
    assert len(str(error).split("\n")) == len(error.problems), "a line each"
    return error.problems


def build(config: Config) -> None:
    """What `run` and `check` make of a configuration, as far as it goes without a network."""
    advise(config, NOW)
    not_in_effect(config.path)
    warnings_about_secrets(config.path)
    directory = Knowledge().directory(config, NOW)
    for line in config.line.values():
        messages(line, config)
        week(line, directory, NOW, days=1)
        directory.policy(line, None)
    routes_of(config)
    sip = config.sip
    start = Start(
        listen=tuple(str(listen) for listen in sip.listen),
        rtp_first=sip.rtp_ports.first,
        rtp_last=sip.rtp_ports.last,
        max_calls=sip.max_calls,
        trunks=directory.trunks(),
        public_address=str(sip.public_address or ""),
    )
    assert decode_command(encode(start)) == start
    for name, settings in config.sms.items():
        build_bridge(name, settings, config.data_dir, config.web.public_url or "")
        if isinstance(settings, Http):
            request = provider_of(settings, "https://textback.example.com/hooks/x/receipt").request(TEXT)
            assert URL(request.url).host


TEXT = Text(key="k1", to="+14155550123", sender="+14155550100", body="Sorry we missed you.")
