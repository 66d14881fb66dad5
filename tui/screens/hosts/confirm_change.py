"""The question before hosts are changed, with what that would mean: worked out in a thread while one reads."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.clock import Clock
from core.config.model import Configuration
from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.operations.hosts.impact import HostsChange
from core.operations.tasks.task import Control
from core.placement.engine.request import Request
from tui.render.hosts.impact import Effects, EffectsText
from tui.render.question import Line, Question
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.confirm import Confirm
from tui.widgets.tones import paragraphs

BLINK_SECONDS = 0.15

WIDTH, WIDEST, BESIDE_LINES = 86, 0.94, 7
"""Width of a dialog at most, in columns and as a part of the screen's, and columns that are not its lines'."""


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """A change of hosts in thought: of which fleet, by which configuration, and the VM that room is counted in."""

    configuration: Configuration
    fleet: Fleet
    change: HostsChange
    request: Request

    @property
    def text(self) -> EffectsText:
        """How it is told."""
        wanted = set(self.change.hosts)
        changed = tuple(snapshot for snapshot in self.fleet.hosts if snapshot.name in wanted)
        return EffectsText(changed, self.change, self.request)


def work_out(outlook: ChangePreview, clock: Clock, control: Control) -> Iterator[Effects]:
    """Work out what a change would mean, the quickest first; what is known by then is told again with each part.

    Parts are told where the whole takes longer than a blink: to draw the dialog anew costs more than most of them.
    """
    from core.operations.hosts.impact import emptying, room_change, survival_change

    configuration, fleet, change = outlook.configuration, outlook.fleet, outlook.change
    told = clock.monotonic()
    effects = Effects(room=room_change(configuration, fleet, change, outlook.request))
    control.check()
    if clock.monotonic() - told >= BLINK_SECONDS:
        yield effects
        told = clock.monotonic()
    if change.state is HostState.ENABLED:
        effects = replace(effects, emptying=())
    else:
        plans = emptying(configuration, fleet, change, lambda: not control.cancel_asked.is_set())
        control.check()
        effects = replace(effects, emptying=plans, too_many=plans is None)
        if clock.monotonic() - told >= BLINK_SECONDS:
            yield effects
    yield replace(effects, survival=survival_change(configuration, fleet, change))


class ConfirmChange(Confirm, BackgroundWork):
    """Asks before hosts are changed; what is not worked out yet is told as such, and nothing waits for it."""

    BINDINGS: ClassVar = [
        Binding("pageup,up", "scroll(-4)", show=False),
        Binding("pagedown,down", "scroll(4)", show=False),
        Binding("m", "show_moves", show=False),
    ]
    CSS_PATH = "../dialogs/dialogs.tcss"  # Textual looks for it beside the class

    def __init__(self, question: Question, outlook: ChangePreview) -> None:
        super().__init__(question)
        self.effects = Effects()
        self._asked = question
        self._text = outlook.text
        self._outlook = outlook

    def compose(self) -> ComposeResult:
        """Lay out the question with what is not worked out yet."""
        self.question = replace(self._asked, lines=self._lines())
        yield from super().compose()

    def on_mount(self) -> None:
        """Begin to work it out, once the dialog is there."""
        self.call_after_refresh(self._ask)

    def _ask(self) -> None:
        work = partial(work_out, self._outlook, self.background.clock)
        self.background.ask_in_parts("effects", work, self._show_effects, lambda: None, self._fail)

    def on_resize(self) -> None:
        """Break the lines to the new width."""
        self._show()

    def _fail(self, error: RealmsError) -> None:
        self._show_effects(replace(self.effects, trouble=str(error)))

    def _show_effects(self, effects: Effects) -> None:
        self.effects = effects
        if self._has_moves:
            self.query_one(".dialog").border_subtitle = Content("m Show moves")
        self._show()

    @property
    def _has_moves(self) -> bool:
        """Whether there is one plan of moves to look at, and no name is being typed."""
        plans = self.effects.emptying or ()
        return not self.question.to_type and len(plans) == 1 and bool(plans[0].moves or plans[0].stuck)

    def action_show_moves(self) -> None:
        """Do nothing but show where each VM would go."""
        if self._has_moves:
            realms = self.realms
            self.dismiss(False)  # noqa: FBT003 - the answer
            realms.navigation.open_drain_plan(self._outlook.change.hosts[0])

    def _lines(self) -> tuple[Line, ...]:
        width = min(WIDTH, int(WIDEST * self.app.size.width)) - BESIDE_LINES
        return (*self._asked.lines, (), *self._text.lines(self.effects, width))

    def _show(self) -> None:
        lines = self._lines()
        if lines != self.question.lines:
            self.question = replace(self._asked, lines=lines)
            self.query_one(".told", VerticalScroll).query_one(Static).update(paragraphs(lines))

    def action_scroll(self, by: int) -> None:
        """Scroll what doesn't fit."""
        self.query_one(".told", VerticalScroll).scroll_relative(y=by, animate=False)
