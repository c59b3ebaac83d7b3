"""`textback run`: the gateway, until SIGTERM or Ctrl-C. A second one ends it at once."""

import argparse
import asyncio
import os
import signal
from typing import Any

from config import load
from gateway.cli.given import about
from gateway.cli.say import complain
from gateway.daemon import Gateway
from gateway.process import log
from gateway.process.data_dir import CannotStart


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("run", help="run the gateway", description=about(__doc__))
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """0 after an orderly end, 1 when it cannot start."""
    log.set_up(is_verbose=options.verbose)
    config = load.load(load.find(options.config))
    try:
        asyncio.run(serve(Gateway(config)))
    except CannotStart as error:
        complain(f"textback: {error}")
        return 1
    return 0


async def serve(gateway: Gateway) -> None:
    """Run a gateway that SIGTERM and SIGINT stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, gateway)
    loop.add_signal_handler(signal.SIGHUP, gateway.reload)
    await gateway.serve()


def _stop(gateway: Gateway) -> None:
    if gateway.is_stopping:
        os._exit(130)
    gateway.stop()
