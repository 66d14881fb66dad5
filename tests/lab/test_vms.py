"""VMs made, started, stopped and deleted on real hosts, with real guests; programs that are killed; hosts that go."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from core.config.reader import load
from core.driver.vms.leases import leases_of
from core.errors import DriverError
from core.hosts import StaticAddress
from core.operations.storage.policy import VolumeInUse
from core.operations.vms.delete import delete_vm
from core.operations.vms.guest_registration import NotRegistered
from core.operations.vms.power import Action, NotShutDown, act
from core.operations.vms.spec import ExistingDrive, NewDrive
from core.operations.vms.start import RunsElsewhere, start_vm
from core.operations.vms.target import ForeignVM
from core.registry.hosts import HostRegistry
from tests.cli.program import runner
from tests.operations.vms.world import open_door

from .parts.administrator import Serial
from .parts.guests import Boot
from .parts.host import answers
from .parts.vms import MIB, Realm
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from core.driver.vms.leases import Lease
    from tests.cli.program import Outcome

    T = TypeVar("T")


@pytest.mark.timeout(400)
def test_a_vm_lives_from_its_creation_to_its_end(realm: Realm) -> None:
    """Made of a brick, it boots, registers, is paused, shut down, started again, and deleted with its volumes."""
    created = realm.create("web", drives=(NewDrive(16 * MIB),))
    assert created.registered is not None
    vm = realm.target("web").vm
    assert (vm.managed, vm.memory_bytes, vm.vcpus) == (True, 96 * MIB, 1)
    endpoint = eventually(lambda: realm.target("web").vm.endpoint, "the address of the guest, which its agent outran")
    address, _, port = endpoint.rpartition(":")
    eventually(lambda: answers(address, int(port)), "the guest at its endpoint")
    host = next(host for host in realm.lab.hosts if host.name == created.placement.host)
    image = json.loads(
        host.run("qemu-img", "info", "-U", "--output=json", str(realm.lab.shared / "vm" / created.boot_volume))
    )
    assert image["backing-filename"].endswith("bricks/lab-guest.qcow2")
    realm.act("web", Action.PAUSE)
    assert host.guest_state("web") == "paused"
    realm.act("web", Action.RESUME)
    realm.act("web", Action.OFF)
    assert host.guest_state("web") == "shut off"
    assert HostRegistry(realm.registry).abandoned() == ()
    realm.task(lambda control: start_vm(realm.session, control, realm.target("web")))
    assert host.guest_state("web") == "running"
    realm.task(
        lambda control: delete_vm(realm.session, control, realm.target("web"), volumes=True, drives=True, force=True)
    )
    eventually(lambda: HostRegistry(realm.registry).reservations() == (), "the end of its reservation")
    realm.assert_nothing_is_left()


@pytest.mark.timeout(400)
def test_a_lease_from_before_its_start_does_not_prove_that_a_vm_is_up(realm: Realm) -> None:
    """Someone else may answer at that address: here one who always does."""
    with open_door() as door:
        registry = HostRegistry(realm.registry)
        for host in registry.hosts():
            door_of_host = replace(host, static_address=StaticAddress(f"127.0.0.{host.name[1:]}", door))
            registry.replace(host, door_of_host, load(realm.configuration))
        created = realm.create("web", host="h1")
        assert created.registered is not None

        def lent() -> frozenset[Lease]:
            connection = realm.session.connect().submit("h1", lambda connection: leases_of(connection, created.uuid))
            return connection.result(30)

        before = eventually(lent, "the first lease of the guest")
        realm.act("web", Action.OFF)
        assert lent() == before
        realm.task(lambda control: start_vm(realm.session, control, realm.target("web")))
        assert lent() - before


def test_a_full_copy_does_not_need_its_brick(realm: Realm) -> None:
    """It has no backing file."""
    created = realm.create("copy", full_copy=True, wait=False)
    host = next(host for host in realm.lab.hosts if host.name == created.placement.host)
    path = str(realm.lab.shared / "vm" / created.boot_volume)
    assert "backing-filename" not in json.loads(host.run("qemu-img", "info", "-U", "--output=json", path))


def test_a_vm_that_does_not_register_is_stopped_and_removed(realm: Realm) -> None:
    """A real guest, that has not come up after three seconds."""
    realm.session.close()
    realm.session = realm.open(timeout=3.0)
    with pytest.raises(NotRegistered, match="has not registered within 3 seconds"):
        realm.create("late", drives=(NewDrive(16 * MIB),))
    realm.assert_nothing_is_left()


def test_a_network_filter_that_the_host_has_not_is_refused_before_anything_is_made(realm: Realm) -> None:
    """Libvirt itself would look for it when the VM starts."""
    with pytest.raises(DriverError, match="unknown network filter 'no-such-filter'") as refused:
        realm.create("web", network_filter="no-such-filter", drives=(NewDrive(16 * MIB),))
    assert "virsh nwfilter-list" in refused.value.hint
    steps = [step.what for step in realm.session.tasks.views()[-1].steps]
    assert not [step for step in steps if step.startswith("make")]
    realm.assert_nothing_is_left()


def test_full_storage_fails_the_copy_and_leaves_nothing(realm: Realm) -> None:
    """The reason is told."""
    realm.lab.hosts[0].fill_storage(leave=4 * MIB)
    try:
        with pytest.raises(Exception, match=r"(?i)no space left"):
            realm.create("web", full_copy=True)
    finally:
        realm.lab.hosts[0].empty_storage()
    realm.assert_nothing_is_left()


def test_a_vm_is_never_started_while_its_like_runs_elsewhere(realm: Realm) -> None:
    """Nor while a host that might run it hangs, unless that is forced."""
    created = realm.create("web", host="h1", wait=False)
    first, second, third = realm.lab.hosts
    xml = first.virsh("dumpxml", "--inactive", "web")
    realm.act("web", Action.OFF)
    second.run("virsh", "--quiet", "create", "/dev/stdin", stdin=xml)
    with pytest.raises(RunsElsewhere, match="is active on h2"):
        realm.task(lambda control: start_vm(realm.session, control, realm.target("h1/web"), wait=False))
    assert first.guest_state("web") == "shut off"
    second.virsh("destroy", "web")
    third.cut()
    try:
        realm.session.connect().wait(lambda fleet: fleet.hosts[2].connection == "unreachable", 60)
        with pytest.raises(RunsElsewhere, match="cannot check whether web is running on h3"):
            realm.task(lambda control: start_vm(realm.session, control, realm.target("h1/web"), wait=False))
        realm.task(lambda control: start_vm(realm.session, control, realm.target("h1/web"), force=True, wait=False))
    finally:
        third.join()
    assert first.guest_state("web") == "running"
    assert created.placement.host == "h1"


def test_a_drive_belongs_to_one_running_vm(realm: Realm) -> None:
    """Seen from another host than that of the VM; and a drive that a VM has is not deleted with another."""
    first = realm.lab.hosts[0]
    first.virsh("vol-create-as", "ticrypt-vm-drives", "data.qcow2", "16M", "--format", "qcow2")
    drive = (ExistingDrive("data.qcow2"),)
    realm.create("one", host="h1", drives=drive, wait=False)
    with pytest.raises(VolumeInUse, match=r"drive data\.qcow2 is in use by VM h1/one"):
        realm.create("two", host="h2", drives=drive, wait=False)
    realm.act("one", Action.OFF)
    realm.create("two", host="h2", drives=drive, wait=False)
    with pytest.raises(VolumeInUse, match=r"in use by VM h2/two"):
        realm.task(lambda control: start_vm(realm.session, control, realm.target("one"), wait=False))
    with pytest.raises(VolumeInUse, match=r"data\.qcow2 is in use by VM h2/two"):
        realm.task(lambda control: delete_vm(realm.session, control, realm.target("one"), volumes=True, drives=True))
    realm.task(lambda control: delete_vm(realm.session, control, realm.target("one"), volumes=True))
    assert realm.files("drives") == {"data.qcow2"}


def _unlisted_vm(realm: Realm, name: str) -> None:
    """Define a VM on the first host whose volumes no pool has listed yet, as after a migration."""
    first = realm.lab.hosts[0]
    xml = first.virsh("dumpxml", "--inactive", "one").replace("<name>one<", f"<name>{name}<")
    xml = re.sub(r"<uuid>[^<]*", f"<uuid>{uuid4()}", xml)
    for folder in ("vm", "drives"):
        for file in sorted(realm.files(folder)):
            if file.startswith(("one", "fresh")) and f"/{file}'" in xml:
                first.run(
                    "cp", str(realm.lab.shared / folder / file), str(realm.lab.shared / folder / f"{name}-{file}")
                )
                xml = xml.replace(f"/{file}'", f"/{name}-{file}'")
    assert f"/{name}-" in xml
    first.run("sh", "-c", "cat > /tmp/unlisted.xml", stdin=xml)
    first.virsh("define", "/tmp/unlisted.xml")
    realm.session.connect().wait(lambda fleet: any(vm.name == name for vm in fleet.vms()), 30)


def test_volumes_that_no_pool_has_listed_yet_are_the_vms_volumes(realm: Realm, run: Callable[..., Outcome]) -> None:
    """Asked for before a start, copied and deleted; one that can't be deleted stops the deletion before it begins."""
    first, second = realm.lab.hosts[:2]
    first.virsh("vol-create-as", "ticrypt-vm-drives", "fresh.qcow2", "16M", "--format", "qcow2")
    realm.create("one", host="h1", drives=(ExistingDrive("fresh.qcow2"),), wait=False)
    realm.act("one", Action.OFF)
    _unlisted_vm(realm, "late")
    second.define_guest("other", boot=Boot.NOTHING, memory_mib=32, network=None)
    drive = str(realm.lab.shared / "drives/late-fresh.qcow2")
    second.virsh("attach-disk", "other", drive, "vda", "--subdriver", "qcow2", "--config")
    second.start_guest("other")
    with pytest.raises(VolumeInUse, match=r"late-fresh\.qcow2 is in use by VM h2/other"):
        realm.task(lambda control: start_vm(realm.session, control, realm.target("late"), wait=False))
    second.virsh("destroy", "other")
    second.virsh("undefine", "other")
    assert run("vms", "snapshot", "late").code == 0
    realm.task(lambda control: delete_vm(realm.session, control, realm.target("late"), volumes=True, drives=True))
    assert not {name for folder in ("vm", "drives") for name in realm.files(folder) if name.startswith("late")}
    _unlisted_vm(realm, "lost")
    first.virsh("pool-destroy", "ticrypt-vm-drives")
    with pytest.raises(DriverError, match=r"cannot delete .*lost-fresh\.qcow2: pool ticrypt-vm-drives is inactive"):
        realm.task(lambda control: delete_vm(realm.session, control, realm.target("lost"), volumes=True, drives=True))
    first.virsh("pool-start", "ticrypt-vm-drives")
    first.run("rm", str(realm.lab.shared / "drives/lost-fresh.qcow2"))
    with pytest.raises(DriverError, match=r"cannot delete .*lost-fresh\.qcow2: it is not there"):
        realm.task(lambda control: delete_vm(realm.session, control, realm.target("lost"), volumes=True, drives=True))
    assert "lost" in realm.names()["h1"]
    realm.task(lambda control: delete_vm(realm.session, control, realm.target("lost"), volumes=True))
    realm.task(lambda control: delete_vm(realm.session, control, realm.target("one"), volumes=True, drives=True))
    realm.assert_nothing_is_left()


