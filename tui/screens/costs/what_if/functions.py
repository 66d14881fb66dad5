"""What if a cost function were another one: the editor in the cost explorer, and what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from core.errors import RealmsError, UsageError
from core.fleet.fleet import Fleet
from core.operations.tasks.step_kinds import StepKind
from core.text import natural
from tui.render.rows import Column, Row
from tui.screens.costs.what_if.base import WhatIfScreen
from tui.screens.costs.what_if.edit_target import Subject, settings_of
from tui.screens.costs.what_if.function_editor import ParameterEditor
from tui.screens.costs.what_if.history import with_change, without_settings
from tui.screens.dialogs.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from core.config.settings import Setting
    from core.config.syntax import Place
    from core.operations.tasks.task import Control
    from core.placement.what_if.sandbox import Change

_FUNCTION_COLUMNS = (
    Column(key="id", title="COST FUNCTION", least=12, most=50, stretch=True, letter="N"),
    Column(key="hosts", title="HOSTS", right=True, letter="H", ascending=False),
    Column(key="changes", title="CHANGES", right=True, ascending=False),
)


class FunctionWhatIfs(WhatIfScreen):
    """The part of the cost explorer that edits cost functions in thought."""

    def __init__(self) -> None:
        super().__init__()
        self._function: str | None = None
        """The cost function that the user chose to edit; None: that of the chosen host."""
        self._places: Mapping[tuple[str, ...], Place] | None = None

    def keep_chosen(self) -> None:
        """Stay with the host in front, even if another becomes the best."""
        raise NotImplementedError

    def show_editor(self, *, shown: bool) -> None:
        """Give the editor its place, or take it back."""
        raise NotImplementedError

    @property
    def is_editing(self) -> bool:
        """Whether the editor is shown."""
        return self.has_class("-editing")

    def _edited(self) -> str | None:
        """Give the cost function to be edited: the user's choice, else that of the chosen host, else the first."""
        functions = self.realms.workplace.configuration.cost_functions
        if self._function in functions:
            return self._function
        close_up = self.exploration.close_up(self.chosen) if self.exploration is not None and self.chosen else None
        if close_up is not None and close_up.function is not None and close_up.function.id in functions:
            return close_up.function.id
        return next(iter(functions), None)

    def show_subject(self) -> None:
        """Show the editor what it edits, where it is shown."""
        if not self.is_editing:
            return
        function = self._edited()
        if function is None:
            self.close_editor()
            return
        configured = self.realms.workplace.configuration.cost_functions[function]
        close_up = self.exploration.close_up(self.chosen) if self.exploration is not None and self.chosen else None
        own = close_up is not None and close_up.function is not None and close_up.function.id == function
        settings = settings_of(self.history.changes, function)
        subject = Subject(configured, settings, close_up if own else None, self._places or {})
        self.query_one(ParameterEditor).show(subject)

    def action_edit_function(self) -> None:
        """Edit the cost function of the chosen host, beside its curve."""
        if not self.realms.workplace.configuration.cost_functions:
            self.realms.tell("The configuration has no cost function.")
            return
        self._function = None
        self._open_editor()

    def _open_editor(self) -> None:
        """Edit a function, and stay with it and its host, whichever is best by what is typed."""
        self._function = self._edited()
        self.keep_chosen()
        self._find_places()
        self.show_editor(shown=True)
        self.show_subject()
        self.query_one(ParameterEditor).table.focus()

    def close_editor(self) -> None:
        """Put the editor away; the changes stay."""
        self._function = None
        self.show_editor(shown=False)

    def action_choose_function(self) -> None:
        """Ask which cost function to edit."""
        configuration, fleet = self.realms.workplace.configuration, self.realms.fleet or Fleet(0.0)
        rows = []
        for function in configuration.cost_functions:
            profiles = {
                id_ for id_, profile in configuration.hardware_profiles.items() if profile.cost_function == function
            }
            hosts = sum(snapshot.host.profile in profiles for snapshot in fleet.hosts)
            changed = len(settings_of(self.history.changes, function))
            cells = (function, str(hosts), str(changed) if changed else "-")
            rows.append(Row(function, cells, (natural(function), hosts, changed)))
        dialog = Choice(
            "Edit which cost function?", "edits it", _FUNCTION_COLUMNS, rows, empty="There is none.", at=self._edited()
        )
        self.app.push_screen(dialog, self._edit)

    def _edit(self, function: Hashable | None) -> None:
        if isinstance(function, str):
            self._function = function
            self._open_editor()

    def _find_places(self) -> None:
        """Look up, once and aside, where values stand in the files."""
        path = self.realms.workplace.configuration_path
        if self._places is not None or path is None:
            return
        self._places = {}

        from core.config.value_places import value_places

        def look(control: Control) -> dict[tuple[str, ...], Place]:
            with control.step(StepKind.LOOK, f"read {path}"):
                return value_places(path)

        def found(places: dict[tuple[str, ...], Place]) -> None:
            self._places = places
            self.show_subject()

        def not_found(error: RealmsError) -> None:
            self.realms.tell(
                f"Where values stand in the files is not known: {error.message}", "warning", hint=error.hint
            )

        self.background.ask("places", look, found, not_found)

    @on(ParameterEditor.Tried)
    def try_out(self, event: ParameterEditor.Tried) -> None:
        """Rank with what is being typed."""
        if event.setting == self._draft:
            return
        self._draft, self._trouble = event.setting, ""
        self._tell_banner()
        self.show_lines()
        self.ask_again()

    @on(ParameterEditor.Set)
    def set_parameter(self, event: ParameterEditor.Set) -> None:
        """Take a value; the one that is configured is no change."""
        self.history.become(self._without_nothing(with_change(self.history.changes, event.setting), event.setting))
        self._changed()

    def _without_nothing(self, changes: tuple[Change, ...], setting: Setting) -> tuple[Change, ...]:
        """Leave a setting out that makes no difference any more."""
        function = setting.path[1]
        configured = self.realms.workplace.configuration.cost_functions.get(function)
        if configured is None:
            return changes
        less = without_settings(changes, setting.path)
        try:
            with_it, _ = Subject(configured, settings_of(changes, function)).changed()
            without, _ = Subject(configured, settings_of(less, function)).changed()
        except UsageError:
            return changes
        return less if with_it == without else changes

    @on(ParameterEditor.Unset)
    def unset_parameter(self, event: ParameterEditor.Unset) -> None:
        """Take back what was changed of a parameter."""
        self.history.become(without_settings(self.history.changes, event.path))
        self._changed()
