"""A realm of two hosts of libvirt's test driver, and the program to run there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.realms import Realm
from tests.cli.program import Outcome, runner
from tests.driver.worlds import Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIGURATION = """
ticrypt.vm {
  cost-functions { f { vms { curve: linear, slope: 1, base: 0 } } }
  hardware-profiles { p { cores: 8, memory: 64 GiB, cost-function: f } }
  realms { r { disabled: false, driver: libvirt, name: R, drives { lazy-allocation: on, max-size: 1 GiB } } }
}
"""
POOLS = Realm(id="r", name="R").pools


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command. Each connection is to a world of its own: what is done doesn't last."""
    (tmp_path / "ticrypt-vm.conf").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    run = runner(monkeypatch, capsys)
    for name, pools in (("h1", POOLS), ("h2", POOLS[:3])):
        uri = write_node(tmp_path / f"{name}.xml", [Guest(name="vm")], pools=pools)
        assert run("hosts", "add", name, "--realm", "r", "--uri", uri, "--profile", "p").code == 0
    return run