def test_saved_memory_holds_what_it_was_saved_with(realm: Realm, run: Callable[..., Outcome]) -> None:
    """Shown, refused what would break it, gone on from with its drive, and given up only on purpose."""
    first = realm.lab.hosts[0]
    for drive in ("held.qcow2", "spare.qcow2"):
        first.virsh("vol-create-as", "ticrypt-vm-drives", drive, "16M", "--format", "qcow2")
    realm.create("web", host="h1", drives=(ExistingDrive("held.qcow2"),))
    assert run("vms", "snapshot", "web", "s").code == 0
    saved = run("vms", "save", "web", "--json")
    assert states(saved.json) == [("web", "saved", True)]
    assert states(run("vms", "save", "web", "--json").json) == [("web", "saved", False)]
    (row,) = run("vms", "list", "--json").json["vms"]
    assert (row["state"], row["active"]) == ("saved", False)
    first.virsh("detach-disk", "web", str(realm.lab.shared / "drives/held.qcow2"), "--config")
    for refused in (
        ("vms", "attach-drive", "web", "spare.qcow2"),
        ("vms", "restore", "web", "s"),
        ("vms", "delete", "web"),
        ("vms", "migrate", "web", "--to", "h2", "--offline"),
        ("drives", "delete", "held.qcow2", "--yes"),
    ):
        outcome = run(*refused)
        assert outcome.code == 1, refused
        assert "realms vms discard-save" in outcome.err or "in use by VM h1/web" in outcome.err, (refused, outcome.err)
    assert states(run("vms", "start", "web", "--no-wait", "--json").json) == [("web", "running", True)]
    assert "held.qcow2" in first.virsh("domblklist", "web")
    assert "restored" in first.virsh("domstate", "--reason", "web")
    assert states(run("vms", "save", "web", "--json").json) == [("web", "saved", True)]
    assert states(run("vms", "discard-save", "web", "--yes", "--json").json) == [("web", "off", True)]
    assert "has no saved memory" not in run("vms", "discard-save", "web", "--yes").err
    assert "held.qcow2" not in first.virsh("domblklist", "web")
    assert run("vms", "delete", "web", "--volumes", "--json").code == 0


