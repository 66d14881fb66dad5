"""The first pages of the wizard that sets pools up: on which hosts, and which pools."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static
from textual.widgets.selection_list import Selection

from core.fleet.fleet import PoolState
from core.operations.storage.pool_report import PoolRole
from core.text import printable
from tui.render.ages import connection_text
from tui.render.cells import Tone, width_of
from tui.render.pools.setup import what_it_has, where_it_is
from tui.render.pools.table import HostPoolsView
from tui.render.wrapping import cut_middle
from tui.screens.pools.setup.page import SetUpPage
from tui.widgets.tick_list import TickList
from tui.widgets.tones import content


class ChoicePage(SetUpPage):
    """A page with a list to tick things in."""

    BINDINGS: ClassVar = [Binding("a", "all", "All")]
    told: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        """Lay out a sentence, the list, and what is wrong with the choice."""
        yield Static(content(((self.told, Tone.MUTED),)), classes="hint")
        yield TickList[str](compact=True)
        yield Static(classes="complaint")

    @property
    def choices(self) -> TickList[str]:
        """The list."""
        return self.query_one(TickList)

    def complain(self, text: str) -> None:
        """Say what is wrong."""
        told = self.query_one(".complaint", Static)
        told.update(content(((text, Tone.BAD),)))
        told.set_class(bool(text), "-shown")

    def action_all(self) -> None:
        """Tick all, or none where all are ticked."""
        if len(self.choices.selected) == sum(not option.disabled for option in self.choices.options):
            self.choices.deselect_all()
        else:
            self.choices.select_all()

    def fill(self, selections: list[Selection[str]]) -> None:
        """Show the list anew, the cursor at its first row."""
        self.choices.clear_options()
        self.choices.add_options(selections)
        self.choices.highlighted = 0 if selections else None


class HostsPage(ChoicePage):
    """On which hosts of the realm."""

    title = "Hosts"
    told = "Space select, a all. Pools are on storage shared by all hosts of the realm."

    def enter(self) -> None:
        """List the realm's hosts, with what their pools lack."""
        views = self.views()
        names = max((min(24, width_of(view.snapshot.name)) for view in views), default=0)
        self.fill([self._selection(view, names) for view in views])

    def _selection(self, view: HostPoolsView, names: int) -> Selection[str]:
        snapshot = view.snapshot
        realms, now = self.realms.session.configuration.realms, self.realms.session.clock.now()
        connects = snapshot.host.state.connects
        name = cut_middle(snapshot.name, names)
        prompt = content(
            (
                (name + " " * (names - width_of(name)) + "  ", Tone.STRONG if connects else Tone.DIM),
                (
                    f"{connection_text(snapshot, now, realms):<16}",
                    Tone.MUTED if view.freshness.is_current else Tone.WARN,
                ),
                what_it_has(view) if connects else ("disabled: enable it first", Tone.DIM),
            )
        )
        chosen = connects and snapshot.name in self.draft.chosen
        return Selection(prompt, snapshot.name, chosen, disabled=not connects)

    def leave(self) -> bool:
        """Take over which hosts are ticked; there must be one."""
        ticked = set(self.choices.selected)
        self.complain("" if ticked else "Select at least one host.")
        if ticked:
            self.draft.chosen = tuple(view.snapshot.name for view in self.views() if view.snapshot.name in ticked)
        return bool(ticked)


class RolesPage(ChoicePage):
    """Which of the realm's four pools."""

    title = "Pools"
    told = "Space select, a all. Existing pools that match the plan are kept."

    def enter(self) -> None:
        """List the four pools; those that are not active everywhere are ticked, or all of them."""
        draft, views = self.draft, self.chosen_views()
        if not draft.roles:
            lacking = {
                pool.role for view in views for pool in view.pools
                if pool.state is not PoolState.ACTIVE or not view.freshness.is_current
            }  # fmt: skip
            draft.roles = tuple(role for role in PoolRole if not lacking or role in lacking)
        names = [printable(name) for name in draft.realm.pools]
        width = max(map(width_of, names))
        self.fill(
            [
                Selection(
                    content(
                        (
                            (f"{role.value:<10} ", Tone.STRONG),
                            (
                                cut_middle(name, 32) + " " * (min(32, width) - width_of(cut_middle(name, 32))) + "  ",
                                Tone.PLAIN,
                            ),
                            where_it_is(role, views),
                        )
                    ),
                    role.value,
                    role in draft.roles,
                )
                for role, name in zip(PoolRole, names, strict=True)
            ]
        )

    def leave(self) -> bool:
        """Take over which pools are ticked; there must be one."""
        ticked = set(self.choices.selected)
        self.complain("" if ticked else "Select at least one pool.")
        if ticked:
            self.draft.roles = tuple(role for role in PoolRole if role.value in ticked)
        return bool(ticked)
