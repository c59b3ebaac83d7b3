"""Opens the SIP stack of an unpacked wheel, with a TLS socket, and says in one line what it is."""

import ctypes
import os
import sys

ours = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the stack talks while it wakes up
sys.path.insert(0, sys.argv[1])

import pjsua2

try:
    import pjsua2_build as build
except ImportError:
    build = None

endpoint = pjsua2.Endpoint()
endpoint.libCreate()
settings = pjsua2.EpConfig()
settings.uaConfig.threadCnt = 0
settings.uaConfig.maxCalls = build.MAX_CALLS if build else 4
settings.logConfig.level = 0
endpoint.libInit(settings)
if build:
    ours_in_it = ctypes.CDLL(pjsua2._pjsua2.__file__)
    if ours_in_it.textback_only_ring() != 0 or ours_in_it.textback_listen(None) != 0:
        sys.exit("the stack does not take the modules of script/pjsua2")
transport = pjsua2.TransportConfig()
transport.boundAddress = "127.0.0.1"
endpoint.transportCreate(pjsua2.PJSIP_TRANSPORT_TLS, transport)
version = endpoint.libVersion().full
endpoint.libDestroy()
if build:
    said = f"pjsua2 {version}, built here: {build.MAX_CALLS} calls at once, TLS by {build.TLS}"
else:
    said = f"pjsua2 {version}, ready-made stand-in: 4 calls at once, of which 3 ring; TLS 1.2 by an OpenSSL nobody maintains"
print(said, file=ours)
