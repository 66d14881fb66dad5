"""One declaration of a command gives its key, its word in the footer, its line of help and its entry in the palette."""

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a key does. `keys` as Textual names them, separated by commas; the first is the one shown."""

    keys: str
    action: str
    label: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for the help screen and the palette."""
    footer: bool = False
    shown: str = ""
    """How the key is written; empty: as Textual writes it."""
    changes: bool = False
    """Changes the registry: dimmed where nothing may be changed."""
    palette: bool = True
    """Listed in the palette; movement keys are not."""

    @property
    def key_text(self) -> str:
        """How the command's first key is written on the screen."""
        if self.shown:
            return self.shown
        first = self.keys.split(",", 1)[0]
        return _KEY_NAMES.get(first, f"^{first[5:].upper()}" if first.startswith("ctrl+") else first)


_KEY_NAMES = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "delete": "Del", "slash": "/", "colon": ":", "tab": "Tab",
    "question_mark": "?", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "f5": "F5",
    "up": "\N{UPWARDS ARROW}", "down": "\N{DOWNWARDS ARROW}", "left": "\N{LEFTWARDS ARROW}",
    "right": "\N{RIGHTWARDS ARROW}",
}  # fmt: skip


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """Make of commands what Textual binds to keys."""
    return [
        Binding(
            command.keys,
            command.action,
            command.label,
            show=command.footer,
            key_display=command.key_text,
            tooltip=command.help,
        )
        for command in commands
    ]
