"""How tables look: structure and the theme's colours."""

from tui.widgets.tones import TONE_CLASSES, TONE_CSS

GRID_PARTS = ("header", "sorted", "cursor", "cursor-blurred", "bar", "mark", "empty")
"""Parts of a table that have a style of their own."""

GRID_COMPONENTS = frozenset({f"grid--{part}" for part in GRID_PARTS} | TONE_CLASSES)

GRID_CSS = (
    """
Grid {
    height: 1fr; background: $background; color: $foreground; border: round $line; border-title-color: $muted;
    border-subtitle-color: $muted; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
    &:focus { border: round $line-focus; border-title-color: $foreground; }
    .grid--header { color: $muted; }
    .grid--sorted { color: $accent; text-style: bold; }
    .grid--cursor { background: $cursor; }
    .grid--cursor-blurred { background: $cursor-blurred; }
    &:ansi, &:nocolor {
        .grid--cursor { background: $background; text-style: reverse; }
        .grid--cursor-blurred { background: $background; text-style: underline; }
    }
    .grid--bar { color: $accent; }
    .grid--mark { color: $accent; text-style: bold; }
    .grid--empty { color: $muted; }
"""
    + TONE_CSS
    + "}"
)
