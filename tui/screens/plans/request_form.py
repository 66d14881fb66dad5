"""The request that plans are made for, in a form."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from core.placement.engine.request import Request
from tui.context import WithContext
from tui.forms.fields import FormField
from tui.forms.request import (
    ALL_REALMS,
    FieldKind,
    FieldRefused,
    RequestField,
    fields_for,
    read,
    read_field,
    show_exactly,
    stepped,
)
from tui.screens.dialogs.dialog import FormDialog
from tui.widgets.fields import FieldRow

_COUNT = "count"
"""The field of the cost explorer that makes no difference to a plan: it is about one VM, or as many as fit."""
_DEVICES = "devices."
_GAP = 2
_MOST_LABEL = 24


class RequestForm(FormDialog["Request | None"], WithContext):
    """Gives the request as it was typed, None where nothing was to change; + and - take the next round value."""

    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request
        self._fields: tuple[RequestField, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out a line for each field."""
        configuration = self.realms.session.configuration
        self._fields = fields_for(configuration)
        shown = [field for field in self._fields if field.key != _COUNT]
        label = min(_MOST_LABEL, max(len(field.label) for field in shown)) + _GAP
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Request")
            dialog.border_subtitle = Content("+ - step, Enter apply, Esc cancel")
            with VerticalScroll(classes="told", can_focus=False):
                for number, field in enumerate(shown):
                    yield FieldRow(self._form_field(number, field), label_width=label)
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Plan", id="do", compact=True)

    def _form_field(self, number: int, field: RequestField) -> FormField:
        """Make a form's field; device types may hold letters that no id may, so fields are numbered."""
        value = self._present(field)
        if field.kind is FieldKind.REALM:
            choices = tuple((realm, realm) for realm in (ALL_REALMS, *field.choices))
            return FormField(key=str(number), label=field.label, value=value, choices=choices)
        return FormField(key=str(number), label=field.label, value=value, step=partial(stepped, field))

    def _present(self, field: RequestField) -> str:
        request = self._request
        match field.key:
            case "vcpus":
                return str(request.vcpus)
            case "memory":
                return show_exactly(request.memory_bytes)
            case "realm":
                return request.realm if request.realm in field.choices else ALL_REALMS
            case _:
                return str(request.devices.get(field.key.removeprefix(_DEVICES), 0))

    def on_mount(self) -> None:
        """Begin at the first field."""
        self.query(FieldRow).first().edit()

    def _typed(self) -> dict[str, str]:
        shown = [field.key for field in self._fields if field.key != _COUNT]
        return {key: row.value for key, row in zip(shown, self.query(FieldRow), strict=True)}

    @on(FieldRow.Changed)
    def check(self) -> None:
        """Say at each field what is wrong with it."""
        self._wrong()

    def _wrong(self) -> FieldRow | None:
        """Complain at each field that can't be read; gives the first."""
        typed, first = self._typed(), None
        by_key = {field.key: field for field in self._fields}
        for (key, text), row in zip(typed.items(), self.query(FieldRow), strict=True):
            complaint = ""
            try:
                read_field(by_key[key], text)
            except FieldRefused as error:
                complaint = str(error)
                first = first or row
            row.complain(complaint)
        return first

    @on(FieldRow.Submitted)
    def submit(self) -> None:
        """Take it on Enter."""
        self.action_do()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Take it, unless something is wrong with it."""
        if event.button.id == "cancel":
            self.dismiss(None)
            return
        wrong = self._wrong()
        if wrong is not None:
            wrong.edit()
            return
        try:
            self.dismiss(read(self._fields, self._typed()).request)
        except FieldRefused as error:
            self.query(FieldRow).first().complain(str(error))
