"""What the wizard that adds a host does about a missing ssh key: it makes, shows and installs one, after asking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from core.codes import Check
from core.operations.doctor.contact import Contact
from core.operations.findings import Checkup
from core.operations.ssh.keys import KeyType, make_key
from tests.tui.driving import dialog_text, dialog_words, settle, told, until, wizard_of
from tests.tui.screens.hosts.wizard_world import session_of
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.screens.dialogs.confirm import Confirm
from tui.screens.hosts.wizard.ssh_key import KeyHelp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without keys."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


async def turned_away(pilot: Pilot[int]) -> KeyHelp:
    """Show the second page as it is where the host's sshd accepts no key of ours."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    uri = "qemu+ssh://nobody@127.0.0.1:1/system"
    await settle(pilot)
    await pilot.press("a", *"h9")
    wizard = wizard_of(app)
    wizard.draft.host = replace(wizard.draft.host, name="h9", uri=uri)
    refused = Checkup("h9").error(
        Check.LOGIN, "the host accepts none of the keys offered", "realms keys install h9", wants_key=True
    )
    wizard.draft.contact = Contact(uri, (refused,), None)
    wizard.go_to_page(1)
    await until(pilot, lambda: wizard.query_one(KeyHelp).display)
    return wizard.query_one(KeyHelp)


@pytest.mark.parametrize("kind", list(KeyType))
async def test_a_key_is_made_after_asking(tmp_path: Path, home: Path, kind: KeyType) -> None:
    """Then its line is shown, can be copied, and can be installed."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        offered = await turned_away(pilot)
        assert "Key none at" in dialog_words(app)
        offered.query_one(f"#make-{kind.value}", Button).press()
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert not (home / ".ssh").exists()
        await pilot.press("enter")
        await until(pilot, lambda: offered.query_one("#install-row").display)
        line = (home / ".ssh" / f"id_{kind.value}.pub").read_text().strip()
        assert line.split()[1][:60] in "".join(dialog_text(app).split())
        offered.query_one("#copy", Button).press()
        await settle(pilot)
        assert app.clipboard == line


async def test_installing_a_key_asks_first_and_says_where_no_terminal_is(tmp_path: Path, home: Path) -> None:
    """The question names who gets in, and where."""
    make_key(home / ".ssh" / "id_ed25519", KeyType.ED25519)
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        offered = await turned_away(pilot)
        offered.query_one("#install", Button).press()
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert "ssh -p 1 nobody@127.0.0.1 appends the public key" in dialog_words(app)
        assert f"Anyonewith{home}/.ssh/id_ed25519canthenloginthere" in dialog_words(app).replace(" ", "")
        await pilot.press("enter")
        await settle(pilot)
        assert told(app) == ["Cannot run ssh in this terminal.\nrealms keys install URI"]


async def test_a_key_that_is_none_is_told_and_not_replaced(tmp_path: Path, home: Path) -> None:
    """Somebody may need it."""
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_rsa").write_text("not a key")
    (home / ".ssh" / "id_rsa.pub").write_text("not a key")
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        offered = await turned_away(pilot)
        assert "is not a public ssh key" in dialog_words(app)
        assert not offered.query_one("#make-row").display
        assert not offered.query_one("#install-row").display
