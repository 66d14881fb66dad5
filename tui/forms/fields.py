"""A field of a form, as data."""

from collections.abc import Callable
from dataclasses import dataclass

YES = "yes"
"""Value of a field that is ticked; empty where it isn't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field: text, one of some choices (value and words), or a tick (`tick` is what it says)."""

    key: str
    label: str = ""
    value: str = ""
    hint: str = ""
    """What stands there, dimmed, while nothing is typed."""
    choices: tuple[tuple[str, str], ...] = ()
    tick: str = ""
    step: Callable[[str, int], str] | None = None
    """Gives the next larger (1) or smaller (-1) round value: + and - change the field then."""
