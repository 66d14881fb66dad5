"""The request's fields on the screen: compact inputs, one of them active, changed by typing or by + and -."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from tui.forms.request import Asked, FieldKind, FieldRefused, RequestField, read, read_field, stepped
from tui.render.cells import width_of
from tui.render.wrapping import cut_middle

_COMMANDS = {FieldKind.NUMBER: "+-=vmdn:?[]", FieldKind.SIZE: "+-=vdn:?[]", FieldKind.REALM: "+-="}
"""Characters that no value of a kind has: they change the value or go elsewhere, as they do outside of the fields."""
_DIGITS = "0123456789"

_LONGEST_LABEL = 20
_LONGEST_LABEL_ACROSS = 11
_FRAME = 4
_VALUE_WIDTH = 9
_GAP = 2


class RequestInput(Input):
    """The input of one field: + and - change its value, Enter goes back to the ranking."""

    BINDINGS: ClassVar = [
        Binding("plus,equals_sign", "step(1)", "More", show=False),
        Binding("minus", "step(-1)", "Less", show=False),
        Binding("up", "neighbour(-1)", "Field above", show=False),
        Binding("down", "neighbour(1)", "Field below", show=False),
    ]

    def __init__(self, field: RequestField, value: str) -> None:
        super().__init__(value, compact=True, select_on_focus=True)
        self.cursor_blink = False
        self.field = field

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's own signature
        """Take what can be part of a value; what changes it or goes to another field is a command here too."""
        return character is not None and character.isprintable() and character not in _COMMANDS[self.field.kind]

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            event.prevent_default()
        elif self.field.kind is FieldKind.NUMBER and event.is_printable and (event.character or "") not in _DIGITS:
            event.prevent_default()
            event.stop()

    def action_step(self, direction: int) -> None:
        """Take the next round value."""
        self.value = stepped(self.field, self.value, direction)
        self.cursor_position = len(self.value)

    def action_neighbour(self, direction: int) -> None:
        """Go to the next field, or the one before."""
        panel = self.screen.query_one(RequestPanel)
        panel.go_to_neighbour(self.field.key, direction)


class RequestRow(Widget):
    """A label and the input of one field."""

    DEFAULT_CSS = """
    RequestRow {
        layout: horizontal; height: 1; width: 1fr;
        Label { color: $muted; }
        RequestInput { width: 1fr; color: $foreground; }
        &.-active Label { color: $accent; text-style: bold; }
        &.-refused RequestInput { color: $error; text-style: bold; }
    }
    """

    def __init__(self, field: RequestField, value: str) -> None:
        super().__init__()
        self.field = field
        self.input = RequestInput(field, value)
        self.label = Label(markup=False)

    def compose(self) -> ComposeResult:
        """Return the label and the input."""
        yield self.label
        yield self.input

    def set_label_width(self, width: int) -> None:
        """Write the label in so many columns, a blank after it included."""
        self.label.styles.width = width
        self.label.update(Content(cut_middle(self.field.label, width - 1)))


class RequestPanel(VerticalScroll, can_focus=False):
    """All fields of the request. Posts Edited whenever what is typed changes."""

    class Edited(Message):
        """What is typed has changed: `asked`, or `refused` with the reason."""

        def __init__(self, asked: Asked | None, refused: str) -> None:
            super().__init__()
            self.asked = asked
            self.refused = refused

    class Done(Message):
        """Enter in a field: back to the ranking."""

    def __init__(self, fields: Sequence[RequestField], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.fields = tuple(fields)
        self.typed = {field.key: field.start for field in self.fields}
        self.active = self.fields[0].key
        """Key of the field that + and - change from anywhere."""
        self._laid_out: tuple[int | None, tuple[RequestField, ...]] | None = None
        self._below = ""
        self.border_title = "Request"

    def compose(self) -> ComposeResult:
        """Return a row for each field."""
        for field in self.fields:
            yield RequestRow(field, self.typed[field.key])

    def on_mount(self) -> None:
        """Show which field is active."""
        self._mark_active()

    async def use_fields(self, fields: Sequence[RequestField]) -> None:
        """Ask for these fields from now on; what is typed in those that stay is kept."""
        if tuple(fields) == self.fields:
            return
        self.fields = tuple(fields)
        self.typed = {field.key: self.typed.get(field.key, field.start) for field in self.fields}
        if self.active not in self.typed:
            self.active = self.fields[0].key
        await self.remove_children()
        await self.mount_all(RequestRow(field, self.typed[field.key]) for field in self.fields)
        self._laid_out = None
        self._mark_active()

    def say_below(self, text: str) -> None:
        """Write a text into the lower border."""
        if text != self._below:
            self._below = text
            self.border_subtitle = text

    def asked(self) -> Asked:
        """Read what is typed; raises FieldRefused."""
        return read(self.fields, self.typed)

    def rows_needed(self, width: int) -> int:
        """Lines that the fields take in so many columns, as many as fit side by side."""
        return -(-len(self.fields) // self._across(width))

    def _across(self, width: int) -> int:
        return max(1, min(len(self.fields), (width + _GAP) // (self._label_width() + _VALUE_WIDTH + _GAP)))

    def _label_width(self, most: int = _LONGEST_LABEL_ACROSS) -> int:
        return min(most, max(width_of(field.label) for field in self.fields)) + 1

    @property
    def natural_width(self) -> int:
        """Columns that the fields take one under another, frame included."""
        return self._label_width(_LONGEST_LABEL) + _VALUE_WIDTH + 1 + _FRAME

    def lay_out(self, width: int | None) -> None:
        """Set the fields side by side in so many columns, or one under another (None)."""
        if (width, self.fields) == self._laid_out:
            return
        self._laid_out = (width, self.fields)
        across = 1 if width is None else self._across(width)
        self.styles.layout = "vertical" if width is None else "grid"
        self.styles.grid_size_columns = across
        self.styles.grid_gutter_vertical = _GAP
        for row in self.query(RequestRow):
            beside = self._label_width(_LONGEST_LABEL) + 1 if width is None else self._label_width()
            row.set_label_width(beside)

    def _row(self, key: str) -> RequestRow | None:
        return next((row for row in self.query(RequestRow) if row.field.key == key), None)

    def _mark_active(self) -> None:
        for row in self.query(RequestRow):
            row.set_class(row.field.key == self.active, "-active")

    def activate(self, key: str) -> None:
        """Let + and - change this field."""
        self.active = key
        self._mark_active()

    def go_to(self, key: str) -> None:
        """Edit a field."""
        if (row := self._row(key)) is not None:
            row.input.focus()

    def go_to_devices(self) -> None:
        """Edit the number of devices, of the next type where one is being edited already."""
        keys = [field.key for field in self.fields if field.key.startswith("devices.")]
        if keys:
            position = keys.index(self.active) + 1 if self.active in keys else 0
            self.go_to(keys[position % len(keys)])

    def go_to_neighbour(self, key: str, direction: int) -> None:
        """Edit the field before or after another."""
        keys = [field.key for field in self.fields]
        self.go_to(keys[(keys.index(key) + direction) % len(keys)])

    def step(self, direction: int) -> None:
        """Change the active field to its next round value."""
        if (row := self._row(self.active)) is not None:
            row.input.action_step(direction)

    def on_descendant_focus(self) -> None:
        """Let + and - change the field that is edited."""
        focused = self.screen.focused
        if isinstance(focused, RequestInput):
            self.activate(focused.field.key)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Read all fields again."""
        event.stop()
        if not isinstance(event.input, RequestInput):
            return
        field = event.input.field
        if self.typed.get(field.key) == event.value:
            return
        self.typed[field.key] = event.value
        try:
            asked: Asked | None = self.asked()
            refused = ""
        except FieldRefused as error:
            asked, refused = None, str(error)
        for row in self.query(RequestRow):
            row.set_class(_is_refused(row.field, self.typed[row.field.key]), "-refused")
        self.post_message(self.Edited(asked, refused))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the ranking."""
        event.stop()
        self.post_message(self.Done())


def _is_refused(field: RequestField, text: str) -> bool:
    try:
        read_field(field, text)
    except FieldRefused:
        return True
    return False
