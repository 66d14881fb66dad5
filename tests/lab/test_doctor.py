"""`realms doctor`, `hosts discover` and `keys` on real hosts, with what goes wrong there."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.diagnostics import Severity
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.doctor.doctor import diagnose
from core.operations.session import Session
from core.registry.hosts import HostRegistry
from tests.cli.program import runner
from tests.driver.worlds import LONG

from .parts.host_files import POOLS
from .parts.realm import hosts_of, write_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.operations.findings import Diagnosis
    from tests.cli.program import Outcome

    from .parts.host import LabHost
    from .parts.lab import Lab


@pytest.fixture
def configured(lab: Lab, tmp_path: Path) -> tuple[Path, HostRegistry]:
    """Make the lab's configuration without devices, and a registry of its hosts."""
    path = write_configuration(tmp_path)
    text = "\n".join(line for line in path.read_text().splitlines() if "devices =" not in line)
    path.write_text(text)
    registry = HostRegistry(tmp_path / "registry.json")
    for host in hosts_of(lab):
        registry.add(host, load(path))
    return path, registry


@pytest.fixture
def examine(configured: tuple[Path, HostRegistry]) -> Callable[..., Diagnosis]:
    """Return a function that examines the lab."""
    path, registry = configured

    def run(*names: str, timeout: float = LONG) -> Diagnosis:
        return diagnose(Session(load(path), registry=registry), names, timeout)

    return run


def told(diagnosis: Diagnosis, host: str, severity: Severity) -> dict[str, str]:
    """Return what was found at a host with a severity, by its check."""
    return {each.check: each.what for each in diagnosis.of(host) if each.severity is severity}


def test_the_lab_is_in_good_order_but_for_what_it_is(examine: Callable[..., Diagnosis], lab: Lab) -> None:
    """Its hosts are believed without proof; everything else was really asked."""
    lab.hosts[0].define_guest("talker", network="default")
    lab.hosts[0].start_guest("talker")
    lab.hosts[0].guest_address("talker")
    diagnosis = examine()
    assert (diagnosis.hosts_total, diagnosis.hosts_answering, diagnosis.ok) == (3, 3, True)
    assert set(told(diagnosis, "h1", Severity.WARNING)) <= {"host key", "cores", "memory", "translation"}
    well = told(diagnosis, "h1", Severity.OK)
    assert {"login", "clock", "libvirt", "qemu", "pools", "network", "host to host", "cpu model"} <= set(well)
    assert "shared storage" in well
    assert "ssh key" in told(diagnosis, "", Severity.OK)


def test_what_was_broken_is_found_and_its_mend_mends_it(examine: Callable[..., Diagnosis], lab: Lab) -> None:
    """A pool that stopped, a network that forgot to start: the commands told are run as they stand."""
    host = lab.hosts[1]
    host.virsh("pool-destroy", "ticrypt-vm-drives")
    host.virsh("net-autostart", "default", "--disable")
    found = [each for each in examine("h2").of("h2") if each.check in {"pools", "network"}]
    assert [(each.severity, each.what) for each in found] == [
        (Severity.ERROR, "pool ticrypt-vm-drives is inactive"),
        (Severity.WARNING, "the network default has autostart off"),
    ]
    for each in found:
        subprocess.run(each.mend, shell=True, check=True, capture_output=True, timeout=60)  # noqa: S602 - as one pastes it
    again = examine("h2")
    assert {"pools", "network"} <= set(told(again, "h2", Severity.OK))


def test_storage_that_was_not_mounted_is_told_by_its_size(examine: Callable[..., Diagnosis], lab: Lab) -> None:
    """Same path, another file system."""
    lab.hosts[2].lose_storage()
    lab.hosts[2].virsh("pool-refresh", "ticrypt-vm")
    diagnosis = examine()
    assert "is the storage mounted?" in told(diagnosis, "h3", Severity.WARNING)["shared storage"]
    assert "shared storage" in told(diagnosis, "h1", Severity.OK)


