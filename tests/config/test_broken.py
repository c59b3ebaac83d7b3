"""Broken configurations: each is an error that names file, line, key and cure, or is right to be accepted and then works."""

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import config
from config.load import load
from config.problems import ConfigError
from tests.config.whole import KEYS, lay_out, problems_of, toml

EXAMPLE = Path(config.__file__).with_name("textback.example.toml")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a configuration is written, beside all the files that it names."""
    return lay_out(tmp_path_factory.mktemp("broken"))


def test_whole_configuration_is_good(path: Path) -> None:
    path.write_text(toml("sip", "max_calls", "100")[0])
    assert problems_of(path) == ()


REFUSED = [
    # --- no section ---
    ("", "data_dir", "5", "must be the name of a file"),
    ("", "data_dir", '""', "must not be empty"),
    ("", "data_dir", '"a.secret"', "is no directory; name one"),
    ("", "data_dir", '"a.secret/x"', "is no directory; name one"),
    ("", "data_dir", '"a\\u0000b"', "holds a control character (U+0000)"),
    ("", "data_dir", '["data"]', "must be the name of a file"),
    ("", "timezone", '"Chicago"', "is no time zone; write a name such as"),
    ("", "timezone", '"../../etc/passwd"', "is no time zone"),
    ("", "timezone", '"America"', "is no time zone"),
    ("", "timezone", '""', "'' is no time zone"),
    ("", "timezone", "-6", "-6 is no time zone"),
    ("", "timezone", '["UTC"]', "this is no time zone"),
    ("", "timezone", None, "is missing, and there is no default"),
    ("", "region", '"USA"', "is no country; write its two letters"),
    ("", "region", '"U"', "is no country"),
    ("", "region", "1", "1 is no country"),
    ("", "region", '["US"]', "this is no country"),
    ("", "region", None, "is missing"),
    ("", "watch", '"yes"', "'yes' must be true or false, without quotes"),
    ("", "watch", "1", "1 must be true or false"),
    ("", "wach", "true", 'is no key of this section; did you mean "watch"?'),
    ("", "line2", "5", "is no key of this section; did you mean"),
    # --- sip ---
    ("sip", "listen", '"udp:0.0.0.0:5060"', "must be a list in brackets: [\"udp:0.0.0.0:5060\"]"),
    ("sip", "listen", "[]", "must not be empty"),
    ("sip", "listen", "[5060]", '5060 must name a transport, an address and a port, such as "udp:0.0.0.0:5060"'),
    ("sip", "listen", '["0.0.0.0:5060"]', "must name a transport"),
    ("sip", "listen", '["sctp:0.0.0.0:5060"]', "must name a transport"),
    ("sip", "listen", '["udp:0.0.0.0"]', "must be an address and a port"),
    ("sip", "listen", '["udp:pbx.example:5060"]', "must be an address and a port"),
    ("sip", "listen", '["udp:0.0.0.0:0"]', "must be an address and a port"),
    ("sip", "listen", '["udp:0.0.0.0:70000"]', "must be an address and a port"),
    ("sip", "listen", '["udp:0.0.0.0:５０６０"]', "must be an address and a port"),
    ("sip", "listen", '["tls:0.0.0.0:5061"]', "tls cannot be listened on yet"),
    ("sip", "listen", '["udp:127.0.0.1:5060", "udp:127.0.0.1:5060"]', "are one socket; leave one of them out"),
    ("sip", "listen", '["udp:0.0.0.0:5060", "udp:127.0.0.1:5060"]', "are one socket"),
    ("sip", "listen", '["udp:[::]:5060", "udp:[::1]:5060"]', "are one socket"),
    ("sip", "listen", str([f"udp:127.0.0.{n}:5060" for n in range(1, 10)]), "is longer than 8 entries"),
    ("sip", "listen", "{ udp = 5060 }", "must be a list in brackets"),
    ("sip", "rtp_ports", "10000", '10000 must be a range of ports between 1024 and 65535, such as "10000-10299"'),
    ("sip", "rtp_ports", '"10299-10000"', "must be a range of ports"),
    ("sip", "rtp_ports", '"80-90"', "must be a range of ports"),
    ("sip", "rtp_ports", '["10000-10299"]', "must be a range of ports"),
    ("sip", "max_calls", "0", "must be greater than or equal to 1"),
    ("sip", "max_calls", "501", "must be less than or equal to 500"),
    ("sip", "max_calls", '"100"', "must be a whole number, without quotes"),
    ("sip", "max_calls", "99.5", "must be a whole number"),
    ("sip", "max_calls", "true", "true must be a whole number"),
    ("sip", "max_calls", "[100]", "must be a whole number"),
    ("sip", "public_address", '"203.0.113.7:5060"', 'write "203.0.113.7" here'),
    ("sip", "public_address", '"999.1.1.1"', "is no host"),
    ("sip", "public_address", '""', "must not be empty"),
    ("sip", "public_address", "203.5", "203.5 must be a host in quotes"),
    ("sip", "stun", '"stun.example.net:70000"', "is no host"),
    ("sip", "stun", '"stun:stun.example.net"', "is no host"),
    ("sip", "tls_key", "5", "must be the name of a file"),
    ("sip", "tls_certificate", '""', "must not be empty"),
    ("sip", "port", "5060", "is no key of this section"),
    # --- web ---
    ("web", "listen", '"8080"', "must be an address and a port"),
    ("web", "listen", "8080", "8080 must be an address and a port"),
    ("web", "listen", '"127.0.0.1:5060"', "is the port of tcp:127.0.0.1:5060 in sip.listen too"),
    ("web", "listen", '["127.0.0.1:8080"]', "this must be an address and a port"),
    ("web", "password", '"hunter2"', "must not stand in this file"),
    ("web", "password_file", "5", "must be the name of a file, in quotes"),
    ("web", "password_file", '""', "must be the name of a file, in quotes"),
    ("web", "password_file", "true", "must be the name of a file, in quotes"),
    ("web", "password_file", '["a.secret"]', "must be the name of a file, in quotes"),
    ("web", "password_file", '"nowhere"', "there is no file"),
    ("web", "password_file", '"a\\u0000b"', "holds a control character"),
    ("web", "password_file", '"."', "cannot be read: Is a directory"),
    ("web", "pasword_file", '"a.secret"', 'is no key of this section; did you mean "password_file"?'),
    ("web", "public_url", '"textback.example.com"', "must be an address like https://"),
    ("web", "public_url", '"https://u:p@x.example"', "has a user or a password in it"),
    ("web", "public_url", '"https://x.example:99999"', "must be an address like https://"),
    ("web", "public_url", '"https://[::1"', "must be an address like https://"),
    ("web", "public_url", '"https://x.example/a b"', "must be an address like https://"),
    ("web", "public_url", "false", "false must be an address like https://"),
    # --- trunks ---
    ("trunk.pbx", "peers", '"192.0.2.10"', 'must be a list in brackets: ["192.0.2.10"]'),
    ("trunk.pbx", "peers", '["pbx.example"]', "is no IP address; write an address"),
    ("trunk.pbx", "peers", '["192.0.2.10/24"]', "has host bits set"),
    ("trunk.pbx", "peers", '["192.0.2.10:5060"]', "is no IP address"),
    ("trunk.pbx", "peers", '["192.0.2.300"]', "is no IP address"),
    ("trunk.pbx", "peers", "[192]", "192 is no IP address"),
    ("trunk.pbx", "peers", '[["192.0.2.10"]]', "this is no IP address"),
    ("trunk.pbx", "peers", '[""]', "is no IP address"),
    ("trunk.pbx", "peers", "[]", 'needs either peers = ["192.0.2.10"]'),
    ("trunk.pbx", "peers", None, 'needs either peers = ["192.0.2.10"]'),
    ("trunk.pbx", "answered_elsewhere", "true", 'true must be "trust" or "ignore"'),
    ("trunk.pbx", "answered_elsewhere", '"Trust"', 'must be "trust" or "ignore"'),
    ("trunk.pbx", "default_line", '"frnt"', 'there is no [line.frnt]; did you mean "front"?'),
    ("trunk.pbx", "default_line", '""', 'must not be empty; there is front'),
    ("trunk.pbx", "default_line", "5", "5 must be a string in quotes"),
    ("trunk.pbx", "peer", '["192.0.2.10"]', 'did you mean "peers"?'),
    ("trunk.pbx", "name", '"x"', "its name is in its brackets: [trunk.pbx]"),
    ("trunk.pbx", "auth_token_file", '"a.secret"', "is no key of this section"),
    ("trunk.carrier", "registrar", '"sip.carrier.example"', "must be a SIP address"),
    ("trunk.carrier", "registrar", '""', "must be a SIP address"),
    ("trunk.carrier", "registrar", '["sip:x"]', "must be a SIP address"),
    ("trunk.carrier", "username", "15550100", "must be a string in quotes"),
    ("trunk.carrier", "username", '""', "must not be empty"),
    ("trunk.carrier", "password_file", "{ file = 'x' }", "must be the name of a file"),
    ("trunk.carrier", "password_file", '"two.lines"', "holds more than one line; the secret must stand in it alone"),
    ("trunk.carrier", "transport", '"UDP"', 'must be "udp", "tcp" or "tls"'),
    ("trunk.carrier", "proxy", '"proxy.example"', "must be a SIP address"),
    ("trunk.carrier", "expires", "3600", "3600 must be a length of time in quotes"),
    ("trunk.carrier", "expires", '"0s"', "must be longer than nothing"),
    # --- SMPP ---
    ("sms.smsc", "kind", '"smmp"', 'did you mean "smpp"?'),
    ("sms.smsc", "kind", '["smpp"]', "this must be one of"),
    ("sms.smsc", "kind", "{}", "this must be one of"),
    ("sms.smsc", "kind", "5", "5 must be one of"),
    ("sms.smsc", "kind", "true", "true must be one of"),
    ("sms.smsc", "kind", None, "kind must be one of"),
    ("sms.smsc", "host", '"smsc:2775"', 'is no host; write "smsc" here, and the port 2775 into a key of its own'),
    ("sms.smsc", "host", '"https://smsc.example/x"', 'is no host; write "smsc.example"'),
    ("sms.smsc", "host", '"[2001:db8::1]:2775"', 'write "2001:db8::1" here'),
    ("sms.smsc", "host", '"smsc example"', "is no host"),
    ("sms.smsc", "host", '""', "must not be empty; write a host"),
    ("sms.smsc", "host", "5", "5 must be a host in quotes"),
    ("sms.smsc", "host", '["a", "b"]', "this must be a host in quotes"),
    ("sms.smsc", "host", '"smsc\\n"', "holds a control character (U+000A)"),
    ("sms.smsc", "host", None, "is missing"),
    ("sms.smsc", "port", '"2775"', "must be a whole number, without quotes"),
    ("sms.smsc", "port", "0", "must be greater than or equal to 1"),
    ("sms.smsc", "port", "65536", "must be less than or equal to 65535"),
    ("sms.smsc", "port", "99999999999999999999999", "must be less than or equal to 65535"),
    ("sms.smsc", "port", "0x" + "f" * 9000, "this number must be less than"),
    ("sms.smsc", "system_id", '""', "must not be empty"),
    ("sms.smsc", "system_id", '"a-system-id-of-23-chars"', "is longer than 15 characters"),
    ("sms.smsc", "system_id", '"bücher"', "must be letters, digits and signs of plain ASCII"),
    ("sms.smsc", "system_id", "7", "must be a string in quotes"),
    ("sms.smsc", "password", '"hunter2"', "must not stand in this file"),
    ("sms.smsc", "password_file", '"long.secret"', "is longer than 8 characters"),
    ("sms.smsc", "password_file", "5", "must be the name of a file"),
    ("sms.smsc", "auth_token_file", '"a.secret"', "is no key of this section"),
    ("sms.smsc", "bind", '"receiver"', 'must be "transceiver" or "transmitter"'),
    ("sms.smsc", "tls", '"true"', "must be true or false, without quotes"),
    ("sms.smsc", "tls", "false", "tls_ca is of no use without TLS"),
    ("sms.smsc", "tls_ca", '"none.pem"', "cannot be read: No such file or directory; put the file there"),
    ("sms.smsc", "tls_ca", '"a.secret"', "holds no certificates; it must be a PEM file"),
    ("sms.smsc", "tls_ca", '"."', "cannot be read"),
    ("sms.smsc", "tls_ca", "5", "must be the name of a file"),
    ("sms.smsc", "tls_ca", '"a\\u0000"', "holds a control character"),
    ("sms.smsc", "window", "0", "must be greater than or equal to 1"),
    ("sms.smsc", "window", "true", "must be a whole number"),
    ("sms.smsc", "per_second", "0", "must be greater than 0"),
    ("sms.smsc", "per_second", "inf", "must be"),
    ("sms.smsc", "per_second", "nan", "must be"),
    ("sms.smsc", "per_second", '"1"', "must be a valid number, without quotes"),
    ("sms.smsc", "long_texts", '"UDH"', 'must be "udh", "sar" or "payload"'),
    ("sms.smsc", "source_ton", "7", "must be less than or equal to 6"),
    ("sms.smsc", "dest_npi", "-1", "must be greater than or equal to 0"),
    ("sms.smsc", "receipts", "0", "0 must be true or false"),
    ("sms.smsc", "connect_timeout", '"0s"', "must be longer than nothing"),
    ("sms.smsc", "response_timeout", "15", "must be a length of time in quotes"),
    ("sms.smsc", "enquire_link", '"30 sec"', "must be a length of time"),
    ("sms.smsc", "reconnect_most", '"-1s"', "must be a length of time"),
    ("sms.smsc", "reconnect_most", '"99999999999999d"', "is longer than ten years"),
    ("sms.smsc", "cost_per_segment", "inf", "must be"),
    ("sms.smsc", "cost_per_segment", "nan", "must be"),
    ("sms.smsc", "cost_per_segment", "-0.1", "must be greater than or equal to 0"),
    ("sms.smsc", "hots", '"h"', 'did you mean "host"?'),
    ("sms.spool", "kind", '"spol"', 'did you mean "spool"?'),
    ("sms.spool", "host", '"h"', "is no key of this section"),
    # --- providers ---
    ("sms.twilio", "account_sid", '"AC1/x"', "none of / ? # : %"),
    ("sms.twilio", "account_sid", '""', "must be 1 to 200"),
    ("sms.twilio", "account_sid", "5", "5 must be 1 to 200"),
    ("sms.twilio", "account_sid", None, "is missing"),
    ("sms.twilio", "auth_token", '"x"', "must not stand in this file"),
    ("sms.twilio", "auth_token_file", None, "is missing"),
    ("sms.twilio", "auth_token_file", "[]", "must be the name of a file"),
    ("sms.twilio", "base_url", '"api.twilio.com"', "must be an address like"),
    ("sms.twilio", "base_url", '"ftp://api.twilio.com"', "must be an address like"),
    ("sms.twilio", "callback_url", '"https://"', "must be an address like"),
    ("sms.twilio", "hook_from", '"192.0.2.1/24"', "has host bits set"),
    ("sms.twilio", "hook_from", "5", "5 is no IP address"),
    ("sms.twilio", "hook_secret_file", '"a.secret"', "must be 16 to 200 letters"),
    ("sms.twilio", "window", "1001", "must be less than or equal to 1000"),
    ("sms.signalwire", "base_url", None, "is missing"),
    ("sms.signalwire", "project_id", '"a b"', "must be 1 to 200"),
    ("sms.telnyx", "public_key_file", '"a.secret"', "must be the account's public key as Telnyx shows it"),
    ("sms.bandwidth", "username", '"a:b"', "must have no colon in it"),
    ("sms.vonage", "signature_method", '"SHA256"', 'must be "md5hash"'),
    ("sms.android", "sim", "0", "must be greater than or equal to 1"),
    ("sms.android", "sim", '"1"', "must be a whole number"),
    ("sms.android", "url", '"http://192.168.1.5:port/"', "must be an address like"),
    ("sms.any", "url", '"https://{sender}.example/{nobody}"', "must be an address like"),
    ("sms.any", "url", '"https://api.example/{nobody}"', "there is no {nobody}"),
    ("sms.any", "headers", '"Authorization: x"', "must be a section of its own"),
    ("sms.any", "headers", '{ "Api Key" = "x" }', "is no name of a header"),
    ("sms.any", "headers", '{ Host = "x" }', "Host is set by Textback itself"),
    ("sms.any", "headers", "{ A = 5 }", "5 must be a string in quotes"),
    ("sms.any", "headers", '{ A = "a\\nb" }', "holds a control character (U+000A)"),
    ("sms.any", "headers", '{ A = "{text}" }', "so {text} must not stand there"),
    ("sms.any", "body", '"xml"', 'must be "json" or "form"'),
    ("sms.any", "fields", '{ to = "{to}" }', "must say where {text} goes"),
    ("sms.any", "fields", '{ text = "{text}" }', "must say where {to} goes"),
    ("sms.any", "fields", "{}", "must say where {text} goes"),
    ("sms.any", "fields", '["{to}", "{text}"]', "must be a section of its own"),
    ("sms.any", "fields", '{ to = "{to}", text = "{text}", at = 2026-12-24 }', "2026-12-24 cannot be sent"),
    ("sms.any", "fields", '{ to = "{to}", text = "{text}", n = nan }', "nan cannot be sent"),
    ("sms.any", "accepted", "[]", "must not be empty"),
    ("sms.any", "accepted", "[true]", "true must be a whole number"),
    ("sms.any", "accepted", "99", "must be greater than or equal to 200"),
    ("sms.any", "temporary", "[201, 429]", "status 201 stands in two"),
    ("sms.any", "refused", '["400"]', "must be a whole number, without quotes"),
    ("sms.any", "secret", '"x"', "must not stand in this file"),
    ("sms.any.receipt", "state", '""', "must not be empty"),
    ("sms.any.receipt", "stat", '"x"', 'did you mean "state"?'),
    ("sms.any.receipt", "delivered", "5", "5 must be a string in quotes"),
    ("sms.any.receipt", "undelivered", '[""]', "must not be empty"),
    ("sms.any.inbound", "sender", None, "is missing"),
    ("sms.any.inbound", "text", "1", "must be a string in quotes"),
    # --- hours ---
    ("hours.office", "sat", '"9:00-12:00"', 'must be a span of time of 24 hours, written "09:00-12:00"'),
    ("hours.office", "sat", '"closed"', "for none at all leave the key out"),
    ("hours.office", "sat", '"8-17"', 'written "08:00-17:00"'),
    ("hours.office", "sat", '"08:00–17:00"', 'written "08:00-17:00"'),
    ("hours.office", "sat", '"8.30 - 17.00"', 'written "08:30-17:00"'),
    ("hours.office", "sat", '"08:00-25:00"', 'such as "08:00-17:00"'),
    ("hours.office", "sat", '"08:00-08:00"', 'a whole day: "00:00-24:00"'),
    ("hours.office", "sat", '"24:30-08:00"', "must be a span of time"),
    ("hours.office", "sat", '""', "must be a span of time"),
    ("hours.office", "sat", "5", "5 must be a span of time"),
    ("hours.office", "sat", "false", "for none at all leave the key out"),
    ("hours.office", "sat", "9.5", "9.5 must be a list in brackets"),
    ("hours.office", "sat", "08:00:00", "08:00:00 must be a list in brackets"),
    ("hours.office", "sat", '["09:00-12:00", 5]', "5 must be a span of time"),
    ("hours.office", "sat", '{ from = "09:00" }', "must be a list in brackets"),
    ("hours.office", "mon-fri", '"8-17"', 'written "08:00-17:00"'),
    ("hours.office", "mon-fry", '"08:00-17:00"', 'names no days; write "mon", "mon-fri"'),
    ("hours.office", "monday", '"08:00-17:00"', "names no days"),
    ("hours.office", "holiday", '"US-TX"', "names no days"),
    ("hours.office", "holidays", '"US-ZZ"', "US has no part ZZ whose holidays are known"),
    ("hours.office", "holidays", '["US-ZZ"]', "US has no part ZZ whose holidays are known"),
    ("hours.office", "holidays", '"Texas"', "must be a country or its part"),
    ("hours.office", "holidays", "2026-12-24", "must be a list in brackets"),
    ("hours.office", "holidays", "[2026-12-24]", '2026-12-24 must be a country or its part ("US-TX"), a date in quotes'),
    ("hours.office", "holidays", '["2026-13-24"]', "is no date"),
    ("hours.office", "holidays", "5", "5 must be a country or its part"),
    ("hours.office", "holidays", "true", "true must be a country or its part"),
    ("hours.office", "holidays", '[""]', "must be a country or its part"),
    # --- lines ---
    ("line.front", "number", '"4155550100"', "is no valid telephone number; write it with + and country code"),
    ("line.front", "number", "4155550100", "4155550100 is no valid telephone number"),
    ("line.front", "number", '"+1415555010"', "is no valid telephone number"),
    ("line.front", "number", '["+14155550100"]', "this is no valid telephone number"),
    ("line.front", "number", '""', "is no valid telephone number"),
    ("line.front", "number", None, "is missing"),
    ("line.front", "business", '["ABC"]', "must be a string in quotes"),
    ("line.front", "business", '"ABC\\u0007"', "holds a control character (U+0007)"),
    ("line.front", "business", '"""A\nB"""', "holds a control character (U+000A)"),
    ("line.front", "staff", "5", "5 must be a string in quotes"),
    ("line.front", "timezone", '"Denver"', "is no time zone"),
    ("line.front", "timezone", "[]", "is no time zone"),
    ("line.front", "trunks", '"pbx"', "must be a list in brackets: [\"pbx\"]"),
    ("line.front", "trunks", '["pbxx"]', 'there is no [trunk.pbxx]; did you mean "pbx"?'),
    ("line.front", "trunks", "[]", "no calls can come: name a trunk here, or leave the key out for all"),
    ("line.front", "trunks", "[1]", "1 must be a string in quotes"),
    ("line.front", "arrives", '"missd"', 'must be "ringing" or "missed"'),
    ("line.front", "ring_seconds", '"20"', "must be a valid number, without quotes"),
    ("line.front", "ring_seconds", "0", "must be greater than or equal to 1"),
    ("line.front", "ring_seconds", "181", "must be less than or equal to 180"),
    ("line.front", "ring_seconds", "nan", "must be"),
    ("line.front", "ring_seconds", "true", "must be a valid number"),
    ("line.front", "min_ring", "3", "must be a length of time in quotes"),
    ("line.front", "min_ring", '"30s"', "is more than the 20 s that it rings (ring_seconds)"),
    ("line.front", "min_ring", '"3"', "must be a length of time"),
    ("line.front", "phones", '"sip:101@192.0.2.20"', "must be a list in brackets"),
    ("line.front", "phones", '["101"]', "must be a SIP address such as"),
    ("line.front", "phones", '["+1"]', "is no valid telephone number"),
    ("line.front", "then", '"drop"', 'must be "reject", "greeting" or "voicemail"'),
    ("line.front", "greeting", "true", "must be the name of a file"),
    ("line.front", "hours", '"ofice"', 'there is no [hours.ofice]; did you mean "office"?'),
    ("line.front", "hours", '""', "must not be empty; there is office"),
    ("line.front", "hours", '"08:00-17:00"', "there is no [hours.08:00-17:00]"),
    ("line.front", "hours", "5", "5 must be a string in quotes"),
    ("line.front", "sms", "5", "5 must be a string in quotes"),
    ("line.front", "sms", '"smcs"', 'there is no [sms.smcs]; did you mean "smsc"?'),
    ("line.front", "sms", "[]", "no text can go: name a bridge here, or leave the key out for all"),
    ("line.front", "sms", "false", "false must be a string in quotes"),
    ("line.front", "sms", '[["smsc"]]', "this must be a string in quotes"),
    ("line.front", "sender", '"ABC HVAC Inc."', "or a name of at most 11 letters"),
    ("line.front", "sender", '"+1415"', "is no valid telephone number"),
    ("line.front", "sender", "5", "5 must be a number such as"),
    ("line.front", "sender", '""', "'' must be a number such as"),
    ("line.front", "campaign", "[]", "must be a string in quotes"),
    ("line.front", "name", '"front"', "its name is in its brackets: [line.front]"),
    ("line.front", "texts", '"x"', 'did you mean "text"?'),
    ("line.front", "message", '"x"', "is no key of this section"),
    # --- texts ---
    ("line.front.text", "enabled", '"no"', "must be true or false, without quotes"),
    ("line.front.text", "message", '""', "must not be empty"),
    ("line.front.text", "message", "5", "5 must be a string in quotes"),
    ("line.front.text", "message", '["x"]', "must be a string in quotes"),
    ("line.front.text", "message", '"{bussiness}"', 'there is no merge field {bussiness}; did you mean "business"?'),
    ("line.front.text", "message", '"Hi {"', "a brace belongs to no merge field"),
    ("line.front.text", "message", '"   "', "is empty"),
    ("line.front.text", "message", f'"{"x" * 1601}"', "is longer than 1600 characters"),
    ("line.front.text", "message", '"a\\u0000b"', "holds a control character (U+0000)"),
    ("line.front.text", "wait", "0", "0 must be a length of time in quotes"),
    ("line.front.text", "wait", '"1 week"', "must be a length of time"),
    ("line.front.text", "wait", '"4000d"', "is longer than ten years"),
    ("line.front.text", "once_per", '"week"', 'must be "call", "day", or a length of time'),
    ("line.front.text", "once_per", '"0s"', 'must be "call", "day", or a length of time'),
    ("line.front.text", "once_per", "1", 'must be "call", "day", or a length of time'),
    ("line.front.text", "expires", '"0s"', "must be longer than nothing"),
    ("line.front.text", "expires", '"0.0m"', "must be longer than nothing"),
    ("line.front.text", "expires", "15", "must be a length of time"),
    ("line.front.text", "repeat_after_no_reply", '"false"', "must be true or false"),
    ("line.front.text", "variants", "[]", 'did you mean "variant"?'),
    ("[line.front.text.variant]", "hours", '"office"', 'must be "open", "closed" or "holiday"'),
    ("[line.front.text.variant]", "missed", "0", "must be greater than or equal to 1"),
    ("[line.front.text.variant]", "missed", '"2"', "must be a whole number, without quotes"),
    ("[line.front.text.variant]", "days", '"weekend"', "names no days"),
    ("[line.front.text.variant]", "days", '["sat", "sun"]', "this names no days"),
    ("[line.front.text.variant]", "days", "6", "6 names no days"),
    ("[line.front.text.variant]", "between", '"17-20"', 'written "17:00-20:00"'),
    ("[line.front.text.variant]", "between", '["17:00-20:00"]', "this must be a span of time"),
    ("[line.front.text.variant]", "caller", '"staff"', 'must be "known", "new" or "vip"'),
    ("[line.front.text.variant]", "outcome", '"missed"', 'must be "abandoned"'),
    ("[line.front.text.variant]", "message", None, "needs either a message, or send = false"),
    ("[line.front.text.variant]", "send", "false", "needs either a message, or send = false"),
    ("[line.front.text.variant]", "mesage", '"x"', 'did you mean "message"?'),
    # --- the rest ---
    ("consent", "quiet_hours", "false", 'to have no quiet hours say when_quiet = "send"'),
    ("consent", "quiet_hours", '"08:00-21:00"', 'is quiet by day, and texts would go at night; turn it around: "21:00-08:00"'),
    ("consent", "quiet_hours", '"00:00-24:00"', "is the whole day, so no text would ever go"),
    ("consent", "quiet_hours", '"9pm-8am"', "must be a span of time"),
    ("consent", "quiet_hours", '["21:00-08:00"]', "this must be a span of time"),
    ("consent", "quiet_hours", "{ from = 21 }", "this must be a span of time"),
    ("consent", "when_quiet", '"wait"', 'must be "hold", "skip" or "send"'),
    ("consent", "opt_out_reply", '""', "must not be empty"),
    ("consent", "opt_out_reply", "false", "false must be a string in quotes"),
    ("consent", "opt_in_reply", '"{nobody}"', "there is no merge field {nobody}"),
    ("consent", "help_reply", f'"{"x" * 1601}"', "is longer than 1600 characters"),
    ("consent", "provider_confirms_opt_out", '"on"', "must be true or false"),
    ("limits", "regions", '"US"', 'must be a list in brackets: ["US"]'),
    ("limits", "regions", '["America"]', "is no country"),
    ("limits", "regions", "[1]", "1 is no country"),
    ("limits", "per_minute", "0", "must be greater than or equal to 1"),
    ("limits", "per_minute", '"10"', "must be a whole number, without quotes"),
    ("limits", "per_minute", "99999999999999999999", "must be less than or equal to 1000000000"),
    ("limits", "per_day", "1.5", "must be a whole number"),
    ("limits", "per_region_abroad", "-1", "must be greater than or equal to 0"),
    ("limits", "require_attestation", '"A"', "must be a list in brackets"),
    ("limits", "require_attestation", '["D"]', 'must be "A", "B" or "C"'),
    ("limits", "per_hour", "10", "is no key of this section"),
    ("contacts", "file", '""', "must not be empty"),
    ("contacts", "file", "5", "must be the name of a file"),
    ("contacts", "file", '"a\\u0000b"', "holds a control character"),
    ("contacts", "file", f'"{"x" * 300}"', "can be the name of no file"),
    ("contacts", "file", None, "is missing"),
    ("retention", "calls", "90", "must be a length of time"),
    ("retention", "voicemail", '"0d"', "must be longer than nothing"),
    ("alert.owner", "kind", '"sms"', 'must be "email", "webhook" or "text"'),
    ("alert.owner", "to", '""', "must not be empty"),
    ("alert.owner", "to", '"mike"', "must be an address such as"),
    ("alert.owner", "events", '"reply"', "must be a list in brackets"),
    ("alert.owner", "events", '["replies"]', 'must be "reply"'),
    ("alert.owner", "events", "[]", "must not be empty"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "value", "said"), REFUSED)
def test_refused_with_its_line_and_cure(path: Path, section: str, key: str, value: str | None, said: str) -> None:
    text, line = toml(section, key, value)
    path.write_text(text)
    found = problems_of(path)
    assert len(found) == 1, [str(problem) for problem in found]
    within = section.strip("[]").replace(".variant", ".variant.0")
    assert found[0].key.startswith(f"{within}.{key.removesuffix('_file')}".strip(".") if value is not None else within)
    assert (found[0].file, found[0].line) == (str(path), line if section or value else None)
    assert said in found[0].says


ACCEPTED = [
    ("", "data_dir", '"not/there/yet"', "it is made at the start"),
    ("", "region", '"us"', "small letters are meant so"),
    ("sip", "listen", '["udp:0.0.0.0:5060", "udp:[::]:5060"]', "two families have two sockets"),
    ("sip", "listen", '["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]', "two transports have two sockets"),
    ("sip", "listen", '["udp:127.0.0.1:8080"]', "UDP beside the pages' TCP"),
    ("sip", "public_address", '"gw.example.net"', "a name will do"),
    ("sip", "tls_key", '"none.pem"', "nothing reads it yet, and check says so"),
    ("web", "listen", '"localhost:8080"', "this machine"),
    ("web", "listen", '"[::1]:8080"', "this machine"),
    ("trunk.pbx", "peers", '["2001:db8::/64", "192.0.2.10"]', "both families"),
    ("trunk.pbx", "peers", '["0.0.0.0/0"]', "a warning says that anybody may call"),
    ("sms.smsc", "host", '"_smpp-1.carrier.example."', "names in DNS look so too"),
    ("sms.smsc", "host", '"2001:db8::1"', "an address"),
    ("sms.smsc", "per_second", "1", "a whole number is a number"),
    ("sms.smsc", "system_type", '""', "most SMSCs want none"),
    ("sms.twilio", "hook_from", '"192.0.2.7"', "one value where a list may stand"),
    ("sms.twilio", "callback_url", '"http://127.0.0.1:8080/x/"', "behind a proxy of the machine's own"),
    ("sms.any", "headers", '{ url = "x", told = "y", Content-Type = "application/vnd.x+json" }', "any header"),
    ("sms.any", "hook_answer", '"<r>\\n</r>"', "an answer may have lines"),
    ("sms.any", "fields", '{ to = "{to}", text = "{text}", deep = [[1, true, { x = "y" }]] }', "all that JSON has"),
    ("sms.any", "temporary", "[]", "no status is for now only"),
    ("hours.office", "sat", '"00:00-24:00"', "a whole day"),
    ("hours.office", "sat", '"20:00-02:00"', "past midnight"),
    ("hours.office", "sat", "[]", "closed"),
    ("hours.office", "sat", None, "closed"),
    ("hours.office", "sun", '"12:00-08:00"', "a warning says that this is 20 hours"),
    ("hours.office", "Sun", '"09:00-12:00"', "capitals are meant so"),
    ("hours.office", "holidays", '"US-TX"', "one value where a list may stand"),
    ("hours.office", "holidays", '["none.ics"]', "a warning says so, and the office works on"),
    ("line.front", "number", '"+1 (415) 555-0100"', "as people write numbers"),
    ("line.front", "ring_seconds", "20.5", "half a second more"),
    ("line.front", "sms", '"smsc"', "one value where a list may stand"),
    ("line.front", "min_ring", '"20s"', "as long as it rings"),
    ("line.front", "sender", '"ABC HVAC"', "a name"),
    ("line.front", "sender", '"12345"', "a short code"),
    ("line.front", "greeting", '"none.wav"', "nothing reads it yet, and check says so"),
    ("line.front", "business", '"Café Überraschung"', "any letters"),
    ("line.front.text", "message", '"""{business}\nsorry. STOP"""', "a message may have lines"),
    ("line.front.text", "once_per", '"20m"', "a length of time"),
    ("line.front.text", "wait", '" 5 m "', "space around and between"),
    ("consent", "quiet_hours", '"12:00-14:00"', "a siesta"),
    ("consent", "quiet_hours", None, "the default"),
    ("limits", "per_minute", None, "no limit, and a warning"),
    ("contacts", "file", '"none.csv"', "a warning says so"),
]


@pytest.mark.parametrize(("section", "key", "value", "why"), ACCEPTED)
def test_right_to_be_accepted(path: Path, section: str, key: str, value: str | None, why: str) -> None:
    path.write_text(toml(section, key, value)[0])
    assert problems_of(path) == (), why


HEAD = 'timezone = "UTC"\nregion = "US"\n[trunk.pbx]\npeers = ["192.0.2.10"]\n[sms.a]\nkind = "spool"\n'
LINE = '[line.front]\nnumber = "+14155550100"\n'
TEXTS = [
    (b"", None, "timezone: is missing"),
    (b"\n\n", None, "region: is missing"),
    ("timezone", 1, "a line is a section in brackets, or key = value"),
    ("timezone =", 1, "Invalid value; a value is text in quotes"),
    ('timezone = "UTC', 1, "a value is text in quotes"),
    ("timezone = 'UTC", 1, "a value is text in quotes"),
    ('timezone = """UTC\n\n', 1, "a value is text in quotes"),
    ("timezone = UTC", 1, "a value is text in quotes"),
    ('timezone = “UTC”', 1, "a value is text in quotes"),
    ('region = "US"\ntimezone : "UTC"', 2, "a line is a section in brackets, or key = value"),
    ('time zone = "UTC"', 1, "a key is one word, or stands in quotes; a value stands behind ="),
    ("x = [1, 2", 1, "a value is text in quotes"),
    ("x = { a = 1,\n b = 2 }", 1, "a value is text in quotes"),
    ("x = yes", 1, "a value is text in quotes, a number, true, false"),
    ("x = 08", 1, "a value is text in quotes"),
    ("x = 2026-13-45", 1, "a value is text in quotes"),
    ('x = "a\\d"', 1, "a value is text in quotes"),
    ("x = 1 y = 2", 1, "a value is text in quotes"),
    ("[sip", 1, "a section is its name in brackets, alone on its line"),
    ("[sip]]", 1, "a section is its name in brackets, alone on its line"),
    ("[]", 1, "a section is its name in brackets"),
    ("[a..b]", 1, "a section is its name in brackets"),
    ("[line.front desk]", 1, "a section is its name in brackets"),
    ('[web] listen = "x"', 1, "a section is its name in brackets, alone on its line"),
    (b"timezone = 'x'\nregion = '\xff'\n", 2, "is not UTF-8; save it as UTF-8"),
    ('timezone = "ü"'.encode("latin-1"), 1, "is not UTF-8; save it as UTF-8"),
    (HEAD.encode("utf-16"), 1, "is not UTF-8; save it as UTF-8"),
    (HEAD.encode("utf-16-le"), 1, "is not UTF-8 (perhaps UTF-16)"),
    (b"timezone = 'x'\n\0", 2, "is not UTF-8 (perhaps UTF-16), or is no text"),
    (b'timezone = "UTC"\rregion = "US"\r', 1, ""),
    ("x = " + "[" * 5000 + "]" * 5000, 1, "has more than 40 brackets within each other"),
    ("\nx = " + "[\n" * 5000 + "]" * 5000, 42, "has more than 40 brackets within each other"),
    ("x = " + "[" * 100 + "]" * 100, 1, "has more than 40 brackets within each other"),
    ("x = " + "{a=" * 3000 + "1" + "}" * 3000, 1, "has more than 40 brackets within each other"),
    ("\nx = " + "9" * 5000, 2, "holds a number that is too large"),
    ('region = "US"\n\nregion = "CA"\n', 3, "region: is there already in line 1; a key stands once"),
    ('[web]\nlisten = "x"\n[sip]\nlisten = [\n"y",\n]\nlisten = [\n"z",\n]\n', 7, "sip.listen: is there already in line 4"),
    ("x = { a = 1 }\nx = { a = 2 }", 2, "x: is there already in line 1"),
    ("x = { a = 1, a = 2 }", 1, "a key stands once, so remove one of them"),
    ("[sip]\n[web]\n[sip]\n", 3, "sip: is there already in line 1; a section stands once"),
    ("[line.front]\n[line.other]\n[line.front]\n", 3, "line.front: is there already in line 1"),
    ("x = 1\n[x]\n", 2, "x: is there already in line 1"),
    ("[x]\n[[x]]\n", 2, "x: is there already in line 1"),
    ("[x.y]\n[x]\ny = 1\n", 3, "x.y: is there already in line 1"),
    (
        "[line.x.text.variant]\nmissed = 1\n[line.x.text.variant]\nmissed = 2",
        3,
        "line.x.text.variant: stands here for the second time; each needs double brackets: [[line.x.text.variant]]",
    ),
    (HEAD + LINE + '[line.front.text.variant]\nmissed = 2\nmessage = "x"\n', 9, "double brackets: [[line.front.text.variant]]"),
    (HEAD + '[[line.front]]\nnumber = "+14155550100"\n', 7, "is written with single brackets, and stands once: [line.front]"),
    (HEAD + '[[line]]\nnumber = "+14155550100"\n', 7, "is written with single brackets, and stands once: [line.front-desk]"),
    (HEAD + LINE + "[[web]]\n", 9, "is written with single brackets, and stands once: [web]"),
    (HEAD + '[line]\nnumber = "+14155550100"\nbusiness = "x"\n', 8, "stands in [line], which needs a name; write [line.front-desk]"),
    (HEAD.replace("[sms.a]", "[sms]") + LINE, 6, "sms.kind: stands in [sms], which needs a name; write [sms.primary] above it"),
    (HEAD.replace("[trunk.pbx]", "[trunk]") + LINE, 4, "stands in [trunk], which needs a name; write [trunk.pbx]"),
    (HEAD + LINE + '[hours]\nmon-fri = "08:00-17:00"\n', 10, "stands in [hours], which needs a name; write [hours.office]"),
    (HEAD + LINE + '[alert]\nkind = "email"\n', 10, "stands in [alert], which needs a name; write [alert.owner]"),
    (HEAD + '[line.""]\nnumber = "+14155550100"\n', 7, "must not be empty"),
    (HEAD + f'[line.{"x" * 65}]\nnumber = "+14155550100"\n', 7, "is longer than 64 characters"),
    (HEAD + '[line."a\\nb"]\nnumber = "+14155550100"\n', 7, "has a control character (U+000A) in its name"),
    (HEAD + '[line."\\u0000"]\nnumber = "+14155550100"\n', 7, "has a control character (U+0000) in its name"),
    (HEAD, None, "line: is missing"),
    (
        HEAD + '[sms.b]\nkind = "http"\nurl = "https://x.example"\nbody = "form"\nfields = { to = ["{to}"], text = "{text}" }\n' + LINE,
        11,
        "to must be text or a number, in quotes: a form has nothing else (body)",
    ),
    ("sip = 5\n" + HEAD + LINE, 1, "sip: 5 must be a section of its own: [sip]"),
    ("line = 5\n" + HEAD, 1, "line: 5 must be a section of its own: [line.front-desk]"),
    (HEAD + "receipt = 5\n" + LINE, 7, "sms.a.receipt: is no key of this section"),
    (HEAD + '[trunk.b]\npeers = ["192.0.2.1"]\nregistrar = "sip:x"\n' + LINE, 7, "trunk.b: needs either peers"),
    (HEAD + '[line]\nfront = "+14155550100"\n', 8, "line.front: stands in [line], which needs a name"),
    (HEAD.replace("[sms.a]", "[sms.a]\n[sms.b]") + LINE, 5, "kind must be one of"),
    (HEAD + "[line.front]\n", 7, "line.front.number: is missing"),
    (HEAD.replace('[sms.a]\nkind = "spool"\n', "") + LINE, 5, "no text can go: there is no [sms.…] section"),
    (HEAD + LINE + "[line.other]\nnumber = '+14155550100'\n", 10, "is the number of [line.front] too"),
    (HEAD.replace("pbx", "call-test") + LINE, 3, "is the name of test calls' own trunk"),
    (HEAD + '[trunk.b]\npeers = ["192.0.2.10"]\n' + LINE, 8, "192.0.2.10 is a peer of [trunk.pbx] too"),
    (HEAD + LINE + "[line.front.txt]\n", 9, 'did you mean "text"?'),
    (HEAD + '[line."front.desk"]\nnumber = "+14155550100"\nbusines = "x"\n', 9, 'did you mean "business"?'),
    (HEAD + LINE + "[consnt]\n", 9, 'did you mean "consent"?'),
    (b"# " + b"x" * 5_000_001, None, "is larger than 5 MB"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), TEXTS, ids=range(len(TEXTS)))
