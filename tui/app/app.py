"""The full-screen application: areas, the ticker that brings the newest fleet to the screen in front, and the end."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, ClassVar, TypeVar
from weakref import WeakSet

from textual.binding import Binding

from core.operations.tasks.task import Progress
from core.placement.engine.request import Request
from core.text import one_line
from tui.app.areas import AREAS
from tui.app.keys import KEYS
from tui.app.navigation import Navigator
from tui.app.task_watch import StartedTasks
from tui.commands import Command, bindings
from tui.jobs.registry import carry_out
from tui.messages import Changed, Failure, Terminated
from tui.render.ages import shown_ages
from tui.render.costs.headroom import Headroom
from tui.render.summary import summary
from tui.render.tasks.table import running_summary, task_title
from tui.screens.area import AreaScreen, Following
from tui.screens.background import BackgroundWork
from tui.state.checkups import Checkups
from tui.state.cpu_history import CpuHistory
from tui.state.pool_cache import PoolCache
from tui.state.settings import Settings, default_path
from tui.terminal.lifeline import ExitGuard, terminal_is_gone
from tui.terminal.shell import Shell, terminal_colors
from tui.terminal.theme import THEME_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.notifications import SeverityLevel

    from core.errors import RealmsError
    from core.fleet.fleet import Fleet
    from core.operations.session import Session
    from core.operations.tasks.task import Control, TaskView
    from tui.context import AppContext, Waiting
    from tui.jobs.registry import Step

T = TypeVar("T")

TICK_SECONDS = 0.25
MOST_WARNINGS = 3
"""Warnings of one task that are shown as messages; its details have all."""
RETRY_SECONDS = 1.0
"""How long to wait before a registry that can't be read is tried again."""


