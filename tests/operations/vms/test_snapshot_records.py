"""What a snapshot's record says, and what is made of records that anyone may have written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.driver.vms.snapshots import CopiedDisk, Snapshot, copy_name, read_record, record_content
from core.errors import UsageError
from core.operations.vms.restore import _fresh_name
from core.operations.vms.snapshots import check_snapshot_name, name_by_time

UUID = "8d3b8732-8d83-4102-80dd-ee897550c4b3"
SNAPSHOT = Snapshot(
    name="before-1.2", uuid=UUID, vm="web", realm="lab", host="h1", taken_at=1_795_341_600.0, state="running",
    consistency="crash", user="root",
    disks=(
        CopiedDisk(target="vda", copy=copy_name(UUID, "before-1.2", "vda"), pool="ticrypt-vm", volume="web.qcow2",
                   format="qcow2", capacity=1 << 30),
    ),
)  # fmt: skip


def test_a_record_reads_as_it_was_written() -> None:
    """Whatever the VM is called."""
    for vm in ("web", "ö\x1b[31m\n", "</vm>"):
        snapshot = replace(SNAPSHOT, vm=vm)
        assert read_record(record_content(snapshot), UUID, "before-1.2") == snapshot


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "libvirt-realms-snapshot/2"}, "it is not libvirt-realms-snapshot/1"),
        ({"name": "other"}, "of another snapshot"),
        ({"taken": None}, "no time"),
        ({"taken": True}, "no time"),
        ({"disks": []}, "no disk"),
        ({"disks": ["vda"]}, "not an object"),
        ({"disks": [{"target": "vda", "format": "vmdk", "capacity": 1}]}, "is invalid"),
        ({"disks": [{"target": "../../etc/passwd", "format": "raw", "capacity": 1}]}, "is not a disk"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(change: dict[str, object], problem: str) -> None:
    """With what is wrong about it: the snapshot is shown as incomplete."""
    record = json.loads(record_content(SNAPSHOT)) | change
    with pytest.raises(ValueError, match=problem):
        read_record(json.dumps(record).encode(), UUID, "before-1.2")


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_bytes_are_a_record_or_none(content: bytes | str) -> None:
    """Never another kind of error."""
    with pytest.raises(ValueError, match="it is"):
        read_record(content if isinstance(content, bytes) else content.encode("utf-8", "replace"), UUID, "x")


@pytest.mark.parametrize("name", ["", ".", "-x", "a/b", "a b", "x" * 65, "ü", "a\n"])
def test_names_that_are_no_part_of_a_file_name_are_refused(name: str) -> None:
    """The rule is told."""
    with pytest.raises(UsageError, match="is not a valid snapshot"):
        check_snapshot_name(name)


def test_a_snapshot_without_a_name_is_named_by_its_time() -> None:
    """In UTC, and as a name that is accepted."""
    assert check_snapshot_name(name_by_time(1_795_341_600.0)) == "20261122T100000Z"


def test_a_volume_that_is_restored_again_and_again_keeps_a_short_name() -> None:
    """The ending stays where it is."""
    once = _fresh_name("web-1.2.qcow2", "20261122T100000")
    assert once == "web-1.2.restored-20261122T100000.qcow2"
    assert _fresh_name(once, "20261123T100000") == "web-1.2.restored-20261123T100000.qcow2"
    assert _fresh_name("data", "20261122T100000") == "data.restored-20261122T100000"
