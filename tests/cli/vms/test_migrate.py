"""`realms vms migrate` as one types it: what is refused before any host is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Outcome, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIGURATION = """
ticrypt.vm {
  cost-functions { c { vms { curve: linear, slope: 1, base: 0 } } }
  hardware-profiles { p { cores: 4, memory: 8 GiB, cost-function: c } }
  realms { main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } } }
}
"""
FLEET = """{"format": "libvirt-realms-fleet/1", "taken": "2026-11-22T10:00:00Z",
"hosts": [{"name": "h1", "realm": "main", "profile": "p", "state": "enabled"}], "vms": [{"name": "web", "host": "h1",
"vcpus": 1, "memory": 1024, "devices": []}]}"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs the command in a folder with a configuration and a saved fleet."""
    (tmp_path / "ticrypt-vm.conf").write_text(CONFIGURATION)
    (tmp_path / "fleet.json").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    program = runner(monkeypatch, capsys)
    return lambda *arguments: program("vms", "migrate", *arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("web", "--offline", "--tls"), "an offline move sends no memory"),
        (("web", "--mode", "tunnelled", "--copy-storage"), "can't copy storage"),
        (("web", "--mode", "postal"), "postal"),
        (("web", "--migrate-uri", "h2"), "is not a migration URI"),
        (("web", "--fleet", "fleet.json"), "a saved fleet"),
        (("web", "--fleet", "fleet.json", "--check"), "a saved fleet has no VMs"),
        (("web", "--read-only"), "read-only"),
        (("web",), "no VM 'web'"),
        ((), "VM"),
    ],
)
def test_what_makes_no_sense_exits_2_and_says_why(
    run: Callable[..., Outcome], arguments: tuple[str, ...], says: str
) -> None:
    """On standard error, with nothing on standard output."""
    outcome = run(*arguments)
    assert outcome.code == 2
    assert says in outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


def test_the_help_names_every_option(run: Callable[..., Outcome]) -> None:
    """Those that the contract fixes."""
    outcome = run("--help")
    assert outcome.code == 0
    for option in ("--to", "--offline", "--mode", "--tls", "--copy-storage", "--unsafe", "--check", "--force",
                   "--foreign", "--timeout", "--within", "--json", "--yes"):  # fmt: skip
        assert option in outcome.out
