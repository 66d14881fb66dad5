"""What if: changes in thought to cost functions, hosts and VMs, made and undone in the cost explorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from tui.commands import Command
from tui.render.cells import lay_out, width_of
from tui.render.costs.what_if import banner
from tui.render.rows import Column, Row
from tui.render.summary import plural
from tui.screens.area import AreaScreen
from tui.screens.costs.what_if.history import History, with_change
from tui.screens.dialogs.choice import Choice
from tui.widgets.tones import content

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.config.settings import Setting
    from core.placement.what_if.sandbox import Change, Sandbox
    from tui.forms.request import Asked
    from tui.render.costs.exploration import Exploration
    from tui.render.costs.what_if import Counted

_ONE_COLUMN = (Column(key="what", title="CHANGE", least=20, most=200, stretch=True),)

WHAT_IF_KEYS = (
    Command("e", "edit_function", "What if", "What if: edit the cost function of the chosen host.", footer=True),
    Command("f", "choose_function", "Function", "What if: edit another cost function."),
    Command("h", "change_host", "Host", "What if the chosen host were in another state, gone, or had other VMs.",
            footer=True),
    Command("a", "add_vms", "Add VMs", "What if the VMs of the request ran where placement puts them."),
    Command("u", "undo", "Undo", "Undo the last step of the what-if.", footer=True),
    Command("U,ctrl+r", "redo", "Redo", "Redo what was undone last.", shown="U"),
    Command("r", "reset", "Reset", "Take every change of the what-if back, as one step that can be undone."),
    Command("c", "list_changes", "Changes", "List the changes of the what-if, and take single ones back."),
    Command("x", "export", "Export", "Export the what-if: as lines for the configuration, and as a command.",
            footer=True),
)  # fmt: skip


class WhatIfBanner(Static):
    """Says, as long as there are changes, that one looks at a what-if."""

    DEFAULT_CSS = """
    WhatIfBanner { height: 1; width: 1fr; padding: 0 1; background: $warning 25%; color: $foreground; display: none; }
    WhatIfBanner:ansi { background: ansi_default; text-style: reverse; }
    """

    def __init__(self) -> None:
        super().__init__(id="what-if", markup=False)
        self._told: tuple[object, ...] = ()

    def tell(self, changes: int, before: Counted | None, after: Counted | None, trouble: str) -> None:
        """Say what the changes amount to; without any there is no banner."""
        self.display = bool(changes)
        told = (changes, before, after, trouble, self.size.width)
        if changes and told != self._told:
            self._told = told
            pieces = banner(changes, before, after, trouble)
            if sum(width_of(text) for text, _ in pieces) > self.size.width:
                pieces = banner(changes, before, after, trouble, short=True)
            self.update(content(lay_out(pieces, self.size.width) if self.size.width else pieces), layout=False)


class WhatIfScreen(AreaScreen):
    """The part of the cost explorer that holds the changes; subclasses ask with them, and show what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.exploration: Exploration | None = None
        """What is shown; None until the first fleet."""
        self.asked: Asked | None = None
        """What is asked for."""
        self.history = History()
        self.sandbox: Sandbox | None = None
        """What the last answer was asked of; None without changes."""
        self._draft: Setting | None = None
        """What is being typed."""
        self._trouble = ""
        """Why the changes can't be made; empty where they can."""
        self._counted: tuple[Counted, Counted] | None = None

    # What subclasses have ------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The host in front."""
        raise NotImplementedError

    @property
    def under_cursor(self) -> str | None:
        """The host under the cursor: the one in front, or one that is only listed."""
        raise NotImplementedError

    def ask_again(self) -> None:
        """Ask with the changes as they are now."""
        raise NotImplementedError

    def show_subject(self) -> None:
        """Show the editor what it edits, where it is shown."""
        raise NotImplementedError

    # The changes ---------------------------------------------------------------------------------------------------

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes, with what is being typed."""
        return self.history.changes if self._draft is None else with_change(self.history.changes, self._draft)

    @property
    def place(self) -> tuple[str, ...]:
        """Say in the line above too that this is a what-if."""
        return ("what if",) if self.changes else ()

    def allows(self, command: Command) -> bool:
        """Dim what there is nothing for."""
        match command.action:
            case "undo":
                return self.history.can_undo
            case "redo":
                return self.history.can_redo
            case "reset" | "list_changes" | "export":
                return bool(self.history.changes)
            case _:
                return super().allows(command)

    def _changed(self) -> None:
        """Follow the history: the editor at once, the ranking as soon as it is made."""
        self._draft, self._trouble = None, ""
        self.show_subject()
        self._tell_banner()
        self.show_lines()
        self.ask_again()

    def _make(self, *changes: Change) -> None:
        self.history.make(*changes)
        self._changed()

    def _tell_banner(self) -> None:
        before, after = self._counted or (None, None)
        self.query_one(WhatIfBanner).tell(len(self.changes), before, after, self._trouble)

    def action_undo(self) -> None:
        """Take the last step back."""
        if not self.history.can_undo:
            self.realms.tell("There is nothing to undo.")
            return
        self.history.undo()
        self._changed()

    def action_redo(self) -> None:
        """Take the step again that was taken back last."""
        if not self.history.can_redo:
            self.realms.tell("There is nothing to redo.")
            return
        self.history.redo()
        self._changed()

    def action_reset(self) -> None:
        """Take every change back."""
        if not self.history.changes:
            self.realms.tell("Nothing is changed.")
            return
        self.history.become(())
        self._changed()
        self.realms.tell("Everything is as it is; u brings the what-if back.")

    def action_list_changes(self) -> None:
        """List the changes, each of which can be taken back."""
        rows = [Row(index, (str(change),)) for index, change in enumerate(self.history.changes)]
        dialog = Choice(
            f"What if: {plural(len(rows), 'change')}", "or Del takes one back", _ONE_COLUMN, rows,
            empty="Nothing is changed: e edits a cost function, h a host.", delete=True,
        )  # fmt: skip
        self.app.push_screen(dialog, self._take_back)

    def _take_back(self, index: Hashable | None) -> None:
        if isinstance(index, int):
            changes = self.history.changes
            self.history.become(changes[:index] + changes[index + 1 :])
            self._changed()

    def action_export(self) -> None:
        """Show what would make the changes real."""
        from tui.screens.costs.what_if.export import ExportDialog

        if not self.history.changes or self.asked is None:
            self.realms.tell("Nothing is changed: there is nothing to export.")
        elif self.sandbox is None or self.sandbox.changes != self.history.changes:
            self.realms.tell(self._trouble or "The changes are being made: try again in a moment.")
        else:
            self.app.push_screen(ExportDialog(self.sandbox, self.asked))
