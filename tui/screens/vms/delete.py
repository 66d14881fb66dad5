"""The deletion of VMs: what goes, what stays, and what speaks against it, before anything is done."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.errors import RealmsError
from core.fleet.fleet import VM
from core.operations.tasks.task import TaskView
from core.operations.vms.delete import Deletion
from core.operations.vms.queries import DeletionPreview, doomed
from core.text import one_line, printable
from tui.forms.fields import YES, FormField
from tui.render.cells import Piece, Tone
from tui.render.vms.actions import ACTIONS, VMAction
from tui.render.vms.deletion import deletion_lines, doubt_lines, why_not
from tui.render.vms.questions import title_of, vm_lines
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.dialog import FormDialog
from tui.widgets.fields import FieldRow
from tui.widgets.tones import paragraphs

_SHORT = 30
_FIELDS = (
    FormField(key="volumes", tick="delete the boot volume"),
    FormField(key="drives", tick="delete the drives and all user data on them"),
    FormField(key="snapshots", tick="delete the snapshots"),
)
_UNASKED = FormField(key="unasked", tick="also if it is unknown whether other VMs use them")


class DeleteVMs(FormDialog[Deletion | None], BackgroundWork):
    """Gives what is to go besides the definitions, None where nothing is. The volumes are asked for meanwhile."""

    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "../dialogs/forms.tcss"]

    def __init__(self, vms: Sequence[VM]) -> None:
        super().__init__()
        self.vms = tuple(vms)
        self.wish = Deletion()
        self.found: tuple[DeletionPreview, ...] | None = None
        """What the hosts told of the volumes; None until they have."""
        self._trouble = ""
        self._progress = "Loading volumes and snapshots."

    @property
    def to_type(self) -> str:
        """What must be typed before several VMs are deleted."""
        return f"{len(self.vms)} VMs" if len(self.vms) > 1 else ""

    def compose(self) -> ComposeResult:
        """Lay out the VMs, what may go with them, what that is, and the buttons."""
        with Vertical(classes="dialog destructive") as dialog:
            dialog.border_title = Content(printable(title_of("Delete", self.vms)))
            with VerticalScroll(classes="told", can_focus=False):
                yield Static(paragraphs(vm_lines(self.vms)))
            with Vertical(classes="fields"):
                for field in _FIELDS:
                    yield FieldRow(field, label_width=0)
            with VerticalScroll(classes="told found", can_focus=False):
                yield Static(id="found")
            with Vertical(id="unasked"):
                yield Static(id="silent")
                yield FieldRow(_UNASKED, label_width=0)
            yield Static(paragraphs([((ACTIONS[VMAction.DELETE].told, Tone.MUTED),)]), classes="asked")
            if self.to_type:
                asked = Content.assemble("Type ", (printable(self.to_type), "bold"), " to confirm:")
                yield Static(asked, classes="asked")
                yield Input(id="typed", select_on_focus=False)
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Delete", id="do", compact=True)

    def on_mount(self) -> None:
        """Ask for the volumes; begin where a hasty Enter does no harm."""
        realms = self.realms
        names = [f"{vm.host}/{vm.uuid}" for vm in self.vms]
        self.background.ask("volumes", doomed(realms.session, names), self._learn, self._fail, self._tell_progress)
        self.query_one("#cancel").focus()
        self._show()

    def on_resize(self, event: events.Resize) -> None:
        """Leave room for the buttons on a small terminal."""
        self.set_class(event.size.height < _SHORT, "-short")

    def _learn(self, found: tuple[DeletionPreview, ...]) -> None:
        self.found = found
        self._show()

    def _fail(self, error: RealmsError) -> None:
        self._trouble = str(error)
        self._show()

    def _tell_progress(self, view: TaskView) -> None:
        step = view.steps[-1] if view.steps else None
        if step is not None:
            self._progress = f"{step.host}: {step.what}" if step.host else step.what
            self._show()

    @on(FieldRow.Changed)
    def take_over(self) -> None:
        """Show what goes now."""
        ticked = {row.field.key: row.value == YES for row in self.query(FieldRow)}
        self.wish = Deletion(**ticked)
        self._show()

    @on(Input.Changed)
    def compare(self) -> None:
        """Let the button work once exactly the right words are typed."""
        self._show()

    @on(Input.Submitted)
    def submit(self) -> None:
        """Delete on Enter, where the words are right."""
        if not self.query_one("#do", Button).disabled:
            self.dismiss(self.wish)

    def _show(self) -> None:
        self.query_one("#found", Static).update(paragraphs(self._lines()))
        silent = doubt_lines(self.found or (), self.wish)
        self.query_one("#silent", Static).update(paragraphs(silent))
        self.query_one("#unasked").display = bool(silent)
        self.set_class(bool(silent), "-unasked")
        self.set_class(bool(self.to_type), "-many")
        self.query_one("#do", Button).disabled = bool(self._why_not())

    def _lines(self) -> list[tuple[Piece, ...]]:
        if self.found is not None:
            return deletion_lines(self.found, self.wish)
        if self._trouble:
            told = f"Volumes unknown, all are kept: {one_line(self._trouble)}"
            return [((told, Tone.WARN),)]
        return [((one_line(self._progress), Tone.MUTED),)]

    def _why_not(self) -> str:
        if self.to_type and self.query_one("#typed", Input).value.strip() != self.to_type:
            return "something has to be typed"
        if not self.wish.takes_anything:
            return ""
        return "the volumes are not known" if self.found is None else why_not(self.found, self.wish)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        self.dismiss(self.wish if event.button.id == "do" else None)
