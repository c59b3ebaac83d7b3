"""Our own part of the SIP stack (`script/pjsua2/ringing.c`), which lets a call ring whatever media it offers."""

import ctypes

import pjsua2 as pj

from sip.faults import say


def only_ring() -> bool:
    """Begin to ring every offer, once the stack is initialised; False where the wheel has no such part (the ready-made one)."""
    begin = getattr(ctypes.CDLL(pj._pjsua2.__file__), "textback_only_ring", None)
    if begin is None:
        return False
    status = begin()
    if status != 0:
        say(f"the SIP stack does not take its module for ringing (status {status}): offers that it does not know are refused")
    return bool(status == 0)
