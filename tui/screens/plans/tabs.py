"""The names of the plans above their table, each with the key that leads to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.render.plans.hosts import FAILURE_COLUMNS, capacity_columns
from tui.render.plans.mix import mix_columns
from tui.render.plans.moves import DRAIN_COLUMNS, MOVE_COLUMNS, REBALANCE_COLUMNS
from tui.render.plans.sheet import PlanKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.render.rows import Column


@dataclass(frozen=True, slots=True)
class Tab:
    """A plan: its key, its name, and the columns of its table."""

    kind: PlanKind
    key: str
    title: str
    columns: Sequence[Column]

    @property
    def grid(self) -> str:
        """Id of its table, and what its sort is kept by."""
        return f"plan-{self.kind}"


def tabs(realms: int) -> tuple[Tab, ...]:
    """Give the plans in the order of their names; with one realm, whose a host is goes without saying."""
    return (
        Tab(PlanKind.CAPACITY, "c", "Capacity", capacity_columns(realms)),
        Tab(PlanKind.MIX, "m", "Mix", mix_columns(realms)),
        Tab(PlanKind.FAILURE, "f", "Failure", FAILURE_COLUMNS),
        Tab(PlanKind.DRAIN, "d", "Drain", DRAIN_COLUMNS),
        Tab(PlanKind.REBALANCE, "b", "Rebalance", REBALANCE_COLUMNS),
        Tab(PlanKind.ROOM, "o", "Make room", MOVE_COLUMNS),
    )


class PlanTab(Static):
    """The name of a plan, with the key that leads to it; a click does too."""

    class Clicked(Message):
        """The plan is wanted."""

        def __init__(self, kind: PlanKind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, tab: Tab) -> None:
        super().__init__(id=f"tab-{tab.kind}", classes="tab")
        self._tab = tab

    def write(self, about: str, *, chosen: bool) -> None:
        """Write the name, and what it is about where that isn't always the same."""
        title = f"{self._tab.title} {about}".rstrip()
        self.set_class(chosen, "-chosen")
        self.update(Content.assemble((self._tab.key, "$accent"), " ", (title, "bold underline" if chosen else "")))

    def on_click(self) -> None:
        """Ask for the plan."""
        self.post_message(self.Clicked(self._tab.kind))