def test_a_hung_host_holds_up_nobody(examine: Callable[..., Diagnosis], lab: Lab) -> None:
    """Its ssh answers and its libvirt does not: that is what is told."""
    lab.hosts[0].hang()
    started = time.monotonic()
    diagnosis = examine(timeout=8.0)
    assert time.monotonic() - started < LONG / 2
    assert told(diagnosis, "h1", Severity.ERROR) == {"libvirt": "no answer in 8 s"}
    assert "login" in told(diagnosis, "h1", Severity.OK)
    assert (diagnosis.hosts_answering, diagnosis.ok) == (2, False)


def test_a_login_that_fails_says_why(
    examine: Callable[..., Diagnosis], lab: Lab, configured: tuple[Path, HostRegistry], tmp_path: Path
) -> None:
    """A key that the host doesn't know; a user without any."""
    path, registry = configured
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    uri = lab.hosts[0].uri.replace(str(lab.key), str(tmp_path / "other"))
    registry.add(Host(name="locked out", realm="lab", uri=uri, profile="lab"), load(path))
    found = next(each for each in examine("locked out").of("locked out"))
    assert (found.severity, found.check) == (Severity.ERROR, "login")
    assert (found.what, found.mend) == (
        "the host accepts none of the keys offered",
        "realms keys install 'locked out'",
    )


def test_a_machine_registered_twice_is_told(
    examine: Callable[..., Diagnosis], lab: Lab, configured: tuple[Path, HostRegistry]
) -> None:
    """Libvirt's UUID of the host gives it away, though the URIs differ."""
    path, registry = configured
    twin = replace(hosts_of(lab)[0], name="twin", uri=lab.hosts[0].local_uri, static_address=None)
    registry.add(twin, load(path))
    diagnosis = examine("h1", "twin")
    assert "the same machine as twin" in told(diagnosis, "h1", Severity.WARNING)["same machine"]


