"""What the full-screen application asks of a terminal before it starts."""

import os
import sys

from core.errors import UsageError

_INSTEAD = (
    "use a subcommand such as `realms hosts list`, `realms vms list` or `realms place`; `realms --help` lists all"
)


def check_terminal() -> None:
    """Refuse to start where no full screen can be drawn; raises UsageError, which names what to use instead."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if not stream.isatty():
            raise UsageError(f"the full-screen application needs a terminal: standard {name} is not one", hint=_INSTEAD)
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        term = os.environ.get("TERM") or "not set"
        raise UsageError(f"the terminal cannot draw a full screen: TERM is {term}", hint=_INSTEAD)