def test_a_foreign_vm_is_changed_only_on_purpose(realm: Realm) -> None:
    """It was made by virsh."""
    host = realm.lab.hosts[0]
    host.define_guest("theirs", boot=Boot.NOTHING, memory_mib=32)
    realm.session.settled_fleet(30)
    realm.session.connect().wait(lambda fleet: any(vm.name == "theirs" for vm in fleet.vms()), 30)
    with pytest.raises(ForeignVM, match="realm lab did not create it"):
        realm.target("theirs")
    target = realm.target("theirs", foreign=True)
    realm.task(lambda control: start_vm(realm.session, control, target, wait=False))
    assert host.guest_state("theirs") == "running"


def test_a_shutdown_that_is_not_heeded_is_told_or_forced(realm: Realm) -> None:
    """A guest without a system hears nothing."""
    host = realm.lab.hosts[0]
    host.define_guest("deaf", boot=Boot.NOTHING, memory_mib=32, network=None)
    host.start_guest("deaf")
    target = realm.target("deaf", foreign=True)
    with pytest.raises(NotShutDown, match="h1/deaf was asked to shut down 2 s ago, and is still running"):
        realm.task(lambda control: act(realm.session, control, target, Action.SHUTDOWN, timeout=2.0))
    assert host.guest_state("deaf") == "running"
    realm.task(lambda control: act(realm.session, control, target, Action.SHUTDOWN, timeout=1.0, force=True))
    assert host.guest_state("deaf") == "shut off"