@pytest.fixture
def run(
    configured: tuple[Path, HostRegistry], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Return a function that runs a command on the lab's configuration and registry."""
    path, _ = configured
    monkeypatch.setenv("REALMS_CONFIG", str(path))
    monkeypatch.setenv("REALMS_REGISTRY", str(path.parent / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    return runner(monkeypatch, capsys)


def test_a_real_host_is_discovered_as_it_is(run: Callable[..., Outcome], lab: Lab, tmp_path: Path) -> None:
    """What is printed is read again, and the doctor has nothing against it."""
    found = run("hosts", "discover", lab.hosts[0].uri, "--id", "real", "--timeout", str(LONG))
    assert (found.code, found.err) == (0, "")
    main = tmp_path / "ticrypt-vm.conf"
    main.write_text(main.read_text() + "\n" + found.out)
    assert load(main).hardware_profiles["real"].cores == os.cpu_count()
    assert run("hosts", "edit", "h1", "--profile", "real").code == 0
    rows = run("doctor", "h1", "--json").json["findings"]
    assert [row["check"] for row in rows if row["severity"] == "ok" and row["host"] == "h1"].count("devices") == 0
    assert not [row for row in rows if row["check"] == "cores"]


@pytest.fixture
def own_login(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the user have a way in: an agent that holds the lab's key."""
    path = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL) as agent:
        try:
            while not path.exists():
                assert agent.poll() is None
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
            subprocess.run(["ssh-add", "-q", str(lab.key)], check=True)
            yield
        finally:
            agent.terminate()


def authorized(host: LabHost) -> str:
    """Read root's authorized keys on a host."""
    return host.run("cat", "/root/.ssh/authorized_keys")


@pytest.fixture
def keys_put_back(lab: Lab) -> Iterator[None]:
    """Leave the hosts with the keys that they had."""
    before = [authorized(host) for host in lab.hosts]
    yield
    for host, keys in zip(lab.hosts, before, strict=True):
        host.run("tee", "/root/.ssh/authorized_keys", stdin=keys)


def test_a_key_gets_on_a_host_once_and_opens_it(
    run: Callable[..., Outcome], lab: Lab, tmp_path: Path, own_login: None, keys_put_back: None
) -> None:
    """Appended to a file whose last line was not ended; the second time it is there already."""
    host = lab.hosts[0]
    host.run("sh", "-c", "printf '# a comment' >> /root/.ssh/authorized_keys; chmod 644 /root/.ssh/authorized_keys")
    key = tmp_path / "service"
    assert run("keys", "make", "--file", key).code == 0
    uri = host.uri.replace(str(lab.key), str(key))
    first = run("keys", "install", uri)
    assert (first.code, "key installed" in first.out) == (0, True), first.err
    lines = authorized(host).splitlines()
    assert lines[-2:] == ["# a comment", key.with_name("service.pub").read_text().strip()]
    assert host.run("stat", "-c", "%a", "/root/.ssh", "/root/.ssh/authorized_keys").split() == ["700", "600"]
    assert "already installed" in run("keys", "install", uri).out
    assert len(authorized(host).splitlines()) == len(lines)
    assert run("hosts", "test", uri, "--timeout", str(LONG)).code == 0


def test_a_key_is_replaced_by_a_login_with_the_old_one(
    run: Callable[..., Outcome], lab: Lab, tmp_path: Path, keys_put_back: None
) -> None:
    """Registered hosts by their names: the URI's key is the way in, and the new one is put beside it."""
    run("keys", "make", "--file", tmp_path / "new", "--type", "ed25519")
    installed = run("keys", "install", "h1", "h2", "--file", tmp_path / "new", "--yes")
    assert (installed.code, installed.out.count("key installed")) == (0, 2), installed.err
    line = (tmp_path / "new.pub").read_text().strip()
    assert [line in authorized(host) for host in lab.hosts] == [True, True, False]


def test_a_key_that_is_commented_out_is_not_there(
    run: Callable[..., Outcome], lab: Lab, tmp_path: Path, keys_put_back: None
) -> None:
    """Nor does a shell read what a key's comment says."""
    run("keys", "make", "--file", tmp_path / "new", "--type", "ed25519")
    public = tmp_path / "new.pub"
    kind, blob, _ = public.read_text().split(maxsplit=2)
    public.write_text(f"{kind} {blob} $(touch /root/.ssh/hacked) `id` '; rm -rf /nowhere\n")
    lab.hosts[0].run("sh", "-c", "cat >> /root/.ssh/authorized_keys", stdin=f"# {kind} {blob}\n")
    assert "key installed" in run("keys", "install", "h1", "--file", tmp_path / "new").out
    assert authorized(lab.hosts[0]).splitlines()[-1] == public.read_text().strip()
    assert "hacked" not in lab.hosts[0].run("ls", "/root/.ssh")


def test_a_host_without_a_way_in_is_told_and_the_others_are_done(
    run: Callable[..., Outcome], lab: Lab, tmp_path: Path, keys_put_back: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and nothing is asked where there is no terminal."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    run("keys", "make", "--file", tmp_path / "new", "--type", "ed25519")
    locked = lab.hosts[1].uri.replace(str(lab.key), str(tmp_path / "new"))
    installed = run("keys", "install", locked, "h1", "--file", tmp_path / "new")
    assert (installed.code, installed.out.count("key installed")) == (1, 1)
    assert "accepts none of the keys" in installed.err


def test_a_survey_tells_what_virsh_would(lab: Lab) -> None:
    """Pools, networks, devices and use of a real libvirt."""
    from core.driver.hosts.survey import survey

    host = lab.hosts[0]
    host.define_guest("sized", vcpus=2, memory_mib=64, network=None)
    host.start_guest("sized", paused=True)
    seen = survey(host.uri, LONG)
    assert {pool.state for pool in seen.pools} == {PoolState.ACTIVE}
    assert {pool.path for pool in seen.pools} == {str(host.shared / folder) for folder in POOLS.values()}
    assert {network.name: network.forward for network in seen.networks} == {"default": "nat", "lab": "bridge"}
    assert (seen.occupation.vms, seen.occupation.vcpus, seen.occupation.memory_bytes) == (1, 2, 64 * 2**20)
    assert len(seen.hardware.devices or ()) == len(host.virsh("nodedev-list", "--cap", "pci").split())
    assert seen.hardware.machine_uuid == host.machine_uuid
    assert seen.software.libvirt >= (9, 0, 0)
