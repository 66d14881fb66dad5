"""A list of something that belongs to one VM, asked of its host, and what can be done with each entry."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from core.errors import RealmsError
from core.fleet.fleet import VM
from core.operations.session import Session
from core.operations.tasks.task import Control, TaskView
from core.text import one_line, printable
from tui.render.cells import Piece, Tone
from tui.render.rows import Column
from tui.render.vms.questions import vm_lines
from tui.screens.background import BackgroundWork
from tui.widgets.grid import Grid
from tui.widgets.modal import Modal
from tui.widgets.tones import paragraphs

RunOn = Callable[[str, "Sequence[VM]", "Callable[[Control], str]"], None]
"""Starts a task about VMs: its verb, the VMs, and the job."""


class VMListing(Modal[None], BackgroundWork):
    """Subclasses give what is asked, how it is shown, and the buttons: each an action's name, and words."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Close"), Binding("f5", "ask", "Reload")]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "../dialogs/forms.tcss"]
    BUTTONS: ClassVar[tuple[tuple[str, str], ...]] = ()
    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    title_words: ClassVar[str] = ""
    empty: ClassVar[str] = ""

    def __init__(self, run_on: RunOn, vm: VM) -> None:
        super().__init__()
        self.run_on = run_on
        self.vm = vm

    @property
    def session(self) -> Session:
        """What is worked on."""
        return self.realms.session

    @property
    def vm_name(self) -> str:
        """The VM as jobs name it: HOST/UUID."""
        return f"{self.vm.host}/{self.vm.uuid}"

    def compose(self) -> ComposeResult:
        """Lay out the VM, the list, a remark and the buttons."""
        with Vertical(classes="dialog listing") as dialog:
            dialog.border_title = Content(printable(f"{self.title_words} of {self.vm.name} on {self.vm.host}"))
            dialog.border_subtitle = Content("F5 reload, Esc close")
            if not self.vm.managed:
                yield Static(paragraphs(vm_lines([self.vm])), classes="remark")
            yield Grid(self.COLUMNS, heading="", empty=self.empty, id="listed")
            yield Static(classes="remark", id="remark")
            with Horizontal(classes="buttons"):
                for action, words in self.BUTTONS:
                    yield Button(Content(words), id=action, compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Ask the host."""
        self.query_one(Grid).focus()
        self._ask()

    # What subclasses give ------------------------------------------------------------------------------------------

    def question(self) -> Callable[[Control], Any]:
        """Return the job that asks."""
        raise NotImplementedError

    def show(self, found: Any) -> None:
        """Show what was found."""
        raise NotImplementedError

    # Asking --------------------------------------------------------------------------------------------------------

    def action_ask(self) -> None:
        """Ask the host again."""
        if self.is_attached:  # a task may have ended after the list was closed
            self._ask()

    def _ask(self) -> None:
        self.remark([((f"Asking {self.vm.host}\N{HORIZONTAL ELLIPSIS}", Tone.MUTED),)])
        self.background.ask("list", self.question(), self._learn, self._fail)

    def ask_more(self, key: str, job: Callable[[Control], Any], then: Callable[[Any], None]) -> None:
        """Ask something else; what can't be found out becomes a remark."""
        self.background.ask(
            key, job, then, lambda error: self.remark([((one_line(str(error)), Tone.WARN),)]), self._tell
        )

    def _tell(self, view: TaskView) -> None:
        if view.steps:
            self.remark([((f"{one_line(view.steps[-1].what)}\N{HORIZONTAL ELLIPSIS}", Tone.MUTED),)])

    def _learn(self, found: object) -> None:
        self.remark(())
        self.show(found)

    def _fail(self, error: RealmsError) -> None:
        self.remark(())
        self.query_one(Grid).fail(one_line(str(error)))

    def remark(self, lines: Iterable[Sequence[Piece]]) -> None:
        """Say something below the list."""
        self.query_one("#remark", Static).update(paragraphs(lines))

    # Acting --------------------------------------------------------------------------------------------------------

    def run(self, what: str, job: Callable[[Control], str], *, stay: bool = False) -> None:
        """Start a task about the VM; the list closes, or stays and is asked for again when the task has ended."""
        if not stay:
            self.run_on(what, [self.vm], job)
            self.dismiss(None)
            return
        realms = self.realms

        def ended(told: str) -> None:
            realms.tell(told)
            self.action_ask()

        realms.run_task(what, f"{self.vm.host}/{self.vm.name}", job, ended)

    @on(Button.Pressed)
    async def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        if event.button.id == "close":
            self.dismiss(None)
        else:
            await self.run_action(str(event.button.id))

    def action_leave(self) -> None:
        """Lift the filter, then close."""
        if not self.query_one(Grid).clear():
            self.dismiss(None)
