"""What the palette finds: commands, areas, hosts and VMs. Names are searched plainly and never read as markup."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.app import App
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from core.text import printable
from tui.app.areas import AREAS, Area
from tui.commands import Command
from tui.context import context_of
from tui.widgets.modal import AnsweredOnce

MOST_HITS = 40
"""Hits that a search gives at most: nobody reads more, and each is a widget's line to lay out."""


_LEAST_SCORE = 0.4
"""Below it a name doesn't hold what was searched for."""


class Palette(CommandPalette, AnsweredOnce[None]):
    """Textual's palette of commands, which chooses one of them."""


def open_palette(app: App[Any]) -> None:
    """Open the palette on everything."""
    app.push_screen(Palette([CommandProvider, PlaceProvider], placeholder="Find a command, host or VM"))


def open_go_to(app: App[Any]) -> None:
    """Open the palette on places only: areas, hosts, VMs."""
    app.push_screen(Palette([PlaceProvider], placeholder="Go to an area, host or VM"))


def rank(query: str, name: str) -> float:
    """Judge how well a name answers a query: 1 exact, less for a start, a word's start, anywhere; 0 not at all."""
    wanted, found = query.casefold(), name.casefold()
    if wanted == found:
        return 1.0
    place = found.find(wanted)
    if place < 0:
        return 0.0
    closeness = len(wanted) / (len(found) + 1) / 10
    if place == 0:
        return 0.8 + closeness
    return (0.6 if not found[place - 1].isalnum() else 0.4) + closeness


def highlighted(query: str, name: str, note: str) -> Content:
    """Show a name with what was searched for underlined, and a note after it."""
    shown = printable(name)
    place = shown.casefold().find(query.casefold()) if query else -1
    if place < 0 or len(shown) != len(shown.casefold()):
        return Content.assemble(shown, (f"  {note}", "dim"))
    end = place + len(query)
    return Content.assemble(
        shown[:place], (shown[place:end], "bold underline"), shown[end:], (f"  {printable(note)}", "dim")
    )


class CommandProvider(Provider):
    """The commands of the screen, of the table that has the focus, and of the application."""

    def _commands(self) -> Iterator[tuple[Command, Callable[[], Any]]]:
        focused = self.focused
        for owner, commands in (
            (self.screen, getattr(self.screen, "KEYS", ())),
            (focused, getattr(focused, "KEYS", ())),
            (self.app, context_of(self.app).app_commands),
        ):
            for command in commands:
                if command.palette and owner is not None:
                    yield command, partial(self.app.run_action, command.action, owner)

    async def discover(self) -> Hits:
        """List all commands while nothing is typed."""
        for command, run in self._commands():
            yield DiscoveryHit(
                Content.assemble(command.label, (f"  {command.key_text}", "dim")), run, command.label, command.help
            )

    async def search(self, query: str) -> Hits:
        """Find commands by their words."""
        for command, run in self._commands():
            score = rank(query, command.label)
            if len(query) > 1:
                score = max(score, rank(query, command.help) * 0.7)
            if score:
                yield Hit(score, highlighted(query, command.label, command.key_text), run, command.label, command.help)


class PlaceProvider(Provider):
    """Areas, hosts and VMs by their names."""

    async def discover(self) -> Hits:
        """List the areas while nothing is typed."""
        for area in AREAS:
            yield DiscoveryHit(Content(area.title), self._go_to(area), area.title, area.help)

    async def search(self, query: str) -> Hits:
        """Find the best few of all names."""
        found = [(rank(query, name) + preference, name, note, go) for preference, name, note, go in self._places()]
        hits = sorted((hit for hit in found if hit[0] >= _LEAST_SCORE), key=lambda hit: (-hit[0], hit[1]))
        for score, name, note, go in hits[:MOST_HITS]:
            yield Hit(min(1.0, score), highlighted(query, name, note), go, printable(name))

    def _go_to(self, area: Area) -> Callable[[], Any]:
        return partial(self.app.run_action, f"area('{area.id}')")

    def _places(self) -> Iterator[tuple[float, str, str, Callable[[], Any]]]:
        """Return every place: what it is preferred by, its name, what it is, and how to go there."""
        for area in AREAS:
            yield 0.02, area.title, "area", self._go_to(area)
        realms = context_of(self.app)
        fleet = realms.fleet
        for snapshot in fleet.hosts if fleet is not None else ():
            yield 0.01, snapshot.name, "host", partial(realms.navigation.go_to_host, snapshot.name)
            for vm in snapshot.vms:
                yield 0.0, vm.name, f"VM on {snapshot.name}", partial(realms.navigation.go_to_vm, vm.key)
