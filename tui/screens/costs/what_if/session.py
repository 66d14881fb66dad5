"""The cost explorer without its screen: what is asked, what is changed in thought, and the answers as they come."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from core.config.model import Configuration
from core.config.settings import Setting, apply_settings
from core.costs import CostFunction
from core.diagnostics import Diagnostic
from core.errors import RealmsError, UsageError
from core.fleet.fleet import Fleet, HostSnapshot
from core.hosts import HostState
from core.placement.what_if.changes import HostGone, HostInState, VMMore
from core.placement.what_if.sandbox import Change, Sandbox
from tui.forms.request import Asked
from tui.render.costs.exploration import CloseUp, Exploration
from tui.render.costs.ranking import raised_texts, ranking_rows
from tui.render.rows import Row
from tui.screens.costs.query import CostAnswer, CostQuery
from tui.screens.costs.what_if.history import History, with_change, without_settings, without_state


@dataclass(frozen=True, slots=True)
class Subject:
    """What is edited: a cost function as configured, and the settings of it that the what-if has."""

    configured: CostFunction
    settings: tuple[Setting, ...] = ()
    close_up: CloseUp | None = None
    """A host with this function, whose use is marked on the curves; None where none is chosen."""

    def changed(self, *more: Setting) -> tuple[CostFunction, tuple[Diagnostic, ...]]:
        """Return the function with its settings and more; raises UsageError. Only this function is read: a few ms."""
        alone = Configuration({self.configured.id: self.configured})
        after, warnings = apply_settings(alone, (*self.settings, *more))
        return after.cost_functions[self.configured.id], warnings


class WhatIfSession:
    """What is asked and changed, the host and the cost function in front, and the last answer; for one thread alone.

    It computes no ranking: `question` returns what to compute, in any thread, and `take` and `fail` get what comes of
    it.
    """

    def __init__(self) -> None:
        self.asked: Asked | None = None
        """The request; None until there is one."""
        self.history = History()
        self.exploration: Exploration | None = None
        """The last ranking; None until the first fleet, and where judging failed."""
        self.function: str | None = None
        """The cost function that the user chose to edit; None: that of the chosen host."""
        self._picked: str | None = None
        """The host that the user chose; None: whichever is best."""
        self._questions = 0
        self._answered: CostQuery | None = None
        self.answer = CostAnswer(None)
        """The last answer; where it has no ranking, `exploration` is still that of an earlier one."""

    # Questions and answers -----------------------------------------------------------------------------------------

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes, with the setting that is being typed."""
        return self.history.with_draft

    @property
    def trouble(self) -> str:
        """Why there is no ranking, or none with the changes as they are now; empty where there is or none is known."""
        is_told = self.exploration is None or (self._answered is not None and self._answered.changes == self.changes)
        return self.answer.trouble if is_told else ""

    def question(self, configuration: Configuration, fleet: Fleet) -> CostQuery | None:
        """Return what to compute for the request with the changes as they are now; None without a request."""
        if self.asked is None:
            return None
        self._questions += 1
        earlier = self.answer if self.answer.sandbox is not None else None
        return CostQuery(configuration, fleet, self.asked, self.changes, earlier, self._questions)

    def take(self, question: CostQuery, answer: CostAnswer) -> bool:
        """Keep an answer; False where a later question has been answered already."""
        if self._answered is not None and question.number < self._answered.number:
            return False
        self._answered, self.answer = question, answer
        self.exploration = answer.exploration or self.exploration
        return True

    def fail(self, question: CostQuery, error: RealmsError) -> bool:
        """Keep why there is no ranking; False where a later question has been answered already."""
        is_taken = self.take(question, CostAnswer(None, trouble=str(error)))
        if is_taken:
            self.exploration = None
        return is_taken

    def rows(self, exploration: Exploration, fits: Mapping[str, int]) -> tuple[Row, ...]:
        """Return the rows of the ranking, as they came with the answer where they did."""
        if self.answer.sandbox is not None and self.answer.exploration is exploration:
            return self.answer.rows
        return ranking_rows(exploration, fits)

    def exported(self) -> tuple[Sandbox, Asked]:
        """Return what to export; raises UsageError where that is nothing, or not computed yet."""
        if not self.history.changes or self.asked is None:
            raise UsageError("No changes to export.")
        sandbox = self.answer.sandbox
        if sandbox is None or sandbox.changes != self.history.changes:
            raise UsageError(self.trouble or "Applying the changes: try again in a moment.")
        return sandbox, self.asked

    # Hosts and VMs -------------------------------------------------------------------------------------------------

    def state_of(self, snapshot: HostSnapshot) -> HostState | None:
        """Return a host's state with the changes; None where they take it out of the fleet."""
        for change in self.history.changes:
            if isinstance(change, HostGone) and change.host == snapshot.name:
                return None
            if isinstance(change, HostInState) and change.host == snapshot.name:
                return change.state
        return snapshot.host.state

    def set_state(self, snapshot: HostSnapshot, state: HostState) -> None:
        """Put a host into a state; the one that it has is no change."""
        if state is snapshot.host.state:
            self.history.become(without_state(self.history.changes, snapshot.name))
        else:
            self.history.make(HostInState(snapshot.name, state))

    def add_vms(self, *changes: VMMore) -> None:
        """Add VMs to the last ranking's fleet; raises UsageError where their devices are not free."""
        if self.exploration is None:
            return
        fleet = self.exploration.fleet
        for change in changes:
            fleet = change.apply(self.exploration.configuration, fleet)
        self.history.make(*changes)

    def raised(self, host: str) -> tuple[Setting, ...]:
        """Return the limits that refuse a host, raised; none where that is not what it needs."""
        texts = raised_texts(self.exploration, host) if self.exploration is not None else ()
        return tuple(map(Setting.parse, texts))

    # Cost functions ------------------------------------------------------------------------------------------------

    def set_parameter(self, configured: CostFunction, setting: Setting) -> None:
        """Take a value of a cost function; the one that is configured is no change."""
        changes = with_change(self.history.changes, setting)
        less = without_settings(changes, setting.path)
        with_it, without = (Subject(configured, settings_of(each, configured.id)) for each in (changes, less))
        with suppress(UsageError):
            changes = less if with_it.changed()[0] == without.changed()[0] else changes
        self.history.become(changes)

    def unset_parameter(self, path: tuple[str, ...]) -> None:
        """Take back what was changed of a parameter."""
        self.history.become(without_settings(self.history.changes, path))

    def edited(self, configuration: Configuration) -> str | None:
        """Return the cost function to be edited: the user's choice, else that of the chosen host, else the first."""
        functions = configuration.cost_functions
        close_up = self._close_up
        own = close_up.function.id if close_up is not None and close_up.function is not None else None
        return next((each for each in (self.function, own, *functions) if each in functions), None)

    def edit(self, function: str | None, configuration: Configuration) -> None:
        """Edit a cost function (None: that of the chosen host), and stay with it and that host, whichever is best."""
        self.function = function
        self.function = self.edited(configuration)
        self._picked = self.chosen

    def subject(self, configuration: Configuration) -> Subject | None:
        """Return what the editor is about; None where there is no cost function."""
        function, close_up = self.edited(configuration), self._close_up
        if function is None:
            return None
        own = close_up is not None and close_up.function is not None and close_up.function.id == function
        settings = settings_of(self.history.changes, function)
        return Subject(configuration.cost_functions[function], settings, close_up if own else None)

    # The host in front ---------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The host whose curves are shown: the user's choice while it is there, else the best, else the first."""
        exploration = self.exploration
        if exploration is None or not exploration.placements.verdicts:
            return None
        if self._picked is not None and exploration.verdict(self._picked) is not None:
            return self._picked
        return exploration.placements.verdicts[0].host

    @property
    def _close_up(self) -> CloseUp | None:
        return self.exploration.close_up(self.chosen) if self.exploration is not None and self.chosen else None

    def choose(self, host: str) -> bool:
        """Put a host in front, the best one as long as it is the best; False where it is there already."""
        if self.exploration is None or host == self.chosen:
            return False
        verdicts = self.exploration.placements.verdicts
        self._picked = None if verdicts and host == verdicts[0].host else host
        return True

    def stay_with(self, host: str) -> None:
        """Keep a host in front, whichever is best."""
        self._picked = host


def settings_of(changes: tuple[Change, ...], function: str) -> tuple[Setting, ...]:
    """Pick the settings of one cost function."""
    start = ("cost-functions", function)
    return tuple(change for change in changes if isinstance(change, Setting) and change.path[:2] == start)
