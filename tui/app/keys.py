"""The keys that work everywhere in the application."""

from tui.app.areas import AREAS
from tui.commands import Command

KEYS = (
    *(Command(area.key, f"area('{area.id}')", area.title, area.help, palette=False) for area in AREAS),
    Command("colon", "go_to", "Go to", "Go to an area, host or VM by name.", footer=True),
    Command("ctrl+p", "command_palette", "Palette", "Find any command, host or VM.", palette=False),
    Command("question_mark", "help", "Keys", "Show the keys of this screen.", footer=True),
    Command("ctrl+t", "next_theme", "Theme", "Next theme: dark, light, 16 colours."),
    Command("ctrl+l", "redraw", "Redraw", "Redraw the screen."),
    Command("ctrl+z", "suspend_process", "Suspend", "Suspend to the shell; `fg` resumes."),
    Command("q", "leave_or_quit", "Quit", "Go back; quit from an area.", footer=True),
)
