"""The line above every area (where one is, what answers) and the line below it (the keys that matter)."""

import textwrap
from collections.abc import Sequence

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from core.text import one_line, printable
from tui.commands import Command
from tui.render.cells import ELLIPSIS, width_of

PRODUCT = "Libvirt Realms"

HELP = "help"
"""The action whose key is always shown."""


MOST_WARNING_LINES = 4


class HeaderLine(Widget):
    """Product, place, and at the right what the figures are about: "7 of 8 hosts · 212 VMs"; below it a warning."""

    DEFAULT_CSS = "HeaderLine { height: 1; dock: top; padding: 0 1; background: $panel; color: $foreground; }"

    def __init__(self) -> None:
        super().__init__()
        self._path: tuple[str, ...] = ()
        self._right: tuple[tuple[str, str], ...] = ()
        self._warning = ""

    def show(self, path: tuple[str, ...], right: tuple[tuple[str, str], ...], warning: str = "") -> None:
        """Show a place and the (text, style) pieces at the right; draws nothing where nothing changed.

        A warning takes lines of its own for as long as there is one.
        """
        if (path, right, warning) != (self._path, self._right, self._warning):
            self._path, self._right, self._warning = path, right, warning
            self._fit()
            self.refresh()

    def on_resize(self) -> None:
        """Break the warning to the new width."""
        self._fit()

    def _fit(self) -> None:
        height = 1 + len(self._warning_lines())
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def _warning_lines(self) -> list[str]:
        width = max(1, self.content_size.width)
        told = one_line(self._warning, MOST_WARNING_LINES * width)
        most = MOST_WARNING_LINES
        return textwrap.wrap(told, width, max_lines=most, placeholder=ELLIPSIS, break_on_hyphens=False)

    def render(self) -> RenderResult:
        """Draw the line; where both don't fit, the product's name goes first, then the place is cut."""
        width = self.content_size.width
        right = Content.assemble(*((printable(text), style) for text, style in self._right))
        names = [printable(name) for name in self._path]
        place: list[tuple[str, str]] = []
        for position, name in enumerate(names):
            if position:
                place.append((" \N{BLACK RIGHT-POINTING SMALL TRIANGLE} ", "$faint"))
            place.append((name, "bold" if position == len(names) - 1 else "$muted"))
        left = Content.assemble((f"{PRODUCT}  ", "$accent bold"), *place)
        if left.cell_length + right.cell_length + 2 > width:
            left = Content.assemble(*place)
        room = max(0, width - right.cell_length - 2)
        left = left.truncate(room, ellipsis=True)
        line = left.pad_right(max(2, width - left.cell_length - right.cell_length)) + right
        return Content("\n").join([line, *(Content.styled(told, "$error bold") for told in self._warning_lines())])


class FooterLine(Widget):
    """Keys and what they do, as many as fit; a click does it too."""

    DEFAULT_CSS = "FooterLine { height: 1; dock: bottom; padding: 0 1; background: $panel; color: $muted; }"

    def __init__(self) -> None:
        super().__init__()
        self._commands: tuple[tuple[Command, bool], ...] = ()
        self._spans: list[tuple[int, int, str]] = []

    def show(self, commands: Sequence[tuple[Command, bool]]) -> None:
        """Show commands, each with whether it can be done now."""
        if tuple(commands) != self._commands:
            self._commands = tuple(commands)
            self.refresh()

    def render(self) -> RenderResult:
        """Draw the keys from left to right; where not all fit, the way to the full list stays."""
        room = self.content_size.width
        sizes = [width_of(command.key_text) + 1 + width_of(command.label) + 2 for command, _ in self._commands]
        kept = {n for n, (command, _) in enumerate(self._commands) if command.action == HELP}
        room -= sum(sizes[n] for n in kept) - 2
        for number, size in enumerate(sizes):
            if number not in kept:
                if size > room:
                    break
                kept.add(number)
                room -= size
        parts: list[tuple[str, str]] = []
        self._spans = []
        taken = 0
        for number in sorted(kept):
            command, enabled = self._commands[number]
            parts.append((command.key_text, "$accent bold" if enabled else "$faint"))
            parts.append((f" {command.label}  ", "" if enabled else "$faint"))
            if enabled:
                self._spans.append((taken, taken + sizes[number] - 2, command.keys.split(",", 1)[0]))
            taken += sizes[number]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        offset = event.get_content_offset(self)
        for start, end, key in self._spans:
            if offset is not None and start <= offset.x < end:
                self.app.simulate_key(key)