def test_a_vm_whose_storage_is_full_says_so_and_is_not_resumed_in_vain(
    realm: Realm, run: Callable[..., Outcome]
) -> None:
    """It is paused with the reason; let go on, it stops again at once, and goes on once there is room."""
    host = realm.lab.hosts[0]
    host.virsh("vol-create-as", "ticrypt-vm-drives", "stuck.qcow2", "64M", "--format", "qcow2")
    host.define_guest("web", network=None)
    drive = str(realm.lab.shared / "drives/stuck.qcow2")
    host.virsh("attach-disk", "web", drive, "vda", "--subdriver", "qcow2", "--config")
    host.start_guest("web")
    serial = Serial(host, "web")
    serial.run("dd if=/dev/zero of=/dev/vda bs=1M count=1 conv=fsync")
    host.fill_storage()
    try:
        serial.begin("dd if=/dev/zero of=/dev/vda bs=1M count=32 conv=fsync")
        eventually(lambda: host.guest_state("web") == "paused", "the guest without room")
        (vm,) = run("vms", "list", "--json").json["vms"]
        assert (vm["state"], vm["state_reason"]) == ("paused", "I/O error")
        assert "paused (I/O error)" in run("vms", "list").out
        for _ in range(2):
            refused = run("vms", "resume", "web", "--foreign")
            assert (refused.code, refused.out) == (1, "")
            assert "h1/web is paused: its storage is full or failed" in refused.err
    finally:
        host.empty_storage()
    assert run("vms", "resume", "web", "--foreign").out == "h1/web: running\n"
    serial.close()


