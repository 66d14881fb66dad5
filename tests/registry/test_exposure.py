"""Who could change the registry besides its administrators."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.files import make_folder
from core.fleet.file import write_file
from core.registry.exposure import exposures
from tests.tui import world
from tests.tui.driving import wait_until
from tui.state.settings import Settings


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry that is its owner's alone."""
    path = tmp_path / "realms" / "registry.json"
    make_folder(path.parent)
    path.touch(0o600)
    return path


def test_a_registry_of_ones_own_is_not_exposed(registry: Path) -> None:
    """Nor one that doesn't exist yet, nor a shared one, nor one in a sticky folder that all may write to."""
    assert list(exposures(registry)) == list(exposures(registry.with_name("none"))) == []
    registry.chmod(0o660)
    registry.parent.chmod(0o1777)
    assert list(exposures(registry)) == []


@pytest.mark.parametrize("name", ["registry.json", "."])
def test_what_every_user_may_write_is_named_with_a_command_that_mends_it(registry: Path, name: str) -> None:
    """The file, or the folder in which it can be replaced."""
    path = registry if name == registry.name else registry.parent
    path.chmod(0o777)
    (found,) = exposures(registry)
    assert (found.what, found.mend) == (f"{path} is writable by every user", f"chmod o-w {path}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_told(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is shared with us by a group, or its owner is the user behind sudo."""
    monkeypatch.delenv("SUDO_UID", raising=False)
    os.chown(registry, 65534, -1)
    (found,) = exposures(registry)
    assert found.what == f"{registry} belongs to nobody, who can change every host"
    monkeypatch.setenv("SUDO_UID", "65534")
    assert list(exposures(registry)) == []
    monkeypatch.setenv("SUDO_UID", "\u00b2")
    registry.chmod(0o660)
    assert list(exposures(registry)) == []


def test_what_the_program_writes_is_its_users_alone(tmp_path: Path) -> None:
    """Whatever the umask says: settings, saved fleets, and the folders made for them."""

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    before = os.umask(0)
    try:
        settings = Settings(tmp_path / "a" / "b" / "settings.json")
        settings.save()
        wait_until(lambda: settings.path is not None and settings.path.exists())
        fleet = tmp_path / "fleet.json"
        write_file(fleet, world.saved().fleet(), world.CONFIGURATION)
        assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]
        assert [mode(tmp_path / "a" / "b" / "settings.json"), mode(fleet)] == [0o600, 0o600]
        fleet.chmod(0o640)
        write_file(fleet, world.saved().fleet(), world.CONFIGURATION)
        assert mode(fleet) == 0o640
    finally:
        os.umask(before)
