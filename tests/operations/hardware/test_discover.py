"""`realms hosts discover`: the proposed text is a configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.config.model import Configuration
from core.config.reader import load, read
from core.operations.hardware.discover import identifier, propose
from core.operations.hardware.profile_hocon import write_hocon
from tests.cli.program import runner
from tests.driver.worlds import write_node
from tests.operations.doctor.machines import A100, CONSOLE, DISK, PORT, hardware, surveyed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.driver.hosts.survey import HostSurvey
    from tests.cli.program import Outcome

GPU_NODE = surveyed(hardware(A100, replace(A100, address="41:00.0", group=40), CONSOLE, DISK, PORT))

EXISTING = """
ticrypt.vm {
  cost-functions {
    plain { memory { curve: hard-soft, soft: 512 MiB, hard: 1 GiB } }
    gpu { memory { curve: hard-soft, soft: 1 GiB, hard: 9 GiB }, devices.nvidia-a100 { curve: constant, value: 0 } }
  }
  hardware-profiles.old { cores: 2, memory: 1 GiB, cost-function: plain }
  realms.main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } }
}
"""


@pytest.fixture
def pasted(tmp_path: Path) -> Callable[[str], Configuration]:
    """Return a function that reads a text as a configuration, which must have neither errors nor warnings."""

    def paste(text: str) -> Configuration:
        file = tmp_path / "pasted.conf"
        file.write_text(text, encoding="utf-8")
        reading = read(file)
        assert reading.diagnostics == ()
        assert reading.configuration is not None
        return reading.configuration

    return paste


@pytest.mark.parametrize(
    "host",
    [
        GPU_NODE,
        surveyed(hardware(cores=1, memory_bytes=100 * 2**20)),
        surveyed(hardware(cores=4, memory_bytes=3 * 2**30 + 5 * 2**20)),
        surveyed(hardware(A100, iommu=False), host_name='h"${x}\n} # \N{RIGHT-TO-LEFT OVERRIDE}'),
        surveyed(hardware(replace(A100, name="a\n} ]\n include x", maker="caf\u00e9"))),
    ],
)
def test_a_proposal_is_accepted_as_it_stands(host: HostSurvey, pasted: Callable[[str], Configuration]) -> None:
    """Without a warning, and with exactly what the host has, whatever names it brings along."""
    proposal = propose(host, Configuration())
    profile = pasted(write_hocon(proposal)).hardware_profiles[proposal.profile.id]
    assert (profile.cores, profile.memory_bytes) == (host.hardware.cores, host.hardware.memory_bytes)
    assert profile.devices == proposal.profile.devices


def test_a_proposal_can_be_pasted_at_the_end_of_the_main_file(pasted: Callable[[str], Configuration]) -> None:
    """What was there stays as it was."""
    configuration = pasted(EXISTING + write_hocon(propose(GPU_NODE, pasted(EXISTING))))
    assert list(configuration.hardware_profiles) == ["old", "gpu-node"]
    assert configuration.hardware_profiles["gpu-node"].cost_function == "gpu-node"
    assert configuration.hardware_profiles["gpu-node"].device_types == ("nvidia-a100",)


def test_a_proposed_cost_function_leaves_memory_to_the_host_and_knows_its_devices() -> None:
    """VMs that want no device go elsewhere first."""
    function = propose(GPU_NODE, Configuration()).function
    assert function is not None
    assert function.memory is not None
    assert function.vcpus is not None
    assert function.memory.limit() == 972 * 2**30
    assert function.vcpus.limit() == 256
    assert (set(function.devices), function.offset) == ({"nvidia-a100"}, 100_000.0)


def test_a_named_cost_function_is_taken_where_it_fits(pasted: Callable[[str], Configuration]) -> None:
    """One that has no curve for a device is not; one that doesn't exist is proposed under its name."""
    configuration = pasted(EXISTING)
    fits = propose(GPU_NODE, configuration, function_id="gpu")
    assert (fits.function, fits.profile.cost_function, fits.remarks) == (None, "gpu", ())
    lacks = propose(GPU_NODE, configuration, function_id="plain")
    assert (lacks.profile.cost_function, lacks.remarks) == (
        "gpu-node",
        ("cost function plain has no curve for nvidia-a100: proposing another",),
    )
    new = propose(GPU_NODE, configuration, function_id="big")
    assert new.function is not None
    assert (new.function.id, new.profile.cost_function) == ("big", "big")
    assert pasted(EXISTING + write_hocon(new)).cost_functions.keys() == {"plain", "gpu", "big"}


def test_an_id_that_is_taken_is_told_and_a_cost_function_gets_another(pasted: Callable[[str], Configuration]) -> None:
    """Pasting must not change what is there."""
    proposal = propose(GPU_NODE, pasted(EXISTING), profile_id="gpu")
    assert proposal.function is not None
    assert proposal.function.id == "gpu-2"
    assert "profile old already exists" in propose(GPU_NODE, pasted(EXISTING), profile_id="old").remarks[0]


@pytest.mark.parametrize(
    ("name", "identity"),
    [("gpu-node12.example.org", "gpu-node"), ("h1", "h"), ("42", "host"), ("", "host"), ("GPU_3", "gpu")],
)
def test_a_profile_is_named_after_the_kind_of_host(name: str, identity: str) -> None:
    """Not after the one host that was asked."""
    assert identifier(name) == identity


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    return runner(monkeypatch, capsys)


def test_a_host_is_discovered_before_there_is_a_configuration(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """What is printed can be the first configuration."""
    uri = write_node(tmp_path / "node.xml")
    found = run("hosts", "discover", uri, "--id", "first")
    assert (found.code, found.err) == (0, "")
    (tmp_path / "ticrypt-vm.conf").write_text(found.out)
    profile = load(tmp_path / "ticrypt-vm.conf").hardware_profiles["first"]
    assert (profile.cores, profile.memory_bytes) == (16, 64 * 2**30)
    assert run("check").code == 0
    again = run("hosts", "discover", uri, "--cost-function", "first", "--json").json
    assert (again["profile"]["cost_function"], again["cost_function"]) == ("first", None)
    assert json.loads(json.dumps(again["profile"]["devices"])) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--fleet", "x.json", "test:///default"], 2, "leave out --fleet"),
        (["h1"], 2, "no driver"),
        (["qemu+ssh://h1/system?command=sh"], 2, "runs an arbitrary program"),
        (["test:///nowhere.xml"], 1, "no such file"),
        (["test:///default", "--id", " "], 2, "not a valid id"),
        (["test:///default", "--config", "nowhere.conf"], 2, "nowhere.conf"),
    ],
)
def test_a_refusal_is_polite(run: Callable[..., Outcome], arguments: list[str], code: int, says: str) -> None:
    """2 for what makes no sense, 1 for a host that doesn't answer."""
    refused = run("hosts", "discover", *arguments)
    assert (refused.code, refused.out) == (code, "")
    assert says in refused.err
