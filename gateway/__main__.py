"""`textback`: the command line's way in."""

import sys

from gateway.cli import healthy


def main() -> int:
    """Run one command. The health check, which runs every few seconds, loads none of the others."""
    options = healthy.asked(sys.argv[1:])
    if options is not None:
        return healthy.healthy(options.config)
    from gateway.cli.main import main as run_command  # noqa: PLC0415 — see above

    return run_command()


if __name__ == "__main__":
    sys.exit(main())
