"""The names of the plans above their table, each with the key that leads to it, and the other keys of the area."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.commands import Command
from tui.render.plans.hosts import FAILURE_COLUMNS, capacity_columns
from tui.render.plans.mix import mix_columns
from tui.render.plans.moves import DRAIN_COLUMNS, MOVE_COLUMNS, REBALANCE_COLUMNS
from tui.render.plans.sheet import PlanKind
from tui.render.rows import Column

PLAN_KEYS = (
    Command(
        "c", "plan('capacity')", "Plan", "Capacity: how many more VMs fit, and what limits them.",
        footer=True, shown="cmfdbo",
    ),
    Command("m", "plan('mix')", "Mix", "Mix: how often a mix of sizes fits, and where the next one goes."),
    Command("f", "plan('failure')", "Failure", "Failure: which VMs would be unplaced if a host failed."),
    Command("d", "plan('drain')", "Drain", "Drain: where the VMs of the selected host would go."),
    Command("b", "plan('rebalance')", "Rebalance", "Rebalance: moves that even out the hosts' costs."),
    Command("o", "plan('room')", "Make room", "Make room: moves that let a host take the request."),
    Command("a,ctrl+s", "apply", "Apply", "Apply: run the plan's moves (asks first).", footer=True, changes=True),
    Command("x", "stop", "Stop", "Stop the running plan; it can be resumed.",
            footer=True, changes=True),
    Command("u", "resume", "Resume", "Resume or discard an interrupted plan.", changes=True),
    Command("t", "take_along", "Include VMs...", "Choose which VMs may move: unmanaged, with devices."),
    Command("e", "edit_request", "Request", "Edit the request or the mix.",
            footer=True),
    Command("h", "choose_host", "Host", "Choose the host to drain.", footer=True),
    Command("r,f5", "plan_again", "Refresh", "Plan again for the current fleet.", footer=True),
)  # fmt: skip


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
    """Return the plans in the order of their names; with one realm, whose a host is goes without saying."""
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
