"""The question before hosts are changed, with what that would mean: worked out in a thread while one reads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.errors import RealmsError
from core.hosts import HostState
from tui.render.host_effects import Effects, EffectsText
from tui.screens.confirm import Confirm
from tui.widgets.tones import paragraphs

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.message_pump import MessagePump

    from core.clock import Clock
    from core.config.model import Configuration
    from core.fleet import Fleet
    from core.operations.host_effects import HostsChange
    from core.placement.request import Request
    from tui.app import RealmsApp
    from tui.render.host_changes import Line, Question


BLINK_SECONDS = 0.15

WIDTH, WIDEST, BESIDE_LINES = 86, 0.94, 7
"""Width of a dialog at most, in columns and as a part of the screen's, and columns that are not its lines'."""


@dataclass(frozen=True, slots=True)
class Outlook:
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


class WorkedOut(Message):
    """A thread knows more of what a change would mean."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self.effects = effects


def start_working_out(outlook: Outlook, clock: Clock, gone: threading.Event, reply_to: MessagePump) -> None:
    """Work out what a change would mean, the quickest first, in a daemon thread; it ends once the asker is gone.

    Parts are told where the whole takes longer than a blink: to draw the dialog anew costs more than most of them.
    """

    def work() -> None:
        from core.operations.host_effects import emptying, room_change, survival_change

        configuration, fleet, change = outlook.configuration, outlook.fleet, outlook.change
        effects = Effects()
        told = clock.monotonic()

        def tell_part() -> None:
            nonlocal told
            if clock.monotonic() - told >= BLINK_SECONDS:
                reply_to.post_message(WorkedOut(effects))
                told = clock.monotonic()

        try:
            effects = replace(effects, room=room_change(configuration, fleet, change, outlook.request))
            tell_part()
            if gone.is_set():
                return
            if change.state is HostState.ENABLED:
                effects = replace(effects, emptying=())
            else:
                plans = emptying(configuration, fleet, change, lambda: not gone.is_set())
                effects = replace(effects, emptying=plans, too_many=plans is None)
                tell_part()
            if gone.is_set():
                return
            effects = replace(effects, survival=survival_change(configuration, fleet, change))
        except RealmsError as error:
            effects = replace(effects, trouble=str(error))
        reply_to.post_message(WorkedOut(effects))

    threading.Thread(target=work, name="effects of a change", daemon=True).start()


class ConfirmChange(Confirm):
    """Asks before hosts are changed; what is not worked out yet is told as such, and nothing waits for it."""

    BINDINGS: ClassVar = [
        Binding("pageup,up", "scroll(-4)", show=False),
        Binding("pagedown,down", "scroll(4)", show=False),
        Binding("m", "show_moves", show=False),
    ]

    def __init__(self, question: Question, outlook: Outlook) -> None:
        super().__init__(question)
        self.effects = Effects()
        self._asked = question
        self._text = outlook.text
        self._outlook = outlook
        self._gone = threading.Event()

    def compose(self) -> ComposeResult:
        """Lay out the question with what is not worked out yet."""
        self.question = replace(self._asked, lines=self._lines())
        yield from super().compose()

    def on_mount(self) -> None:
        """Begin to work it out, once the dialog is there."""
        clock = cast("RealmsApp", self.app).workplace.clock
        self.call_after_refresh(start_working_out, self._outlook, clock, self._gone, self)

    def on_unmount(self) -> None:
        """Nobody waits for it any more."""
        self._gone.set()

    def on_resize(self) -> None:
        """Break the lines to the new width."""
        self._show()

    def on_worked_out(self, message: WorkedOut) -> None:
        """Show what is known by now."""
        self.effects = message.effects
        if self._has_moves:
            self.query_one(".dialog").border_subtitle = Content("m cancels and shows each move")
        self._show()

    @property
    def _has_moves(self) -> bool:
        """Whether there is one plan of moves to look at, and no name is being typed."""
        plans = self.effects.emptying or ()
        return not self.question.to_type and len(plans) == 1 and bool(plans[0].moves or plans[0].stuck)

    def action_show_moves(self) -> None:
        """Do nothing but show where each VM would go."""
        if self._has_moves:
            from tui.screens.plans import open_drain_plan

            app = cast("RealmsApp", self.app)
            self.dismiss(False)  # noqa: FBT003 - the answer
            open_drain_plan(app, self._outlook.change.hosts[0])

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
