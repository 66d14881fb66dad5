"""`realms doctor` on libvirt's embedded driver, as one types it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import runner
from tests.driver.silence import silent_host
from tests.driver.worlds import LONG, Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

CONFIGURATION = """
ticrypt.vm {
  cost-functions.simple { memory { curve: hard-soft, soft: 32 GiB, hard: 64 GiB } }
  hardware-profiles.plain { cores: 16, memory: 64 GiB, cost-function: simple }
  hardware-profiles.large { cores: 32, memory: 256 GiB, cost-function: simple }
  realms {
    main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } }
    off { disabled: true, driver: libvirt, name: Off, drives { lazy-allocation: on } }
  }
}
"""
POOLS = ["ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks", "ticrypt-vm-snapshots"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command in a folder with a configuration."""
    (tmp_path / "ticrypt-vm.conf").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    return runner(monkeypatch, capsys)


@pytest.fixture
def add(run: Callable[..., Outcome], tmp_path: Path) -> Callable[..., None]:
    """Return a function that registers a host; without a URI one of the embedded driver, with these pools."""

    def register(name: str, *more: str, uri: str = "", pools: list[str] = POOLS, guests: int = 0) -> None:
        here = [Guest(name=f"g{number}", vcpus=20, memory_mib=1024) for number in range(guests)]
        uri = uri or write_node(tmp_path / f"{name}.xml", here, pools=pools)
        arguments = {"--realm": "main", "--profile": "plain"} | dict(zip(more[::2], more[1::2], strict=True))
        words = [word for pair in arguments.items() for word in pair]
        assert run("hosts", "add", name, "--uri", uri, *words).code == 0

    return register


def found(outcome: Outcome, host: str | None, severity: str) -> list[str]:
    """Return what was found at a host with a severity, each with its check."""
    rows = outcome.json["findings"]
    return [f"{row['check']}: {row['what']}" for row in rows if (row["host"], row["severity"]) == (host, severity)]


def test_a_host_in_good_order_ends_with_0(run: Callable[..., Outcome], add: Callable[..., None]) -> None:
    """The shape is the contract's; what is about this machine has no host."""
    add("h1", guests=1)
    healthy = run("doctor", "--json")
    assert healthy.code == 0
    document = healthy.json
    assert {key: document[key] for key in ("hosts_total", "hosts_answering", "ok")} == {
        "hosts_total": 1, "hosts_answering": 1, "ok": True,
    }  # fmt: skip
    assert {tuple(row) for row in document["findings"]} == {("host", "severity", "check", "what", "mend")}
    assert {row["host"] for row in document["findings"]} == {None, "h1"}
    assert found(healthy, "h1", "error") == []
    assert "overcommit: its active VMs have 20 vCPUs for 16 cores" in found(healthy, "h1", "info")


def test_what_is_wrong_is_told_worst_first_with_how_to_mend_it(
    run: Callable[..., Outcome], add: Callable[..., None]
) -> None:
    """The host with an error comes before the one without; what is well is shown when asked for."""
    add("good")
    add("bad", "--profile", "large", pools=POOLS[:2])
    sick = run("doctor")
    assert sick.code == 1
    assert sick.out.index("bad\n") < sick.out.index("good")
    assert "error    pools: the realm's pools ticrypt-bricks, ticrypt-vm-snapshots are missing" in sick.out
    assert "-> realms pools setup --host bad" in sick.out
    assert "warning  cores: profile large has 32 cores, the host 16" in sick.out
    assert "2 of 2 hosts answered; 1 error" in sick.out
    assert "  ok  " not in sick.out
    assert "  ok  " in run("doctor", "--all").out


def test_a_hung_host_holds_up_nobody(run: Callable[..., Outcome], add: Callable[..., None]) -> None:
    """It has its own time, and says so; the others are told in full."""
    with silent_host() as silent:
        add("hung", uri=silent.uri)
        add("good")
        started = time.monotonic()
        told = run("doctor", "--timeout", "1", "--json")
        assert time.monotonic() - started < LONG / 2
    assert told.code == 1
    assert found(told, "hung", "error") == ["libvirt: no answer in 1 s"]
    assert found(told, "good", "error") == []
    assert (told.json["hosts_answering"], told.json["hosts_total"]) == (1, 2)


def test_hosts_that_nothing_connects_to_are_asked_only_by_name(
    run: Callable[..., Outcome], add: Callable[..., None]
) -> None:
    """Disabled, or of a disabled realm."""
    add("asleep", "--state", "disabled")
    add("other", "--realm", "off")
    told = run("doctor", "--json")
    assert (told.code, told.json["hosts_total"]) == (0, 0)
    assert found(told, "asleep", "info") == ["host: is disabled: not asked"]
    assert found(told, "other", "info") == ["host: is in a disabled realm: not asked"]
    assert run("doctor", "asleep", "--json").json["hosts_answering"] == 1


def test_a_host_whose_realm_or_profile_is_gone_says_so(
    run: Callable[..., Outcome], add: Callable[..., None], tmp_path: Path
) -> None:
    """It is asked all the same."""
    add("h1")
    renamed = CONFIGURATION.replace("main {", "major {").replace(".plain", ".simple")
    (tmp_path / "ticrypt-vm.conf").write_text(renamed)
    told = run("doctor", "--json")
    assert [line.partition(":")[0] for line in found(told, "h1", "error")] == ["realm", "profile"]
    assert told.json["hosts_answering"] == 1


def test_an_empty_registry_is_no_error(run: Callable[..., Outcome]) -> None:
    """It says how to begin."""
    told = run("doctor")
    assert told.code == 0
    assert "realms hosts add" in told.out
    assert "0 of 0 hosts answered" in told.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["h9"], "no host named 'h9'"), (["test:///default"], "realms hosts test"), (["--fleet", "f.json"], "--fleet")],
)
def test_a_refusal_is_polite(run: Callable[..., Outcome], tmp_path: Path, arguments: list[str], says: str) -> None:
    """Exit code 2."""
    fleet = {"format": "libvirt-realms-fleet/1", "taken": "2026-11-22T10:00:00Z", "hosts": [], "vms": []}
    (tmp_path / "f.json").write_text(json.dumps(fleet))
    refused = run("doctor", *arguments)
    assert (refused.code, refused.out, says in refused.err) == (2, "", True)
