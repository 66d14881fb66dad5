"""The keys of every table."""

from tui.commands import Command

GRID_KEYS = (
    Command("slash", "filter", "Filter", "Filter: regular expression, !inverse, host:h3, cpu>50."),
    Command("s", "sort_menu", "Sort", "Choose the column to sort by."),
    Command("w", "wide", "Wide", "Show all columns, with horizontal scrolling."),
    Command("space", "mark", "Mark", "Mark or unmark the row."),
    Command("ctrl+@,ctrl+space", "mark_range", "Mark range", "Mark from the last mark to here.", shown="^Space"),
    Command("ctrl+a", "mark_all", "Mark all", "Mark or unmark all filtered rows."),
    Command("y", "copy", "Copy", "Copy the names of chosen rows to the clipboard (OSC 52)."),
    Command("enter", "choose", "Open", "Open the row.", palette=False),
    Command("up,k", "move(-1)", "Up", "One row up.", shown="\N{UPWARDS ARROW} k", palette=False),
    Command("down,j", "move(1)", "Down", "One row down.", shown="\N{DOWNWARDS ARROW} j", palette=False),
    Command("pageup,ctrl+b", "page(-1)", "Page up", "One page up.", palette=False),
    Command("pagedown,ctrl+f", "page(1)", "Page down", "One page down.", palette=False),
    Command("home,g", "edge(False)", "First", "To the first row.", shown="Home g", palette=False),
    Command("end,G", "edge(True)", "Last", "To the last row.", shown="End G", palette=False),
    Command("left", "aside(-8)", "Left", "Scroll a wide table to the left.", palette=False),
    Command("right", "aside(8)", "Right", "Scroll a wide table to the right.", palette=False),
)
