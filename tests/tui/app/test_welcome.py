"""The first start: a demo, a path, or the way out; never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from core.codes import DiagnosticCode
from core.diagnostics import Diagnostic, Severity
from core.errors import ConfigurationInvalid, UnreadableFile
from tests.tui.driving import settle, text_of
from tui.app.welcome import FileChoice, WelcomeApp

if TYPE_CHECKING:
    from textual.widget import Widget


def shown(app: WelcomeApp) -> str:
    """Return the text of the screen."""
    widgets: list[Widget] = list(app.screen.query("Static"))
    return "\n".join(text_of(widget) for widget in widgets)


async def test_it_says_where_a_configuration_was_looked_for() -> None:
    """In the order in which it was."""
    app = WelcomeApp([Path("ticrypt-vm.conf"), Path("/etc/ticrypt/ticrypt-vm.conf")])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = shown(app)
        assert text.index("ticrypt-vm.conf") < text.index("/etc/ticrypt/ticrypt-vm.conf")


async def test_a_path_is_given_once_there_is_such_a_file(tmp_path: Path) -> None:
    """A folder stands for the file in it."""
    app = WelcomeApp([])
    async with app.run_test(size=(120, 40)) as pilot:
        app.query_one(Input).value = str(tmp_path)
        await pilot.press("enter")
        await settle(pilot)
        assert "No such file" in shown(app)
        (tmp_path / "ticrypt-vm.conf").write_text("")
        await pilot.press("enter")
    assert app.return_value == FileChoice(path=tmp_path / "ticrypt-vm.conf")


@pytest.mark.parametrize(
    "text", ["", "\0", "x" * 5000, "[/]", "~nobody-like-this/x"], ids=["empty", "zero", "long", "markup", "nobody"]
)
async def test_no_path_harms(text: str) -> None:
    """It is refused in a sentence."""
    app = WelcomeApp([])
    async with app.run_test(size=(120, 40)) as pilot:
        app.query_one(Input).value = text
        await pilot.press("enter")
        await settle(pilot)
        assert app.is_running
        await pilot.press("escape")
    assert app.return_value == FileChoice()


@pytest.mark.parametrize(("keys", "choice"), [(("ctrl+d",), FileChoice(demo=True)), (("escape",), FileChoice())])
async def test_the_demo_and_the_way_out(keys: tuple[str, ...], choice: FileChoice) -> None:
    """One key each."""
    app = WelcomeApp([])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
    assert app.return_value == choice


async def test_mistakes_of_a_configuration_are_shown_errors_first() -> None:
    """With place, path, message and hint; whatever they quote."""
    found = [
        Diagnostic(Severity.WARNING, DiagnosticCode.NO_LIMIT, "a.conf", 1, 2, "ticrypt.vm", "a warning"),
        Diagnostic(
            Severity.ERROR,
            DiagnosticCode.WRONG_TYPE,
            "b[/].conf",
            7,
            12,
            "ticrypt.vm.x",
            "[@click=app.quit]bad[/]\x1b[2J",
            "mend [/] it",
        ),
    ]
    app = WelcomeApp([], ConfigurationInvalid("the configuration has errors", found))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = shown(app)
        assert text.index("b[/].conf:7:12") < text.index("a.conf:1:2")
        assert "[@click=app.quit]bad[/]" in text
        assert "mend [/] it" in text
        assert "1 error, 1 warning" in text


async def test_the_places_are_shown_beside_the_error_that_none_holds_a_configuration() -> None:
    """That is how the program starts it."""
    error = UnreadableFile("no configuration was found", hint="give --config")
    app = WelcomeApp([Path("/nowhere/ticrypt-vm.conf")], error)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "no configuration was found" in shown(app)
        assert "/nowhere/ticrypt-vm.conf  not found" in shown(app)


async def test_a_file_that_cannot_be_read_is_told() -> None:
    """As any other error."""
    app = WelcomeApp([], UnreadableFile("/x can't be read: permission denied", hint="ask root"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "/x can't be read: permission denied" in shown(app)
        assert "ask root" in shown(app)
