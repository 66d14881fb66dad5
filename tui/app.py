"""The full-screen application: areas, the ticker that brings the newest fleet to the screen in front, and the end."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding

from core.errors import RealmsError
from core.text import printable
from tui.areas import AREAS
from tui.commands import Command, bindings
from tui.lifeline import Lifeline, terminal_is_gone
from tui.messages import Changed, Failure, Terminated
from tui.render.ages import shown_ages
from tui.render.cpu_history import CpuHistory
from tui.render.summary import summary
from tui.sanitize import PrintableOnly
from tui.settings import Settings, default_path
from tui.theme import THEME_NAMES, THEMES, VARIABLE_DEFAULTS, theme_for
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.filter import LineFilter

    from core.fleet import Fleet, VMKey
    from core.operations.workplace import Workplace
    from tui.widgets.rows import Column, RowKey

TICK_SECONDS = 0.25

KEYS = (
    *(Command(area.key, f"area('{area.id}')", area.title, area.help) for area in AREAS),
    Command("colon", "go_to", "Go to", "Go to an area, a host or a VM by its name.", footer=True),
    Command("ctrl+p", "command_palette", "Palette", "Find any command, host or VM.", palette=False),
    Command("question_mark", "help", "Keys", "Show the keys of this view.", footer=True),
    Command("ctrl+t", "next_theme", "Theme", "Use the next theme: dark, light, the terminal's 16 colours."),
    Command("ctrl+l", "redraw", "Redraw", "Draw the whole screen again."),
    Command("ctrl+z", "suspend_process", "Suspend", "Stop the program in the background; `fg` brings it back."),
    Command("q", "leave_or_quit", "Quit", "Quit from an area; elsewhere go back.", footer=True),
)


class RealmsApp(App[int]):
    """The application on one workplace. Time, hosts and settings are what it is given."""

    TITLE = "Libvirt Realms"
    CSS_PATH = "base.tcss"
    MODES: ClassVar = {area.id: area.build for area in AREAS}
    DEFAULT_MODE = AREAS[0].id
    BINDINGS: ClassVar = [*bindings(KEYS), Binding("ctrl+q", "quit", "Quit", show=False, priority=True)]
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        workplace: Workplace,
        settings: Settings | None = None,
        *,
        lifeline: Lifeline | None = None,
        colors: int | None = None,
    ) -> None:
        super().__init__()
        self.workplace = workplace
        self.settings = settings or Settings()
        self.fleet: Fleet | None = None
        """The fleet as shown; None until the first look at it."""
        self.cpu_history = CpuHistory()
        self.failure: BaseException | None = None
        """An error that nobody foresaw; `run` raises it once the terminal is restored."""
        self._lifeline = lifeline
        self._colors = colors
        self._seen: tuple[object, ...] = ()
        self._changing = 0
        self._sanitizer = PrintableOnly()
        for theme in THEMES:
            self.register_theme(theme)

    # Start and end -------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start to look at the hosts."""
        self.theme = theme_for(self.settings.theme, self._colors)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self.workplace.is_live:
            threading.Thread(target=self._connect, name="first look", daemon=True).start()
        else:
            self._start_ticking()

    def _connect(self) -> None:
        try:
            self.workplace.connect()
        except RealmsError as error:
            self.call_later(self.tell, str(error), "error")
            return
        self.call_later(self._start_ticking)

    def _start_ticking(self) -> None:
        self.tick()
        self.set_interval(TICK_SECONDS, self.tick)
        if self._lifeline is not None:
            self.set_interval(1.0, self._check_terminal)

    def _check_terminal(self) -> None:
        if terminal_is_gone():
            self.post_message(Terminated(129))

    def end_by_signal(self, code: int) -> None:
        """Ask for the end; may be called from a signal handler."""
        self.post_message(Terminated(code))

    def on_terminated(self, message: Terminated) -> None:
        """End as a signal asks for."""
        self.exit(message.code, return_code=message.code)

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        """Leave, at the latest when the last resort strikes."""
        if self._lifeline is not None:
            self._lifeline.arm(return_code)
        super().exit(result, return_code, message)

    async def action_quit(self) -> None:
        """Quit; a change that is being written is waited for, a moment at most."""
        if self._changing:
            self.tell("Finishing the change that is being written.")
            self.set_timer(0.5, lambda: self.exit(0))
            return
        self.exit(0)

    async def action_leave_or_quit(self) -> None:
        """Quit from an area, go back from elsewhere."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            await self.action_quit()

    def _handle_exception(self, error: Exception) -> None:
        self.failure = error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own traceback prints local variables, and with them whatever secrets they hold.
        self._close_messages_no_wait()

    # What is shown -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Bring the newest fleet to the screen in front, where anything changed. Called four times a second."""
        if self._terminal_is_behind():
            return
        workplace = self.workplace
        generation = workplace.generation
        fleet = workplace.fleet()
        seen = (generation, shown_ages(fleet, workplace.configuration.realms))
        if seen == self._seen:
            return
        if not self._seen or generation != self._seen[0]:
            self.cpu_history.add(fleet)
        self._seen = seen
        self.fleet = fleet
        self.show()

    def show(self) -> None:
        """Let the screen in front show the fleet; one behind it catches up when it comes to the front."""
        from tui.screens.area import AreaScreen

        screen = self.screen
        if isinstance(screen, AreaScreen) and screen.is_mounted and self.fleet is not None:
            screen.show_lines()
            screen.show_fleet(self.fleet)

    def _terminal_is_behind(self) -> bool:
        """Whether the terminal still has frames to read: drawing more would only make the screen lag."""
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and not writer._queue.empty()

    @property
    def place(self) -> tuple[str, ...]:
        """The outermost words of the line above: the realm, or how many there are."""
        realms = self.workplace.configuration.realms
        name = next(iter(realms)) if len(realms) == 1 else f"{len(realms)} realms"
        area = next((area.title for area in AREAS if area.id == self.current_mode), "")
        return (name, area)

    def summary(self) -> tuple[tuple[str, str], ...]:
        """Say what the figures are about, for the right end of the line above."""
        workplace = self.workplace
        label = workplace.label if workplace.label != "live" else ""
        if not label and not workplace.can_change:
            label = "read-only"
        return summary(self.fleet, label)

    def footer_commands(self) -> list[Command]:
        """Commands that the line below shows in every area."""
        return [command for command in KEYS if command.footer]

    def tell(self, text: str, severity: str = "information") -> None:
        """Show a short message; the only way to, as it is never read as markup."""
        self.notify(printable(text), severity=severity, markup=False)  # type: ignore[arg-type]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Let nothing reach the terminal that could act on it, whichever widget drew it."""
        return [*super().get_line_filters(), self._sanitizer]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give Textual's own themes the variables that ours define."""
        return VARIABLE_DEFAULTS

    # Commands ------------------------------------------------------------------------------------------------------

    def action_area(self, area: str) -> None:
        """Go to an area, to its top."""
        if self.current_mode != area:
            self.switch_mode(area)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_help(self) -> None:
        """Show the keys of this view."""
        from tui.screens.keys import KeysScreen

        self.push_screen(KeysScreen(self.screen))

    def action_go_to(self) -> None:
        """Ask for a name and go there."""
        from tui.providers import open_go_to

        open_go_to(self)

    def action_command_palette(self) -> None:
        """Offer every command, host and VM."""
        from tui.providers import open_palette

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

    def grid(self, columns: Sequence[Column], name: str, *, heading: str, empty: str) -> Grid:
        """Make a table that is sorted and as wide as the user left it; `name` is its id, and what it is kept by."""
        sort, wide = self.settings.sorts.get(name), name in self.settings.wide
        return Grid(columns, heading=heading, empty=empty, sort=sort, wide=wide, id=name)

    def on_grid_arranged(self, message: Grid.Arranged) -> None:
        """Remember how the user arranged a table."""
        grid = message.grid
        if grid.id is None:
            return
        if grid.model.sort is not None:
            self.settings.sorts[grid.id] = grid.model.sort
        (self.settings.wide.add if grid.wide else self.settings.wide.discard)(grid.id)
        self.settings.save()

    def fits(self) -> Mapping[str, int | None] | None:
        """Tell how many more VMs of the current request each host takes; None where there is no request."""
        return None

    def go_to_host(self, name: str) -> None:
        """Show a host in its area."""
        self._visit("hosts", name)

    def go_to_vm(self, key: VMKey) -> None:
        """Show a VM in its area."""
        self._visit("vms", key)

    def _visit(self, area: str, key: RowKey) -> None:
        from tui.screens.area import AreaScreen

        def go() -> None:
            if isinstance(self.screen, AreaScreen):
                self.screen.go_to_row(key)

        self.action_area(area)
        self.call_after_refresh(go)

    def change(self, what: str, steps: Sequence[tuple[str, Callable[[], object]]]) -> None:
        """Change the registry off this thread: it takes a lock and waits for the disk. Changed tells the outcome.

        `steps` are (host, what to do); one that fails does not stop the others.
        """
        self._changing += 1
        screen = self.screen

        def work() -> None:
            done: list[str] = []
            failures: list[Failure] = []
            warnings: list[str] = []
            for host, step in steps:
                try:
                    outcome = step()
                except RealmsError as error:
                    failures.append(Failure(host, error))
                except OSError as error:
                    failures.append(Failure(host, RealmsError(f"the registry can't be written: {error}")))
                else:
                    done.append(host)
                    warnings += outcome if isinstance(outcome, tuple) else ()
            changed = Changed(what, tuple(done), tuple(failures), tuple(warnings))
            target = screen if screen.is_attached else self
            target.post_message(changed)

        threading.Thread(target=work, name="change", daemon=True).start()

    def on_changed(self, message: Changed) -> None:
        """Tell the outcome of a change that no form waited for."""
        self._changing = max(0, self._changing - 1)
        for failure in () if message.reported else message.failures:
            error = failure.error
            self.tell(f"{failure.host}: {error.message}" + (f"\n{error.hint}" if error.hint else ""), "error")
        for warning in message.warnings:
            self.tell(warning, "warning")
        if message.done:
            self.tell(message.what)
        self.tick()


def run(workplace: Workplace) -> int:
    """Run the application until it is left, and give its exit code.

    The process must end soon after: a timer ends it under threads that hang. Raises what nobody foresaw.
    """
    lifeline = Lifeline()
    app = RealmsApp(workplace, Settings.load(default_path()), lifeline=lifeline, colors=_terminal_colors())
    with lifeline.signals(app.end_by_signal):
        app.run()
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0


def _terminal_colors() -> int | None:
    """Tell how many colours the terminal has where it says that it has few; None otherwise."""
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return None
    term = os.environ.get("TERM", "")
    if "256color" in term or "direct" in term:
        return None
    few = ("linux", "vt100", "vt220", "ansi", "xterm", "xterm-16color", "screen", "tmux", "rxvt")
    return 16 if term in few else None
