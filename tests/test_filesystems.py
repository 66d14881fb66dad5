"""Which file systems keep locks for each machine alone, by their type and how they are mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import filesystems
from core.filesystems import FileSystem, file_system_of

if TYPE_CHECKING:
    from pathlib import Path

TABLE = [
    (0x47504653, "gpfs", "rw", True),
    (0x19830326, "beegfs", "rw", True),
    (0x0BD00BD0, "lustre", "rw,localflock", True),
    (0x0BD00BD0, "lustre", "rw,noflock", True),
    (0x0BD00BD0, "lustre", "rw", True),
    (0x0BD00BD0, "lustre", "rw,flock", False),
    (0x6969, "nfs4", "rw,vers=4.2,local_lock=none", False),
    (0x6969, "nfs", "rw,vers=3,nolock,local_lock=all", True),
    (0x6969, "nfs", "rw,vers=3,local_lock=all", True),
    (0x6969, "nfs", "rw,vers=3,local_lock=flock", False),
    (0xFF534D42, "cifs", "rw,nobrl", True),
    (0xFE534D42, "smb3", "rw", False),
    (0x7461636F, "ocfs2", "rw,localflocks", True),
    (0x01161970, "gfs2", "rw", False),
    (0x01021997, "9p", "rw", True),
    (0x65735546, "virtiofs", "rw", True),
    (0x65735546, "fuse.sshfs", "rw", True),
    (0x65735546, "fuse.fuse-overlayfs", "rw", False),
    (0x00C36400, "ceph", "rw", False),
    (0xEF53, "ext4", "rw", False),
    (0x58465342, "xfs", "rw", False),
    (0, "", "", False),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_which_locks_are_local(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: tuple[int, str, str, bool]
) -> None:
    """By a substituted statfs and table of mounts, with a blank in the mount's path."""
    kind, name, options, local = row
    folder = tmp_path / "a b"
    (folder / "c").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    point = str(folder).replace(" ", "\\040")
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:50 / {point} rw,noatime master:1 - {name} s {options}\n"
    )
    monkeypatch.setattr(filesystems, "statfs", lambda _: kind)
    monkeypatch.setattr(filesystems, "_MOUNTS", mounts)
    found = file_system_of(folder / "c")
    assert (found.type, found.name) == (kind, name)
    assert bool(found.local_locks) is local
    assert file_system_of(tmp_path).name == "ext4"


def test_the_type_of_a_real_file_system_is_told(tmp_path: Path) -> None:
    """/proc has a type that every kernel gives it."""
    assert filesystems.statfs(tmp_path.__class__("/proc")) == 0x9FA0
    assert filesystems.statfs(tmp_path / "none") == 0
    assert FileSystem(0).local_locks == ""
