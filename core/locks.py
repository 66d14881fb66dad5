"""Locks on files, which the kernel holds for one process at a time and releases when that ends.

A lock is two: `flock`, which is all that older programs take, and an open-file-description lock. Some file systems
share only one of them between machines. Always in this order, so that of two who try at once one gets both.
"""

import errno
import fcntl
import os
import pwd
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.errors import RegistryBusy, UnwritableFile
from core.files import PRIVATE, make_folder, share
from core.filesystems import file_system_of
from core.text import one_line

LOCK_DEADLINE = 10.0
"""Seconds to wait for the lock: whoever holds it writes one small file."""

_LOCK_TABLE = Path("/proc/locks")
_POLL_SECONDS = 0.02

_HELD = frozenset({errno.EACCES, errno.EAGAIN})
_ABSENT = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})
"""What a file system or kernel answers that has one of the two locks only."""

_NO_ACCESS = "changing the registry needs write access to the file, its lock and its folder"
_NO_LOCKS = "mount the file system with file locks, or move the registry to one that has them"

_RANGE = struct.Struct("hhqqi0q")
"""The kernel's `struct flock`: type, whence, start, length (0 is to the end), process."""


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that this process holds on the file at `path`, which is open as `descriptor`."""

    path: Path
    descriptor: int

    def is_everyones(self) -> bool:
        """Whether the next program that locks `path` meets this lock: not where the file was deleted or replaced."""
        return _is_at(self.path, self.descriptor)

    def doubt(self) -> str:
        """Return why this lock excludes no program, or none of other machines; empty where it excludes them all.

        Raises OSError.
        """
        second = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if try_lock(second):
                return "file locks have no effect there"
        finally:
            os.close(second)
        name = file_system_of(self.path).local_locks
        return f"{name} keeps file locks for each machine alone" if name else ""


@contextmanager
def exclusive(path: Path, deadline: float = LOCK_DEADLINE) -> Iterator[HeldLock]:
    """Hold the lock of a file, another file beside it, for the body, after waiting up to `deadline` seconds for it.

    `path` is no symbolic link, so that everyone who reaches the file has the same lock. Raises RegistryBusy, which
    names the lock and its holder where the kernel tells, or UnwritableFile where there can be no lock.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        make_folder(path.parent)
        descriptor = acquire(lock, deadline, create=True)
    except OSError as error:
        message = f"cannot change {path}: cannot lock {lock}: {error.strerror or error}"
        raise UnwritableFile(
            message, hint=_NO_LOCKS if error.errno in _ABSENT | {errno.ENOLCK} else _NO_ACCESS
        ) from error
    if descriptor is None:
        message = f"{path} has been locked{_holder(lock)} for {deadline:g} seconds ({lock})"
        raise RegistryBusy(message, hint="try again; if it stays locked, check that process")
    try:
        share(descriptor, path)
        yield HeldLock(lock, descriptor)
    finally:
        release(descriptor)


def acquire(path: Path, deadline: float, *, create: bool = False) -> int | None:
    """Open a file and lock it, after waiting up to `deadline` seconds; None where someone else has it locked till then.

    What is locked is the file of this name: one that was removed or replaced meanwhile is tried for again. Raises
    OSError, FileNotFoundError where there is no file and none is to be created.
    """
    until = time.monotonic() + deadline
    while (descriptor := _attempt(path, create=create)) is None and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return descriptor


def release(descriptor: int) -> None:
    """Let go of a lock and close its file; a child process that inherited the descriptor has no lock either."""
    _unlock(descriptor)
    os.close(descriptor)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file unless someone else has it locked. Raises OSError where files can't be locked."""
    locks = (
        partial(fcntl.flock, descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB),
        partial(_lock_description, descriptor, fcntl.F_RDLCK if shared else fcntl.F_WRLCK),
    )
    absent = 0
    for lock in locks:
        try:
            lock()
        except OSError as error:
            absent += error.errno in _ABSENT
            if error.errno in _ABSENT and absent < len(locks):
                continue
            _unlock(descriptor)
            if error.errno in _HELD:
                return False
            raise
    return True


def _lock_description(descriptor: int, kind: int) -> None:
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _RANGE.pack(kind, os.SEEK_SET, 0, 0, 0))


def _unlock(descriptor: int) -> None:
    with suppress(OSError):
        _lock_description(descriptor, fcntl.F_UNLCK)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _attempt(path: Path, *, create: bool) -> int | None:
    try:
        descriptor = _open(path, create=create)
    except BlockingIOError:  # a file server that lent the file out is asking for it back
        return None
    with ExitStack() as stack:
        stack.callback(os.close, descriptor)
        if not try_lock(descriptor) or not _is_at(path, descriptor):
            return None
        stack.pop_all()
    return descriptor


def _open(path: Path, *, create: bool) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        try:
            return os.open(path, flags)  # without O_CREAT, which opens no file of another in a folder like /tmp
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, PRIVATE)
            os.fchmod(descriptor, PRIVATE)
            return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(lock: Path) -> str:
    """Return which process holds a lock, as ` by process 12 (realms place, user root)`; empty where unknown."""
    try:
        status = lock.stat()
        lines = _LOCK_TABLE.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        words = line.split()  # "7: FLOCK ADVISORY WRITE 1234 fe:00:131 0 EOF"; an OFDLCK has -1 for its process
        if len(words) == 8 and words[1] in {"FLOCK", "POSIX"} and words[5] == place and int(words[4]) > 0:
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
