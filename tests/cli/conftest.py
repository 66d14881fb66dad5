"""A folder with a configuration and a saved fleet, and the program to run there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Outcome, runner
from tests.cli.saved_fleet import FLEET, PLACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a configuration and a saved fleet, in which the commands run."""
    (tmp_path / "ticrypt-vm.conf").write_text(PLACES)
    (tmp_path / "fleet.json").write_text(json.dumps(FLEET))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def run(places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command there."""
    return runner(monkeypatch, capsys)
