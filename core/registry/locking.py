"""The lock under which the registry is changed: a file beside it, held by the kernel for one process at a time."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.errors import RegistryBusy, UnwritableFile
from core.registry.durable import NEW_FILE_MODE
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_DEADLINE = 10.0
"""Seconds to wait for the lock: whoever holds it writes one small file."""

_LOCK_TABLE = Path("/proc/locks")
_POLL_SECONDS = 0.02


def lock_of(path: Path) -> Path:
    """Name of the lock of a file."""
    return path.with_name(f"{path.name}.lock")


@contextmanager
def exclusive(path: Path, deadline: float = LOCK_DEADLINE) -> Iterator[None]:
    """Hold the lock of a file for the body, after waiting for it up to `deadline` seconds.

    `path` is no symbolic link, so that everyone who reaches the file has the same lock. Raises RegistryBusy, which
    names the lock and its holder where the kernel tells, or UnwritableFile where there can be no lock.
    """
    lock = lock_of(path)
    held = FileLock(lock, mode=NEW_FILE_MODE)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held.acquire(timeout=deadline, poll_interval=_POLL_SECONDS)
    except Timeout as error:
        message = f"{path} is locked{_holder(lock)}, and was for {deadline:g} seconds ({lock})"
        raise RegistryBusy(message, hint="try again; if it goes on, look at what that program does") from error
    except OSError as error:
        message = f"{path} can't be changed: no lock at {lock}: {error.strerror or error}"
        raise UnwritableFile(
            message, hint="whoever changes the registry needs write access to it, to its lock and to its folder"
        ) from error
    try:
        _share(lock, path)
        yield
    finally:
        held.release()


def _share(lock: Path, path: Path) -> None:
    """Open the lock to the group that the registry is shared with."""
    with suppress(OSError):  # no registry yet, or the lock is another administrator's, who shared it already
        wanted, present = path.stat(), lock.stat()
        if present.st_gid != wanted.st_gid:
            os.chown(lock, -1, wanted.st_gid)
        mode = stat.S_IMODE(wanted.st_mode) & 0o666
        if stat.S_IMODE(present.st_mode) != mode:
            lock.chmod(mode)


def _holder(lock: Path) -> str:
    """Say which process holds a lock, as ` by process 12 (realms place, user root)`; empty where nobody can tell."""
    try:
        status = lock.stat()
        lines = _LOCK_TABLE.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        words = line.split()  # "7: FLOCK ADVISORY WRITE 1234 fe:00:131 0 EOF"
        if len(words) == 8 and words[1] == "FLOCK" and words[5] == place and int(words[4]) > 0:
            return f" by process {words[4]}{_description(Path('/proc') / words[4])}"
    return ""


def _description(process: Path) -> str:
    try:
        words = process.joinpath("cmdline").read_text(encoding="utf-8", errors="replace").rstrip("\0").split("\0")
        user = pwd.getpwuid(process.stat().st_uid).pw_name
    except (OSError, KeyError):  # it has ended, or its user has no name
        return ""
    if len(words) > 1 and Path(words[0]).name.startswith("python"):  # the script that it runs says more
        del words[0]
    words[0] = Path(words[0]).name
    return f" ({one_line(' '.join(words), 60)}, user {user})"
