"""A folder with a configuration and a saved fleet, and the program to run there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Outcome, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLACES = """
ticrypt.vm {
  cost-functions {
    cpu {
      name: "CPU nodes"
      vms { curve: linear, slope: 1, base: 0 }
      vcpus { curve: hard-soft, soft: 96, hard: 128, softAmt: 48, hardAmt: 480 }
      memory { curve: hard-soft, soft: 800 GiB, hard: 850 GiB, softAmt: 50, hardAmt: 500 }
    }
    gpu {
      vms { curve: linear, slope: 1, base: 0 }
      memory { curve: hard-soft, soft: 800 GiB, hard: 850 GiB, softAmt: 50, hardAmt: 500 }
      devices.a100: { curve: linear, slope: 25, base: 0, max: 2 }
      offset: 100000
      scale: 2
    }
  }
  hardware-profiles {
    cpu-node { cores: 128, memory: 1 TiB, cost-function: cpu }
    gpu-node {
      cores: 128, memory: 1 TiB, cost-function: gpu
      devices: [ { type: a100, addr: "c1:00.0" }, { type: a100, addr: "01:00.0" }, { type: a100, addr: "41:00.0" } ]
    }
  }
  realms {
    main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } }
    old { disabled: true, driver: libvirt, name: Old, drives { lazy-allocation: on } }
  }
}
"""
HOSTS = [
    {"name": "h1", "realm": "main", "profile": "cpu-node", "state": "enabled"},
    {"name": "h2", "realm": "main", "profile": "cpu-node", "state": "enabled"},
    {"name": "h3", "realm": "main", "profile": "gpu-node", "state": "enabled"},
    {"name": "h4", "realm": "main", "profile": "cpu-node", "state": "no-scheduling", "pools": {}},
    {"name": "h5", "realm": "main", "profile": "cpu-node", "state": "enabled", "connection": "unreachable",
     "age": 48, "error": "refused\x1b[31m"},
    {"name": "h6", "realm": "old", "profile": "cpu-node", "state": "enabled"},
]  # fmt: skip
VMS = [
    {"name": "web", "host": "h1", "vcpus": 40, "memory": 336 * 2**30, "devices": []},
    {"name": "db", "host": "h2", "vcpus": 8, "memory": 846 * 2**30, "devices": []},
    {"name": "ml", "host": "h3", "vcpus": 8, "memory": 64 * 2**30, "devices": ["01:00.0"]},
]
FLEET = {"format": "libvirt-realms-fleet/1", "taken": "2026-11-22T10:00:00Z", "hosts": HOSTS, "vms": VMS}


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
    """Give a function that runs a command there."""
    return runner(monkeypatch, capsys)
