"""The colours: a calm dark theme, a light one, and one of the terminal's own sixteen."""

from textual.theme import Theme

DARK = "realms-dark"
LIGHT = "realms-light"
SIXTEEN = "realms-16"

_DARK_VARIABLES = {
    "muted": "#9099a8",
    "faint": "#69727f",
    "line": "#323945",
    "line-focus": "#4f7299",
    "cursor": "#253142",
    "cursor-blurred": "#1d232c",
    "track": "#3a4250",
    "border": "#4f7299",
    "border-blurred": "#323945",
    "input-selection-background": "#4f7299 40%",
    "scrollbar": "#3a4250",
    "scrollbar-hover": "#4f7299",
    "scrollbar-active": "#7fb2e5",
    "scrollbar-background": "#14171c",
    "scrollbar-background-hover": "#14171c",
    "scrollbar-background-active": "#14171c",
    "scrollbar-corner-color": "#14171c",
}
_LIGHT_VARIABLES = {
    "muted": "#57606a",
    "faint": "#7d868f",
    "line": "#c9cfd6",
    "line-focus": "#3b78b5",
    "cursor": "#d8e6f4",
    "cursor-blurred": "#e9edf1",
    "track": "#c6cdd5",
    "border": "#3b78b5",
    "border-blurred": "#c9cfd6",
    "input-selection-background": "#3b78b5 30%",
    "scrollbar": "#c6cdd5",
    "scrollbar-hover": "#3b78b5",
    "scrollbar-active": "#1f6fb2",
    "scrollbar-background": "#f8f8f6",
    "scrollbar-background-hover": "#f8f8f6",
    "scrollbar-background-active": "#f8f8f6",
    "scrollbar-corner-color": "#f8f8f6",
}
_SIXTEEN_VARIABLES = {
    "muted": "ansi_default",
    "faint": "ansi_bright_black",
    "line": "ansi_bright_black",
    "line-focus": "ansi_cyan",
    "cursor": "ansi_default",
    "cursor-blurred": "ansi_default",
    "track": "ansi_bright_black",
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "border": "ansi_cyan",
    "border-blurred": "ansi_bright_black",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_bright_blue",
    "input-selection-foreground": "ansi_black",
    "screen-selection-background": "ansi_bright_blue",
    "screen-selection-foreground": "ansi_black",
    "scrollbar": "ansi_bright_black",
    "scrollbar-hover": "ansi_cyan",
    "scrollbar-active": "ansi_cyan",
    "scrollbar-background": "ansi_default",
    "scrollbar-background-hover": "ansi_default",
    "scrollbar-background-active": "ansi_default",
    "scrollbar-corner-color": "ansi_default",
}

THEMES = (
    Theme(
        name=DARK,
        primary="#5b9bd5",
        secondary="#7f8ea3",
        accent="#7fb2e5",
        success="#8fbf7f",
        warning="#dcb35c",
        error="#e8807c",
        foreground="#d7dbe2",
        background="#14171c",
        surface="#1a1e25",
        panel="#20252e",
        dark=True,
        variables=_DARK_VARIABLES,
    ),
    Theme(
        name=LIGHT,
        primary="#1f6fb2",
        secondary="#57606a",
        accent="#1a64a3",
        success="#2b7330",
        warning="#8a5a00",
        error="#b3261e",
        foreground="#1f2328",
        background="#f8f8f6",
        surface="#efefec",
        panel="#e6e8ea",
        dark=False,
        variables=_LIGHT_VARIABLES,
    ),
    Theme(
        name=SIXTEEN,
        ansi=True,
        primary="ansi_blue",
        secondary="ansi_cyan",
        accent="ansi_cyan",
        success="ansi_green",
        warning="ansi_yellow",
        error="ansi_red",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=True,
        variables=_SIXTEEN_VARIABLES,
    ),
)

THEME_NAMES = {DARK: "dark", LIGHT: "light", SIXTEEN: "the terminal's 16 colours"}
"""The themes that are offered, and what they are called."""

VARIABLE_DEFAULTS = {name: value for name, value in _DARK_VARIABLES.items() if name in {
    "muted", "faint", "line", "line-focus", "cursor", "cursor-blurred", "track"}}  # fmt: skip
"""Our own variables as a theme that doesn't know them gets them."""


def theme_for(wanted: str, colors: int | None) -> str:
    """Choose the theme: the one wanted, or the dark one; with 16 colours or fewer the terminal's own."""
    if colors is not None and colors <= 16:
        return SIXTEEN
    return wanted if wanted in THEME_NAMES else DARK
