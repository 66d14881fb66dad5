"""What is left of a restore whose program was killed, judged by what the VM's disks are on, on the test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.driver.connection.connection import HostConnection, open_connection
from core.driver.storage.volumes import NewVolume, create_volume
from core.driver.vms.disk_devices import NewDisk, attach_disk
from core.hosts import Host
from core.operations.tasks.journal import Record
from core.operations.vms.restore_cleanup import disks_of, judge_restore
from core.operations.vms.restore_disks import RestoredDisk
from core.realms import CacheMode
from tests.driver.worlds import Guest, guest_xml, write_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

UUID = "11111111-2222-4333-8444-555555555555"
HOST = Host(name="h1", realm="main", uri="test:///default", profile="node")
BOOT = RestoredDisk(
    target="vda", pool="vm", former="web.qcow2", copy="web.restored.qcow2", format="qcow2", is_drive=False
)
DRIVE = RestoredDisk(target="vdb", pool="drives", former="data", copy="data.restored", format="qcow2", is_drive=True)
COPIES = tuple({"step": "copy", "pool": disk.pool, "volume": disk.copy} for disk in (BOOT, DRIVE))
SWITCH = {"step": "switch", "disks": [BOOT.as_fact(), DRIVE.as_fact()]}

NAMED = {"step": "name-back", "pool": DRIVE.pool, "volume": DRIVE.former}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[HostConnection]:
    """Connect to a host with a VM that is off and two pools."""
    guests = [Guest(name="web", uuid=UUID, state="shutoff")]
    connection = open_connection("h1", write_node(tmp_path / "node.xml", guests, pools=("vm", "drives")))
    yield connection
    connection.close()


def record(*steps: dict[str, Any]) -> Record:
    """Return what a killed restore has written down."""
    return Record(
        id="1", operation="restore", vm="web", uuid=UUID, realm="main", owner="", began_at=0.0, facts={"host": "h1"},
        steps=steps, at_work=False,
    )  # fmt: skip


def furnish(connection: HostConnection, volumes: Sequence[str], *disks: tuple[str, str]) -> None:
    """Make volumes, given as POOL/NAME, and give the VM disks: target and such a volume."""
    for each in volumes:
        pool, _, name = each.partition("/")
        create_volume(connection, pool, NewVolume(name=name, capacity=1 << 20))
    for target, volume in disks:
        new = NewDisk(target=target, path=f"/pools/{volume}", format="qcow2", cache=CacheMode.DEFAULT)
        attach_disk(connection, UUID, new)


ALL = ("vm/web.qcow2", "vm/web.restored.qcow2", "drives/data", "drives/data.restored")
FORMER = (("vda", "vm/web.qcow2"), ("vdb", "drives/data"))
RESTORED = (("vda", "vm/web.restored.qcow2"), ("vdb", "drives/data.restored"))
MARKED = (*ALL, "drives/data.incomplete")


@pytest.mark.parametrize(
    ("volumes", "disks", "steps", "doomed", "unnamed"),
    [
        (ALL[::2], FORMER, (), (), False),
        (ALL[::2], FORMER, COPIES[:1], (), False),
        (ALL, FORMER, COPIES, (ALL[1], ALL[3]), False),
        (ALL, FORMER, (*COPIES, SWITCH), (ALL[1], ALL[3]), False),
        (ALL, RESTORED, (*COPIES, SWITCH), (ALL[0],), True),
        (MARKED, RESTORED, (*COPIES, SWITCH), (ALL[0],), True),
        (ALL[1::2], RESTORED, (*COPIES, SWITCH), (), True),
        (MARKED[1:], (RESTORED[0], FORMER[1]), (*COPIES, SWITCH, NAMED), ("drives/data.incomplete", ALL[3]), False),
        (ALL, RESTORED, COPIES, (), False),
    ],
    ids=[
        "reserved only", "nothing copied yet", "copied", "before the exchange", "after the exchange",
        "half of the drive", "its former drive gone", "the drive has its name", "the exchange was never noted",
    ],
)  # fmt: skip
def test_what_is_not_the_vms_goes_and_a_drive_is_missed_by_its_name(
    connection: HostConnection,
    *,
    volumes: Sequence[str],
    disks: Sequence[tuple[str, str]],
    steps: Sequence[dict[str, Any]],
    doomed: Sequence[str],
    unnamed: bool,
) -> None:
    """Never what the VM has."""
    furnish(connection, volumes, *disks)
    left = judge_restore(connection, record(*steps), HOST)
    assert {"/".join(place) for place in left.doomed} == set(doomed)
    assert left.unnamed == ((DRIVE,) if unnamed else ())
    assert not {f"{pool}/{name}" for pool, name in left.doomed} & {volume for _, volume in disks}
    assert (left.state, left.kept) == ("off", ())
    assert left.is_exchanged is (SWITCH in steps and disks[0] == RESTORED[0])


def test_of_a_vm_that_is_gone_nothing_is_deleted_that_it_may_have_had(connection: HostConnection) -> None:
    """Copies that were never exchanged go; else somebody has deleted the VM and kept its volumes."""
    furnish(connection, ALL)
    connection.undefine(UUID)
    assert len(judge_restore(connection, record(*COPIES), HOST).doomed) == 2
    left = judge_restore(connection, record(*COPIES, SWITCH), HOST)
    assert (left.state, left.doomed, left.unnamed, len(left.kept)) == ("missing", (), (), 2)
    assert "vm/web.restored.qcow2 and web.qcow2 are kept" in left.message


def test_disks_that_somebody_has_changed_since_are_left_alone(connection: HostConnection) -> None:
    """The drive was detached: which of its two volumes is the good one is for people to say."""
    furnish(connection, ALL, RESTORED[0])
    left = judge_restore(connection, record(*COPIES, SWITCH), HOST)
    assert left.doomed == (("vm", "web.qcow2"),)
    assert left.kept == ("drives/data.restored and data are kept, as the VM uses neither",)


def test_disks_that_the_vm_has_as_volumes_of_a_pool_are_its_own(connection: HostConnection) -> None:
    """Its definition tells no path then: the restore had not come to the exchange."""
    furnish(connection, ALL)
    disks = "".join(
        f"<disk type='volume'><source pool='{disk.pool}' volume='{disk.former}'/><target dev='{disk.target}'/></disk>"
        for disk in (BOOT, DRIVE)
    )
    xml = guest_xml(Guest(name="web", uuid=UUID)).replace("<devices />", f"<devices>{disks}</devices>")
    connection.define(xml)
    left = judge_restore(connection, record(*COPIES, SWITCH), HOST)
    assert {"/".join(place) for place in left.doomed} == {ALL[1], ALL[3]}
    assert left.kept == ()


def test_a_power_cut_that_the_restore_made_is_told(connection: HostConnection) -> None:
    """The VM ran before."""
    furnish(connection, ALL, *FORMER)
    message = judge_restore(connection, record({"step": "stop"}, *COPIES), HOST).message
    assert message.startswith("the VM has its former disks: delete web.restored.qcow2, data.restored")
    assert message.endswith("the VM was turned off for the restore and stays off")


@pytest.mark.parametrize("disks", [None, 3, ["vda"], [{"target": "vda"}], [{**BOOT.as_fact(), "more": 1}]])
def test_a_journal_that_makes_no_sense_dooms_nothing(connection: HostConnection, disks: object) -> None:
    """It may be of another version."""
    furnish(connection, ALL, *FORMER)
    strange = record(*COPIES, {"step": "switch", "disks": disks})
    assert disks_of(strange) == ()
    left = judge_restore(connection, strange, HOST)
    assert left.doomed == ()
    assert "its journal is invalid" in left.message
