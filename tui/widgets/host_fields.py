"""The fields of a host, for the form and the wizard."""

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.dom import DOMNode
from textual.widgets import Input, Label, Select, Static

from core.text import printable
from tui.forms.host import Fault


def text_field(field: str, label: str, value: str, placeholder: str) -> ComposeResult:
    """Lay out a field to write in, what is wrong with it below."""
    with Horizontal(classes="row"):
        yield Label(label, classes="label")
        yield Input(value, placeholder=placeholder, id=field, classes="field", select_on_focus=False)
    yield Static(id=f"{field}-wrong", classes="wrong")


def choice_field(field: str, label: str, choices: Iterable[tuple[str, str]], chosen: str | None) -> ComposeResult:
    """Offer values, each with its words; one that is not among them stays on offer for whoever has it, marked."""
    options = options_of(choices)
    if chosen is not None and chosen not in [value for _, value in options]:
        options.insert(0, (Content(f"{printable(chosen)} (not configured)"), chosen))
    with Horizontal(classes="row"):
        yield Label(label, classes="label")
        options = options or [(Content("none configured"), "")]
        value = chosen if chosen is not None else options[0][1]
        yield Select(options, value=value, allow_blank=False, id=field, classes="field", compact=True)


def options_of(choices: Iterable[tuple[str, str]]) -> list[tuple[Content, str]]:
    """Make of values, each with its words, what a Select shows."""
    return [(Content(printable(words)), value) for value, words in choices]


def show_faults(within: DOMNode, faults: Mapping[str, Fault], fields: Iterable[str]) -> None:
    """Say below each of these fields what is wrong with it."""
    for field in fields:
        fault = faults.get(field)
        told = within.query_one(f"#{field}-wrong", Static)
        told.set_class(fault is not None, "-shown")
        told.set_class(fault is not None and not fault.refused, "-warning")
        told.update(Content(printable(fault.text) if fault is not None else ""))
