"""A folder with the sample of GPUs, and the program to run there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from tests.cli.program import runner
from tests.docs.pages import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with the sample of GPUs, its fleet, a scheduling log, and the samples beside them."""
    shutil.copytree(SAMPLES / "gpu", tmp_path, dirs_exist_ok=True)
    shutil.copytree(SAMPLES, tmp_path / "sample-configs")
    for variable in ("REALMS_CONFIG", "REALMS_REGISTRY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    monkeypatch.chdir(tmp_path)
    configuration, fleet = load(tmp_path / "ticrypt-vm.conf"), load_file(tmp_path / "fleet.json")
    for memory in (2**36, 2**40):
        placements = place(configuration, fleet, Request(8, memory, {}, None, needs_drives_pool=False), 1)
        decision = SchedulingDecision(configuration, fleet, placements, operation="create", vm="web")
        append_decision(tmp_path / "registry.json", decision)
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command there."""
    assert Path.cwd() == folder
    return runner(monkeypatch, capsys)
