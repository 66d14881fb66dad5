"""Forms of a brick to be uploaded and of a drive to be created."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from core.errors import RealmsError, UsageError
from core.operations.storage.image_file import ImageFile
from core.realms import DriveSettings
from core.text import one_line
from core.units import NotAQuantity, parse_size, show_size
from tui.forms.fields import FormField
from tui.render.cells import Piece, Tone
from tui.screens.background import BackgroundWork
from tui.widgets.fields import FieldRow
from tui.widgets.modal import Modal
from tui.widgets.tones import paragraphs

T = TypeVar("T")


class ImageForm(Modal[T | None]):
    """A small form. Subclasses give its heading, its fields, what is wrong with them, and what comes of it."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("ctrl+s", "go", "Go"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "pools.tcss"]
    heading: ClassVar[str] = ""
    verb: ClassVar[str] = ""

    def form_fields(self) -> Iterator[FormField]:
        """Return the fields."""
        yield from ()

    def compose(self) -> ComposeResult:
        """Lay out the fields and the buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self.heading)
            for field in self.form_fields():
                yield FieldRow(field)
            yield Static(id="told")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self.verb, id="do", compact=True)

    def on_mount(self) -> None:
        """Begin at the first field."""
        self.query(FieldRow).first().edit()

    def row(self, key: str) -> FieldRow:
        """Return a field."""
        return self.query_one(f"#field-{key}", FieldRow)

    def value(self, key: str) -> str:
        """Return what stands in a field."""
        return self.row(key).value.strip()

    def tell(self, *lines: tuple[Piece, ...]) -> None:
        """Say something below the fields."""
        self.query_one("#told", Static).update(paragraphs(lines))

    def faults(self) -> dict[str, str]:
        """Return what is wrong, by field."""
        return {}

    @on(FieldRow.Changed)
    def _check(self, event: FieldRow.Changed) -> None:
        key = event.row.field.key
        event.row.complain(self.faults().get(key, "") if event.row.value else "")

    @on(FieldRow.Submitted)
    def _go_on(self) -> None:
        self.focus_next()

    def action_go(self) -> None:
        """Check all fields, and finish where nothing is wrong."""
        faults = self.faults()
        for row in self.query(FieldRow):
            row.complain(faults.get(row.field.key, ""))
        if faults:
            self.row(next(iter(faults))).edit()
        else:
            self.finish()

    def finish(self) -> None:
        """Give what the form is for."""

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        if event.button.id == "do":
            self.action_go()
        else:
            self.dismiss(None)


def name_fault(name: str, taken: frozenset[str]) -> str:
    """Return what is wrong with the name of a brick or drive."""
    from core.operations.storage.images import check_name

    try:
        check_name(name)
    except UsageError as error:
        return f"{error.message}: {error.hint}" if error.hint else error.message
    return "name already exists" if name in taken else ""


class UploadDialog(ImageForm[tuple[Path, str]], BackgroundWork):
    """Gives a file that can be a brick, and the brick's name. The file is looked into off the screen's thread."""

    heading = "Upload a brick"
    verb = "Upload"

    def __init__(self, taken: frozenset[str]) -> None:
        super().__init__()
        self._taken = taken
        self._proposed = ""

    def form_fields(self) -> Iterator[FormField]:
        """Return the file, here on this machine, and the name."""
        yield FormField(key="file", label="File", hint="a qcow2 or raw image on this machine")
        yield FormField(key="name", label="Name", hint="default: the file's name")

    @property
    def path(self) -> Path:
        """The file as it was typed; a tilde is the home folder."""
        typed = Path(self.value("file"))
        try:
            return typed.expanduser()
        except RuntimeError:  # no such user
            return typed

    @on(FieldRow.Changed)
    def _propose(self, event: FieldRow.Changed) -> None:
        if event.row.field.key == "file":
            self.background.forget("file")
            self.tell()
            name = self.row("name")
            if name.value == self._proposed:
                self._proposed = self.path.name
                name.write(self._proposed)

    def faults(self) -> dict[str, str]:
        """Ask for a file, and for a name that a brick may have."""
        faults = {} if self.value("file") else {"file": "choose a file"}
        wrong = name_fault(self.value("name") or self.path.name, self._taken)
        return {**faults, "name": wrong} if wrong and not faults else faults

    def finish(self) -> None:
        """Look into the file first."""
        from core.operations.storage.image_file import read_image

        path = self.path
        self.tell(((f"Reading {one_line(str(path))}", Tone.MUTED),))
        self.background.ask("file", lambda _: read_image(path), self._take, self._refuse)

    def _take(self, _: ImageFile) -> None:
        self.dismiss((self.path, self.value("name") or self.path.name))

    def _refuse(self, error: RealmsError) -> None:
        hint = [((one_line(error.hint), Tone.MUTED),)] if error.hint else []
        self.tell(((one_line(error.message), Tone.BAD),), *hint)


class DriveDialog(ImageForm[tuple[str, int]]):
    """Gives the name and the size in bytes of a drive, within the realm's bounds."""

    heading = "Create a drive"
    verb = "Create"

    def __init__(self, settings: DriveSettings, taken: frozenset[str]) -> None:
        super().__init__()
        self._settings = settings
        self._taken = taken

    def form_fields(self) -> Iterator[FormField]:
        """Return name and size."""
        yield FormField(key="name", label="Name", hint="such as data-7.qcow2")
        least, most = self._settings.min_size, self._settings.max_size
        bounds = [f"at least {show_size(least)}"] if least is not None else []
        bounds += [f"at most {show_size(most)}"] if most is not None else []
        yield FormField(key="size", label="Size", hint=", ".join(["such as 20 GiB", *bounds]))

    def faults(self) -> dict[str, str]:
        """Return what breaks a rule of names, or of the realm's sizes."""
        from core.operations.storage.images import check_drive_size

        faults = {"name": wrong} if (wrong := name_fault(self.value("name"), self._taken)) else {}
        try:
            check_drive_size(parse_size(self.value("size")), self._settings)
        except UsageError as error:
            faults["size"] = error.message
        except NotAQuantity as error:
            faults["size"] = f"{error}: {error.hint}" if error.hint else str(error)
        return faults

    def finish(self) -> None:
        """Give both."""
        self.dismiss((self.value("name"), parse_size(self.value("size"))))
