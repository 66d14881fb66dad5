"""What is known of the file system under a path: whether machines share its file locks."""

import ctypes
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

_GPFS, _BEEGFS, _LUSTRE, _NFS = 0x47504653, 0x19830326, 0x0BD00BD0, 0x6969
_FUSE, _9P, _OCFS2, _GFS2 = 0x65735546, 0x01021997, 0x7461636F, 0x01161970
_SMB = frozenset({0xFF534D42, 0xFE534D42, 0x517B})

_LOCAL_FUSE = frozenset({"virtiofs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys"})
"""File systems in user space that are remote and take locks for this machine alone."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A mounted file system: the type that statfs tells, and its name and options as mounted, empty where unknown."""

    type: int
    name: str = ""
    options: frozenset[str] = frozenset()

    @property
    def local_locks(self) -> str:
        """Return which remote file system this is that keeps file locks for each machine alone; empty for any other."""
        cases = (
            (self.type == _GPFS, "GPFS"),
            (self.type == _BEEGFS, "BeeGFS"),
            (self.type == _LUSTRE and "flock" not in self.options, "Lustre without the option flock"),
            (self.type == _NFS and "nolock" in self.options, "NFS with the option nolock"),
            (self.type == _NFS and "local_lock=all" in self.options, "NFS with the option local_lock=all"),
            (self.type in _SMB and "nobrl" in self.options, "SMB with the option nobrl"),
            (self.type in {_OCFS2, _GFS2} and "localflocks" in self.options, "a cluster with the option localflocks"),
            (self.type == _9P, "9p"),
            (self.type == _FUSE and self.name in _LOCAL_FUSE, self.name.removeprefix("fuse.")),
        )
        return next((name for holds, name in cases if holds), "")


def file_system_of(path: Path) -> FileSystem:
    """Return the file system of an existing file or folder; its type is 0 where the machine doesn't tell."""
    name, options = _mount(path)
    return FileSystem(statfs(path), name, options)


def statfs(path: Path) -> int:
    """Return the type of a path's file system as statfs tells it; 0 where it doesn't."""
    buffer = ctypes.create_string_buffer(512)
    try:
        failed = ctypes.CDLL(None).statfs(os.fsencode(path), buffer)
    except (OSError, AttributeError):
        return 0
    word = ctypes.c_uint32 if platform.machine() == "s390x" else ctypes.c_ulong
    return 0 if failed else int(word.from_buffer(buffer).value) & 0xFFFFFFFF


def _mount(path: Path) -> tuple[str, frozenset[str]]:
    """Return the name and the options of what is mounted at a path or nearest above it."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        path = path.resolve()
    except (OSError, RuntimeError):
        return "", frozenset()
    found: tuple[int, str, frozenset[str]] = (-1, "", frozenset())
    for line in lines:
        before, _, after = line.partition(" - ")  # "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,..."
        first, last = before.split(" "), after.split(" ")
        if len(first) < 6 or len(last) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), first[4]))
        depth = len(point.parts)
        if path.is_relative_to(point) and depth >= found[0]:  # of two at one place the later covers the other
            found = (depth, last[0], frozenset([*first[5].split(","), *last[2].split(",")]))
    return found[1:]
