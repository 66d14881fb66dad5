"""A configuration, and the commands as one types them."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass

import pytest

from tui.__main__ import main

CONFIGURATION = """
ticrypt.vm {
  cost-functions {
    simple {
      vms: { curve: linear, slope: 1.0, base: 0.0 }
      vcpus: { curve: linear, slope: 0.5, base: 0.0 }
      memory: { curve: constant, value: 0.0 }
    }
  }
  hardware-profiles {
    plain { cores: 16, memory: 3 GiB, cost-function: simple }
    gpu { cores: 8, memory: 64 GiB, cost-function: simple }
  }
  realms {
    main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } }
    lab { disabled: true, driver: libvirt, name: Lab, drives { lazy-allocation: on } }
  }
}
"""


SAVED = {
    "format": "libvirt-realms-fleet/1",
    "taken": "2026-11-22T10:00:00Z",
    "hosts": [{"name": "s1", "realm": "main", "profile": "plain", "state": "enabled"}],
    "vms": [{"name": "web", "host": "s1", "vcpus": 2, "memory": 2**30, "devices": []}],
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def hosts(self):
        """The hosts of a JSON document, by name."""
        return {row["name"]: row for row in json.loads(self.out)["hosts"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder with a configuration, in which the commands run."""
    (tmp_path / "ticrypt-vm.conf").write_text(CONFIGURATION)
    (tmp_path / "fleet.json").write_text(json.dumps(SAVED))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def realms(folder, monkeypatch, capsys):
    """Give a function that runs a command in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["realms", *arguments])
        on_pipe = signal.getsignal(signal.SIGPIPE)
        try:
            with pytest.raises(SystemExit) as end:
                main()
        finally:
            signal.signal(signal.SIGPIPE, on_pipe)
        return Outcome(end.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def add(realms):
    """Give a function that adds a host of libvirt's embedded driver."""

    def run(name, *arguments, uri="test:///default", profile="plain", realm="main"):
        return realms("hosts", "add", name, "--realm", realm, "--uri", uri, "--profile", profile, *arguments)

    return run