@pytest.fixture
def run(realm: Realm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command on the realm."""
    monkeypatch.setenv("REALMS_CONFIG", str(realm.configuration))
    monkeypatch.setenv("REALMS_REGISTRY", str(realm.registry))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    return runner(monkeypatch, capsys)


def states(document: dict[str, Any]) -> Sequence[tuple[str, str | None, bool]]:
    """Return name, state and whether it was changed of each VM of an action."""
    return [(vm["name"], vm["state"], vm["changed"]) for vm in document["vms"]]


def test_the_commands_do_it_all(run: Callable[..., Outcome], realm: Realm) -> None:
    """As a script calls them: several VMs at once, one JSON document each, exit codes."""
    wanted = (
        "--brick",
        "lab-guest",
        "--vcpus",
        1,
        "--memory",
        "64 MiB",
        "--virtualization",
        "qemu",
        "--no-wait",
        "--json",
    )
    for name in ("a", "b"):
        created = run("vms", "create", name, *wanted, "--json")
        assert created.code == 0, created.err
        assert (created.json["created"], created.json["vm"]["state"]) == (True, "running")
    assert states(run("vms", "pause", "a", "b", "--json").json) == [("a", "paused", True), ("b", "paused", True)]
    assert states(run("vms", "pause", "a", "--json").json) == [("a", "paused", False)]
    for action in ("shutdown", "reboot"):
        (row,) = run("vms", action, "a", "--json").json["vms"]
        assert (row["error"], row["hint"]) == (f"{row['host']}/a is paused: resume it first",
                                               f"realms vms resume {row['host']}/a")  # fmt: skip
    assert states(run("vms", "resume", "a", "b", "--json").json) == [("a", "running", True), ("b", "running", True)]
    refused = run("vms", "delete", "a", "--json")
    assert (refused.code, refused.json["ok"], states(refused.json)) == (1, False, [("a", None, False)])
    assert states(run("vms", "off", "a", "b", "--json").json) == [("a", "off", True), ("b", "off", True)]
    deleted = run("vms", "delete", "a", "--json").json
    assert len(deleted["vms"][0]["kept_volumes"]) == 1
    assert deleted["vms"][0]["deleted_volumes"] == []
    assert run("vms", "delete", "b", "--volumes", "--json").code == 0
    listed = run("vms", "list", "--json").json
    assert (listed["vms"], listed["hosts_answering"]) == ([], 3)
    assert len(realm.files("vm")) == 1
