"""Names that attack a terminal or break its layout, a fleet full of them, and the check that nothing comes through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.config.model import Configuration
from core.fleet.fleet import Connection
from core.text import printable
from tests.tui import world
from tests.tui.driving import screen_text

if TYPE_CHECKING:
    from core.operations.session import Session
    from tui.app.app import RealmsApp

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x90q\x9c",
    "[/]",
    "[/red][bold",
    "[@click=app.quit]press me[/]",
    "[ @click=app.quit ]x",
    "web[prod]01",
    "$error [$accent]",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "名前が長い仮想マシン" * 8,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 e\u0301\u0301\u0301",
    "x" * 300,
    "two\nlines\r\ttab",
    "\ud800lone",
    " ",
    "%s {0} \\",
)


def hostile_world(*names: str) -> Session:
    """Make a fleet in which everything that comes from outside is such a name."""
    realms, given = {}, []
    for number, name in enumerate(names):
        realms[f"main{name}"] = replace(world.CONFIGURATION.realms["main"], id=f"main{name}")
        described = replace(world.host(f"h{name}"), realm=f"main{name}", uri=f"qemu+ssh://{name}/system")
        gone = replace(world.host(f"g{name}", f"profile{name}"), realm=f"realm{name}")
        machine = world.vm(
            name, described.name, number, address=f"10.0.0.1{name}", endpoint=f"x{name}:22", realm=f"main{name}"
        )
        error = f"no route{name}"
        given += [
            world.seen(described, [machine]),
            world.seen(gone, ago=99.0, connection=Connection.UNREACHABLE, error=error, machine_uuid=name),
        ]
    configuration = Configuration(world.CONFIGURATION.cost_functions, world.CONFIGURATION.hardware_profiles, realms)
    return world.saved(given, configuration)


def assert_clean(app: RealmsApp) -> None:
    """Check that nothing on the screen acts on a terminal, and that the program lives."""
    lines = screen_text(app).split("\n")
    assert len(lines) == app.size.height
    assert [line for line in lines if printable(line) != line] == []
    assert app.is_running
