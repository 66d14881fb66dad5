"""The sizes of a mix in a form: how many VMs, of how many vCPUs, how much memory, which devices."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from core.text import printable
from tui.context import WithContext
from tui.forms.fields import FormField
from tui.forms.mix import MOST_SIZES, Mix, read_mix, typed_devices
from tui.forms.request import ALL_REALMS, FieldRefused, RequestField, fields_for, show_exactly, stepped
from tui.screens.dialogs.dialog import FormDialog
from tui.widgets.fields import FieldRow

_REALM = "realm"


class MixForm(FormDialog["Mix | None"], WithContext):
    """Gives the mix as it was typed, None where nothing was to change. A line without a number of VMs is left out."""

    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]

    def __init__(self, mix: Mix) -> None:
        super().__init__()
        self._mix = mix
        self._fields: dict[str, RequestField] = {}
        self._has_devices = False

    def compose(self) -> ComposeResult:
        """Lay out a line for each size."""
        self._fields = {field.key: field for field in fields_for(self.realms.session.configuration)}
        self._has_devices = any(key.startswith("devices.") for key in self._fields)
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Mix of sizes")
            dialog.border_subtitle = Content("+ - step, Enter apply, Esc cancel")
            with Horizontal(classes="size heads"):
                yield Static("VMs", classes="count")
                yield Static("vCPUs", classes="vcpus")
                yield Static("Memory", classes="memory")
                if self._has_devices:
                    yield Static(Content(printable(f"Devices, as {self._example()}")), classes="devices")
            for number in range(MOST_SIZES):
                with Horizontal(classes="size"):
                    yield from self._line(number)
            if (realm := self._fields.get(_REALM)) is not None:
                choices = tuple((name, name) for name in (ALL_REALMS, *realm.choices))
                present = self._mix[0][0].realm if self._mix else None
                value = present if present in realm.choices else ALL_REALMS
                yield FieldRow(FormField(key=_REALM, label="Realm", value=value, choices=choices), label_width=9)
            yield Static(id="complaint")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Plan", id="do", compact=True)

    def _example(self) -> str:
        kinds = [key.removeprefix("devices.") for key in self._fields if key.startswith("devices.")]
        return f"{kinds[0]}=1"

    def _line(self, number: int) -> ComposeResult:
        request, count = self._mix[number] if number < len(self._mix) else (None, 0)
        values = {
            "count": str(count) if count else "",
            "vcpus": str(request.vcpus) if request else "",
            "memory": show_exactly(request.memory_bytes) if request else "",
        }
        for key, value in values.items():
            field = FormField(key=f"{key}-{number}", value=value, step=partial(stepped, self._fields[key]))
            yield FieldRow(field, label_width=0).add_class(key)
        if self._has_devices:
            held = typed_devices(request.devices) if request else ""
            yield FieldRow(FormField(key=f"devices-{number}", value=held), label_width=0).add_class("devices")

    def on_mount(self) -> None:
        """Begin at the first number."""
        self.query(FieldRow).first().edit()

    def _read(self) -> Mix:
        typed = {row.field.key: row.value for row in self.query(FieldRow)}
        return read_mix(self._fields, typed)

    @on(FieldRow.Changed)
    def check(self) -> None:
        """Say what is wrong with it."""
        self._wrong()

    def _wrong(self) -> bool:
        try:
            self._read()
        except FieldRefused as error:
            self.query_one("#complaint", Static).update(Content(printable(str(error))))
            return True
        self.query_one("#complaint", Static).update("")
        return False

    @on(FieldRow.Submitted)
    def submit(self) -> None:
        """Take it on Enter."""
        self.action_do()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Take it, unless something is wrong with it."""
        if event.button.id == "cancel":
            self.dismiss(None)
        elif not self._wrong():
            self.dismiss(self._read())
