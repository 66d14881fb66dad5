"""A log that several programs append lines to: every line stays whole, whoever writes, rotates or dies meanwhile.

Past `MOST_BYTES` the file becomes `.1`, what was `.1` becomes `.2` and so on; `KEPT` former files stay.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from core.errors import RegistryBusy, UnwritableFile

MOST_BYTES = 64 * 1024**2
"""Size that a log grows to before it is rotated; a single longer line has a file to itself."""

KEPT = 4
"""Former files that stay."""

LOCK_SECONDS = 1.0
"""How long to wait for whoever writes or rotates: it is one small write."""


def append_line(path: Path, line: str, *, like: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> bool:
    """Append a line, given without its end; a new file is shared with the group of `like`. Raises OSError.

    Tells whether the file was rotated before.

    Where the lock can't be had in time, the line is written all the same, as one write that begins on a new line; only
    rotating is left to the next.
    """
    from core.registry.locking import exclusive

    path = Path(os.path.realpath(path))  # a link to the log is not what is renamed
    with suppress(FileNotFoundError):  # one look at it: it may be renamed at any moment
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
    content = line.encode("ascii") + b"\n"
    try:
        with exclusive(path, LOCK_SECONDS):
            is_rotated = _rotate(path, len(content), most_bytes, kept)
            _append(path, content, like, alone=True)
            return is_rotated
    except (RegistryBusy, UnwritableFile):  # the lock's, not the log's: that raises OSError
        pass
    _append(path, content, like, alone=False)
    return False


def rotated(path: Path, kept: int = KEPT) -> tuple[Path, ...]:
    """Names of a log's former files, newest first, whether they exist or not."""
    return tuple(path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1))


def _rotate(path: Path, coming: int, most_bytes: int, kept: int) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or not status.st_size or status.st_size + coming <= most_bytes:
        return False
    names = (path, *rotated(path, kept))
    for newer, older in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        with suppress(FileNotFoundError):
            newer.replace(older)
    return True


def _append(path: Path, content: bytes, like: Path, *, alone: bool) -> None:
    """Write a line; `alone` where nobody else does at the moment."""
    new = not path.exists()
    # Opening a pipe for both directions never waits, and a full one refuses a write rather than waiting.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        size = status.st_size
        # A writer that was killed in the midst leaves half a line: it stays alone on its line.
        torn = size > 0 and (not alone or os.pread(descriptor, 1, size - 1) != b"\n")
        content = b"\n" + content if torn else content
        if os.write(descriptor, content) < len(content):  # the disk is full
            if alone:
                os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)
    if new:
        share(path, like)


def share(path: Path, like: Path) -> None:
    """Give a file or folder to the group that another file is shared with."""
    try:
        wanted = like.stat()
        mode = wanted.st_mode & 0o666
        if path.is_dir():
            mode |= (mode & 0o444) >> 2  # who may read the file may enter the folder
        os.chown(path, -1, wanted.st_gid)
        path.chmod(mode)
    except OSError:  # no registry yet, or another administrator's file
        return
