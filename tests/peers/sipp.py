"""SIPp places the calls: scenarios are written here, SIPp does the SIP."""

import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.ports import free_port

SDP = """\
Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=sipp 53655765 2353687637 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN {media}
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to place."""

    caller: str
    dialled: str = "+14155550100"


@dataclass(frozen=True, kw_only=True)
class Ends:
    """How the calls of a scenario end."""

    status: int = 480
    """The final response that is expected."""
    cancel_after: float | None = None
    """Seconds after 180; then CANCEL, and 487 is expected."""
    cancel_headers: tuple[str, ...] = ()
    invite_headers: tuple[str, ...] = ()
    from_header: str = '"Test" <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]'
    to_header: str = "<sip:[field1]@[remote_ip]:[remote_port]>"
    contact: str = "<sip:sipp@[local_ip]:[local_port]>"
    media: str = "IP[media_ip_type] [media_ip]"
    """The address in the offer, with its type: `IP4 127.0.0.1`."""
    rings: bool = True


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What SIPp says of its run."""

    is_good: bool
    said: str
    errors: str = ""
    messages: str = field(default="", repr=False)


def scenario(ends: Ends) -> str:
    """The XML that SIPp runs."""
    extra = "".join(f"\n      {header}" for header in ends.invite_headers)
    request = f"""
    <![CDATA[
      INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: {ends.from_header}
      To: {ends.to_header}
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: {ends.contact}
      Max-Forwards: 70{extra}
      {SDP.format(media=ends.media)}
    ]]>"""
    rings = '<recv response="180"/>' if ends.rings else '<recv response="180" optional="true"/>'
    steps = [f'<send retrans="500">{request}</send>', '<recv response="100" optional="true"/>', rings]
    status = ends.status
    if ends.cancel_after is not None:
        steps += [f'<pause milliseconds="{int(ends.cancel_after * 1000)}"/>', _cancel(ends), '<recv response="200"/>']
        status = 487
    steps += [f'<recv response="{status}"/>', _ack(ends)]
    body = "\n  ".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="calls">\n  {body}\n</scenario>\n'


def _cancel(ends: Ends) -> str:
    extra = "".join(f"\n      {header}" for header in ends.cancel_headers)
    return f"""<send retrans="500"><![CDATA[
      CANCEL sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-4]
      From: {ends.from_header}
      To: {ends.to_header}
      Call-ID: [call_id]
      CSeq: 1 CANCEL{extra}
      Max-Forwards: 70
      Content-Length: 0

    ]]></send>"""


def _ack(ends: Ends) -> str:
    back = 3 if ends.cancel_after is None else 7
    return f"""<send><![CDATA[
      ACK sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-{back}]
      From: {ends.from_header}
      To: {ends.to_header}[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

    ]]></send>"""


def place(
    directory: Path,
    port: int,
    calls: Sequence[Call],
    ends: Ends | None = None,
    *,
    rate: float = 50,
    source: str = "127.0.0.1",
    within: float = 60,
) -> Ran:
    """Place calls to the gateway on 127.0.0.1 and wait until all have ended."""
    process, errors = _start(directory, port, calls, ends or Ends(), rate, source, within, subprocess.PIPE)
    said, _ = process.communicate(timeout=within + 30)
    return Ran(is_good=process.returncode == 0, said=said[-2000:], errors=errors.read_text() if errors.exists() else "")


def start(
    directory: Path,
    port: int,
    calls: Sequence[Call],
    ends: Ends,
    *,
    rate: float = 50,
    host: str = "127.0.0.1",
    transport: str = "udp",
) -> "subprocess.Popen[str]":
    """Place calls, to the address that they come from too, and leave them ringing."""
    return _start(directory, port, calls, ends, rate, host, 120, subprocess.DEVNULL, host, transport)[0]


def _start(
    directory: Path,
    port: int,
    calls: Sequence[Call],
    ends: Ends,
    rate: float,
    source: str,
    within: float,
    output: int,
    host: str = "127.0.0.1",
    transport: str = "udp",
) -> "tuple[subprocess.Popen[str], Path]":
    place_no = len(list(directory.glob("sipp-*.xml")))
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    remote = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    xml, csv = directory / f"sipp-{place_no}.xml", directory / f"sipp-{place_no}.csv"
    xml.write_text(scenario(ends))
    csv.write_text("SEQUENTIAL\n" + "".join(f"{call.caller};{call.dialled}\n" for call in calls))
    command = [
        "sipp", remote, "-t", {"udp": "u1", "tcp": "t1"}[transport], "-sf", str(xml), "-inf", str(csv),
        "-m", str(len(calls)), "-r", str(max(1, int(rate))),
        "-i", source, "-p", str(free_port(kind, source)), "-nostdin", "-timeout", f"{int(within)}s", "-timeout_error", "-trace_err", "-error_file",
        str(directory / f"sipp-{place_no}.err"), "-l", "3000",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT, text=True)
    return process, directory / f"sipp-{place_no}.err"