def test_broken_as_text(path: Path, text: str | bytes, line: int | None, said: str) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = problems_of(path)
    place = f"{path}:{line}: " if line else f"{path}: "
    assert [str(problem) for problem in found if str(problem).startswith(place) and said in str(problem)], list(map(str, found))
    assert line is None or len(found) == 1, list(map(str, found))


GOOD_TEXTS = [
    ((HEAD + LINE).replace("\n", "\r\n").encode(), "Windows' line ends"),
    (b"\xef\xbb\xbf" + (HEAD + LINE).encode(), "Windows' mark in front of UTF-8"),
    ((HEAD + LINE).replace(" = ", "\t=\t").encode(), "tabs"),
    ((HEAD + LINE).replace("\n", "   # note\n").encode(), "notes"),
    ((HEAD + LINE).rstrip().encode(), "no end of the last line"),
    ((HEAD + LINE).replace("[line.front]", "[ line . 'front' ]").encode(), "space and quotes in a section's name"),
    (
        (HEAD + LINE + "[line.front.text]\nenabled = false\n").replace("[sms.a]\nkind = 'spool'", "").encode(),
        "nobody is texted",
    ),
]


@pytest.mark.parametrize(("content", "why"), GOOD_TEXTS)
def test_right_as_text(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    assert problems_of(path) == (), why


def test_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    with pytest.raises(ConfigError, match="it is a link that leads back to itself; let it point to the file"):
        load(tmp_path / "loop.toml")


def test_directory_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory; name the file that is in it with -c FILE"):
        load(tmp_path)


# --- mutations --------------------------------------------------------------------------------------------------------

ODD = (
    '""', '"x"', '"a\\u0000b"', "-1", "1e999", "nan", "true", "[]", '[["x"]]', "{ x = 1 }", "1979-05-27", f'"{"x" * 5000}"',
)  # fmt: skip
_PAIR = re.compile(r"^([A-Za-z_-]+ *= *)(.+?)(\s+#.*)?$")


def mutations_of_the_example(odd: str) -> list[tuple[int, str]]:
    """The example with another value in one place: the line, and the text."""
    lines = EXAMPLE.read_text().split("\n")
    found = []
    for number, line in enumerate(lines):
        if match := _PAIR.match(line):
            found.append((number + 1, "\n".join([*lines[:number], match[1] + odd, *lines[number + 1 :]])))
    return found


@pytest.mark.parametrize("odd", ODD)
def test_mutated_example_is_refused_at_its_line_or_works(path: Path, odd: str) -> None:
    for name in ("carrier.password", "smsc.password", "twilio.token"):
        (path.parent / name).write_text("secret")
    mutations = mutations_of_the_example(odd)
    assert len(mutations) > 50
    for line, text in mutations:
        check_mutation(path, line, text)


@pytest.mark.parametrize("turn", range(4))
def test_mutated_whole_configuration_is_refused_at_its_line_or_works(path: Path, turn: int) -> None:
    """Every fourth key of all that there are, with each odd value in turn."""
    for index, (section, key) in enumerate(KEYS[turn::4]):
        text, line = toml(section, key, ODD[index % len(ODD)])
        check_mutation(path, line, text)


def check_mutation(path: Path, line: int, text: str) -> None:
    """All that is refused is refused once, at the line of the mutation."""
    path.write_text(text)
    with capture_logs():
        assert {problem.line for problem in problems_of(path)} <= {line}, text.split("\n")[line - 1][:200]
