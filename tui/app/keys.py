"""The keys that work everywhere in the application."""

from __future__ import annotations

from tui.app.areas import AREAS
from tui.commands import Command

KEYS = (
    *(Command(area.key, f"area('{area.id}')", area.title, area.help, palette=False) for area in AREAS),
    Command("colon", "go_to", "Go to", "Go to an area, a host or a VM by its name.", footer=True),
    Command("ctrl+p", "command_palette", "Palette", "Find any command, host or VM.", palette=False),
    Command("question_mark", "help", "Keys", "Show the keys of this view.", footer=True),
    Command("ctrl+t", "next_theme", "Theme", "Use the next theme: dark, light, the terminal's 16 colours."),
    Command("ctrl+l", "redraw", "Redraw", "Draw the whole screen again."),
    Command("ctrl+z", "suspend_process", "Suspend", "Stop the program in the background; `fg` brings it back."),
    Command("q", "leave_or_quit", "Quit", "Quit from an area; elsewhere go back.", footer=True),
)
