"""Fields of forms: a label, what is typed, chosen or ticked, and below it what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Checkbox, Input, Label, Select, Static

from core.text import printable
from tui.forms.fields import YES, FormField
from tui.render.cells import width_of

LABEL_WIDTH = 16
"""Columns of a label, unless a form says otherwise."""

_EDITING = {
    "backspace": "delete_left", "delete": "delete_right", "ctrl+w": "delete_left_word", "ctrl+u": "delete_left_all",
    "ctrl+k": "delete_right_all", "left": "cursor_left", "right": "cursor_right", "home": "home", "ctrl+a": "home",
    "end": "end", "ctrl+e": "end",
}  # fmt: skip
"""Keys that edit a line, and Textual's actions for them."""


class Names(Suggester):
    """Proposes the rest of a name that was begun."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.known: tuple[str, ...] = ()

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first name that begins so; what can't be shown as it is, is not proposed."""
        return next((name for name in self.known if name.startswith(value) and printable(name) == name), None)


class FieldInput(Input):
    """An input that + and - change, where its field has steps."""

    def __init__(self, field: FormField, names: Names) -> None:
        super().__init__(field.value, placeholder=field.hint, suggester=names, select_on_focus=True, compact=True)
        self.cursor_blink = False
        self.field = field

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Leave + and - to the steps."""
        if self.field.step is not None and character in ("+", "-", "="):
            return False
        return super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        """Edit at once.

        A binding acts only after the key has gone up through all parents: what was typed behind it may stand here then.
        """
        if self.field.step is not None and event.character in ("+", "-", "="):
            self.action_step(-1 if event.character == "-" else 1)
        elif event.key in _EDITING:
            getattr(self, f"action_{_EDITING[event.key]}")()
        else:
            return
        event.stop()
        event.prevent_default()

    def action_step(self, direction: int) -> None:
        """Take the next round value."""
        if self.field.step is not None:
            self.value = self.field.step(self.value, direction)
            self.cursor_position = len(self.value)


class Tick(Checkbox):
    """A box that says by its letter, not by a colour, whether it is ticked."""

    def __init__(self, field: FormField) -> None:
        super().__init__(Content(printable(field.tick)), field.value == YES, compact=True)
        self._says = printable(field.tick)

    def render(self) -> Content:
        """Draw the box and what it says."""
        box = ("[x] ", "$accent bold") if self.value else ("[ ] ", "$muted")
        return Content.assemble(box, self._says)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's own signature
        """Measure the box and what it says."""
        return 4 + width_of(self._says)


def _text_of(value: object) -> str:
    return (YES if value else "") if isinstance(value, bool) else str(value)


class FieldRow(Vertical):
    """A field on the screen. Posts Changed whenever its value is another."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto; width: 1fr;
        .line { height: 1; width: 1fr; }
        .label { color: $muted; height: 1; }
        FieldInput { width: 1fr; }
        FieldInput.-textual-compact { height: 1; padding: 0 1; background: $panel; border: none; }
        FieldInput.-textual-compact:focus { background: $cursor; }
        Tick { width: 1fr; height: 1; padding: 0 1; background: $surface; border: none; color: $foreground; }
        Tick:focus { background: $cursor; text-style: none; border: none; background-tint: transparent 0%; }
        Select { width: 1fr; height: 1; }
        Select > SelectCurrent, Select.-textual-compact > SelectCurrent {
            border: none; height: 1; background: $panel; padding: 0 1;
        }
        Select:focus > SelectCurrent { border: none; background: $cursor; background-tint: transparent 0%; }
        Select > SelectOverlay { border: round $line-focus; background: $surface; max-height: 10; }
        .wrong { height: auto; color: $error; display: none; }
        .wrong.-shown { display: block; }
        .wrong.-warning { color: $warning; }
    }
    """

    class Changed(Message):
        """The value of a field is another."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.row = row

    class Submitted(Message):
        """Enter in a field."""

    def __init__(self, field: FormField, *, label_width: int = LABEL_WIDTH) -> None:
        super().__init__(id=f"field-{field.key}")
        self.field = field
        self._seen = field.value
        self._names = Names()
        self._label_width = label_width
        self._told = ("", False)
        self.editor = self._make_editor()
        """What has the focus while the field is edited."""

    def _make_editor(self) -> FieldInput | Select[str] | Tick:
        field = self.field
        if field.choices:
            options = [(Content(printable(words)), value) for value, words in field.choices]
            return Select(options, value=field.value, allow_blank=False, compact=True)
        return Tick(field) if field.tick else FieldInput(field, self._names)

    @property
    def value(self) -> str:
        """What stands in the field at this moment, also where word of that is still on its way."""
        return _text_of(self.editor.value)

    def compose(self) -> ComposeResult:
        """Lay out the label, the field, and the line that is seen when something is wrong."""
        field = self.field
        with Horizontal(classes="line"):
            label = Label(Content(printable(field.label)), classes="label")
            label.styles.width = self._label_width
            yield label
            yield self.editor
        wrong = Static(classes="wrong")
        wrong.styles.padding = (0, 0, 0, self._label_width)
        yield wrong

    def edit(self) -> None:
        """Go to the field."""
        self.editor.focus()

    def write(self, value: str) -> None:
        """Put a value there, as if it had been typed."""
        control = self.editor
        if isinstance(control, Checkbox):
            control.value = value == YES
        else:
            control.value = value
        if isinstance(control, Input):
            control.cursor_position = len(value)

    def propose(self, names: Iterable[str]) -> None:
        """Complete what is typed to one of these names (the right arrow takes it)."""
        self._names.known = tuple(names)

    def complain(self, text: str, *, warning: bool = False) -> None:
        """Say what is wrong with the value; an empty text takes that back."""
        if self._told == (text, warning):
            return
        self._told = (text, warning)
        told = self.query_one(".wrong", Static)
        told.set_class(bool(text), "-shown")
        told.set_class(warning, "-warning")
        told.update(Content(printable(text)))

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def follow(self, event: Input.Changed | Select.Changed | Checkbox.Changed) -> None:
        """Take over the new value."""
        event.stop()
        if (text := _text_of(event.value)) != self._seen:
            self._seen = text
            self.post_message(self.Changed(self))

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        """Tell that Enter was pressed."""
        event.stop()
        self.post_message(self.Submitted())