class RealmsApp(Shell[int], BackgroundWork):
    """The application on one session. Time, hosts and settings are what it is given."""

    MODES: ClassVar = {area.id: area.build for area in AREAS}
    DEFAULT_MODE = AREAS[0].id
    BINDINGS: ClassVar = [*bindings(KEYS), Binding("ctrl+q", "quit", "Quit", show=False, priority=True)]

    def __init__(
        self,
        session: Session,
        settings: Settings | None = None,
        *,
        lifeline: ExitGuard | None = None,
        colors: int | None = None,
    ) -> None:
        self.settings = settings or Settings()
        super().__init__(self.settings.theme, colors=colors, lifeline=lifeline)
        self.session = session
        self.navigation = Navigator(self, self.action_area)
        self.backgrounds: WeakSet[Waiting] = WeakSet()
        """What its screens, and parts of them, work on in the background."""
        self.fleet: Fleet | None = None
        """The fleet as shown; None until the first look at it."""
        self.trouble = ""
        """Why there is no fleet; empty where there is one, or soon will be."""
        self._has_hosts = False
        """Whether the registry, or the saved fleet, has been read."""
        self._warned = ""
        self.cpu_history = CpuHistory()
        self.checkups = Checkups(session.clock)
        self.pool_sight = PoolCache(session.clock)
        self.request = Request(4, 8 * 1024**3)
        """The VM that headroom is counted in: what was asked for last."""
        self._headroom = Headroom(session.clock)
        self._seen: tuple[object, ...] = ()
        self._changing = 0
        self._ongoing = StartedTasks(session.tasks)
        self._tasks_seen: tuple[int, int] = (0, 0)
        self._leaving = False
        """Whether the end of running tasks is waited for, to quit then."""

    # Start and end -------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start to look at the hosts."""
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.set_interval(TICK_SECONDS, self.tick)
        if self.lifeline is not None:
            self.set_interval(1.0, self._check_terminal)
        if self.session.is_live:
            self._look_for_hosts()
        else:
            self._show_hosts()

    def on_ready(self) -> None:
        """Collect garbage from now on, where the start has kept that for later."""
        gc.enable()

    def _look_for_hosts(self) -> None:
        self.background.ask(
            "registry", lambda _: self.session.connect(), lambda _: self._show_hosts(), self._wait_for_registry
        )

    def _wait_for_registry(self, error: RealmsError) -> None:
        """Say why there are no hosts, and try again."""
        self.trouble = str(error)
        if isinstance(self.screen, AreaScreen):
            self.screen.show_trouble(self.trouble)
        self.set_timer(RETRY_SECONDS, self._look_for_hosts)

    def _show_hosts(self) -> None:
        self.trouble = ""
        self._has_hosts = True
        for found in self.session.exposures():
            self.tell(found.what, "warning", hint=found.mend)
        self.tick()

    def _check_terminal(self) -> None:
        if terminal_is_gone():
            self.post_message(Terminated(129))

    def end_by_signal(self, code: int) -> None:
        """Ask for the end; may be called from a signal handler."""
        self.post_message(Terminated(code))

    def on_terminated(self, message: Terminated) -> None:
        """End as a signal asks for."""
        self.exit(message.code, return_code=message.code)

    @property
    def changes_pending(self) -> bool:
        """Whether a change is being written."""
        return self._changing > 0

    async def action_quit(self) -> None:
        """Quit; asks where tasks run. A change that is being written is waited for, a moment at most."""
        running = self.session.tasks.running()
        if running:
            self._ask_to_quit(running)
            return
        if self.changes_pending:
            self.tell("Writing the pending change; quitting afterwards.")
            self.set_timer(0.5, lambda: self.exit(0))
            return
        self.exit(0)

    def _ask_to_quit(self, running: Sequence[TaskView]) -> None:
        from tui.render.tasks.questions import ask_quit
        from tui.screens.dialogs.confirm import Confirm

        if isinstance(self.screen, Confirm):
            return
        again = self._leaving

        def answered(wanted: bool | None) -> None:
            if not wanted:
                self._leaving = False
            elif again:
                self.exit(0)
            else:
                self._leaving = True
                for view in self.session.tasks.running():
                    self.session.tasks.cancel(view.id)

        self.push_screen(Confirm(ask_quit(running, again=again)), answered)

    async def action_leave_or_quit(self) -> None:
        """Quit from an area, go back from elsewhere."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            await self.action_quit()

    def outstanding(self) -> int:
        """Return how many answers its screens still wait for, those behind others and changes of the registry too."""
        return sum(background.outstanding for background in self.backgrounds)

    def unsettled(self) -> dict[str, int]:
        """Count what is under way, by kind; empty where what is shown only changes by a key, a host or the clock."""
        counts = {
            "answers": self.outstanding(),
            "changes": self._changing,
            "tasks": self._ongoing.count + len(self.session.tasks.running()),
            "figures": int(self._has_hosts and not self._seen),
        }
        return {kind: count for kind, count in counts.items() if count}

    # What is shown -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Bring the newest fleet to the screen in front, where anything changed. Called four times a second."""
        if not (self.is_running and self.screen_stack) or self._terminal_is_behind():  # closing, or too slow to read
            return
        self._tick_tasks()
        self._tick_warning()
        if not self._has_hosts:
            return
        session = self.session
        generation = session.generation
        fleet = session.fleet()
        seen = (generation, shown_ages(fleet, session.configuration.realms))
        if seen == self._seen:
            return
        self._seen = seen
        self.cpu_history.add(fleet)
        self.fleet = fleet
        self.show()

    def _tick_warning(self) -> None:
        """Bring a warning that is new, or gone, also to the screens behind a dialog."""
        if self.warning != self._warned:
            self._warned = self.warning
            for screen in self.screen_stack:
                if isinstance(screen, AreaScreen) and screen.is_mounted:
                    screen.show_lines()

    def _tick_tasks(self) -> None:
        """Bring tasks that changed to the screen in front, and tell how those ended that were started here."""
        session = self.session
        running = session.tasks.running()
        second = int(session.clock.now()) if running and self.current_mode == "tasks" else 0
        seen = (session.tasks.generation, second)
        screen = self.screen
        if seen != self._tasks_seen and isinstance(screen, Following) and screen.is_mounted:
            self._tasks_seen = seen
            if isinstance(screen, AreaScreen):
                screen.show_lines()
            screen.show_tasks(session.tasks.views())
        for started in self._ongoing.ended():
            view = started.task.view
            for warning in view.warnings[:MOST_WARNINGS]:
                self.tell(one_line(f"{task_title(view)}: {warning}"), "warning")
            if len(view.warnings) > MOST_WARNINGS:
                self.tell(f"{len(view.warnings) - MOST_WARNINGS} more warnings: see Tasks", "warning")
            if view.progress is Progress.DONE:
                started.then(started.task.outcome.result())
            else:
                severity: SeverityLevel = "warning" if view.progress is Progress.CANCELLED else "error"
                told = f"{task_title(view)}: {view.progress.value}: {view.error}"
                self.tell(one_line(told), severity, hint=one_line(view.hint))
        if self._leaving and not session.tasks.running():
            self._leaving = False
            self.exit(0)

    def show(self) -> None:
        """Let the screen in front show the fleet; one behind it catches up when it comes to the front."""
        screen = self.screen
        if isinstance(screen, Following) and screen.is_mounted and self.fleet is not None:
            if isinstance(screen, AreaScreen):
                screen.show_lines()
            screen.show_fleet(self.fleet)

    def _terminal_is_behind(self) -> bool:
        """Whether the terminal still has frames to read: drawing more would only make the screen lag."""
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and not writer._queue.empty()

    @property
    def place(self) -> tuple[str, ...]:
        """The outermost words of the line above: the realm, or how many there are."""
        realms = self.session.configuration.realms
        name = next(iter(realms)) if len(realms) == 1 else f"{len(realms)} realms"
        area = next((area.title for area in AREAS if area.id == self.current_mode), "")
        return (name, area)

    @property
    def warning(self) -> str:
        """Why the registry can't be read now, and how to mend it; empty while it can."""
        return self.trouble or self.session.registry_error

    def summary(self) -> tuple[tuple[str, str], ...]:
        """Return what the figures are about, for the right end of the line above."""
        session = self.session
        label = session.label if session.label != "live" else ""
        if not label and not session.is_writable:
            label = "read-only"
        return summary(self.fleet, label, running_summary(session.tasks.running()))

    @property
    def app_commands(self) -> Sequence[Command]:
        """What can be done in every area."""
        return KEYS

    # Commands ------------------------------------------------------------------------------------------------------

    def action_area(self, area: str) -> None:
        """Go to an area, to its top."""
        if self.current_mode != area:
            self.switch_mode(area)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_help(self) -> None:
        """Show the keys of this view."""
        from tui.screens.dialogs.key_help import KeysScreen

        self.push_screen(KeysScreen(self.screen))

    def action_go_to(self) -> None:
        """Ask for a name and go there."""
        from tui.app.palette import open_go_to

        open_go_to(self)

    def action_command_palette(self) -> None:
        """Offer every command, host and VM."""
        from tui.app.palette import open_palette

        open_palette(self)

    def action_next_theme(self) -> None:
        """Use the next theme, and remember it."""
        names = list(THEME_NAMES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.settings.theme = self.theme
        self.settings.save()
        self.tell(f"Theme: {THEME_NAMES[self.theme]}")

    def action_redraw(self) -> None:
        """Draw everything again."""
        self.refresh(layout=True)

    def fits(self, fleet: Fleet) -> Mapping[str, int]:
        """Return how many more VMs of the current request each host takes, as far as that is counted."""
        fits = self._headroom.step(fleet, self.session.configuration, self.request)
        if not self._headroom.complete:
            self._seen = ()  # the next tick goes on counting
        return fits

    def change(self, what: str, steps: Sequence[Step]) -> None:
        """Change the registry off this thread; Changed brings the outcome to the screen in front, then here."""
        self._changing += 1
        screen = self.screen

        def tell(changed: Changed) -> None:
            if not screen.is_running or not screen.post_message(changed):
                self.post_message(changed)

        def fail(error: RealmsError) -> None:
            tell(Changed(what, (), (Failure(what, error),)))

        self.background.ask(object(), lambda _: carry_out(what, steps), tell, fail)

    def run_task(
        self, what: str, target: str, job: Callable[[Control], T], then: Callable[[T], None] | None = None
    ) -> int:
        """Start a task off this thread and give its number; `then` gets what came of it, else that is shown.

        Failures are shown.
        """
        number = self._ongoing.run(what, target, job, then or (lambda outcome: self.tell(str(outcome))))
        self.tick()
        return number

    def task_view(self, number: object) -> TaskView | None:
        """Return a task as it stands now; None where there is no such task."""
        return next((view for view in self.session.tasks.views() if view.id == number), None)

    def cancel_tasks(self, views: Sequence[TaskView]) -> None:
        """Ask, then tell tasks to end; those that have ended are left out."""
        from tui.render.tasks.questions import ask_cancel
        from tui.screens.dialogs.confirm import Confirm

        running = [view for view in views if view.is_running]
        if not running:
            self.tell("That task has already ended." if len(views) == 1 else "These tasks have already ended.")
            return

        def answered(wanted: bool | None) -> None:
            for view in running if wanted else ():
                self.session.tasks.cancel(view.id)

        self.push_screen(Confirm(ask_cancel(running)), answered)

    def on_changed(self, message: Changed) -> None:
        """Tell the outcome of a change that no form waited for."""
        self._changing = max(0, self._changing - 1)
        for failure in () if message.reported else message.failures:
            error = failure.error
            self.tell(f"{failure.host}: {error.message}", "error", hint=error.hint)
        for warning in message.warnings:
            self.tell(warning, "warning")
        if message.done:
            self.tell(message.what)
        self.tick()


if TYPE_CHECKING:
    _CONTEXT: type[AppContext] = RealmsApp  # what its screens take it for


def run(session: Session) -> int:
    """Run the application until it is left, and give its exit code.

    The process must end soon after: a timer ends it under threads that hang. Raises what nobody foresaw.
    """
    lifeline = ExitGuard()
    app = RealmsApp(session, Settings.load(default_path()), lifeline=lifeline, colors=terminal_colors())
    with lifeline.signals(app.end_by_signal):
        app.run()
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
