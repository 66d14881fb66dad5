"""A log that several programs append lines to: every line stays whole, whoever writes, rotates or dies meanwhile.

Past `MOST_BYTES` the file becomes `.1`, what was `.1` becomes `.2` and so on; `KEPT` former files stay.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from core.errors import RegistryBusy, UnwritableFile
from core.files import PRIVATE, move_on, numbered, share, write_line
from core.locks import exclusive

MOST_BYTES = 64 * 1024**2
"""Size that a log grows to before it is rotated; a single longer line has a file to itself."""

KEPT = 4
"""Former files that stay."""

LOCK_SECONDS = 1.0
"""How long to wait for whoever writes or rotates: it is one small write."""


def append_line(path: Path, line: str, *, like: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> bool:
    """Append a line, given without its end; a new file is shared with the group of `like`. Raises OSError.

    Tells whether the file was rotated before.

    Where the lock can't be had in time, the line is still written, as one write that begins on a new line; only
    rotating is left to the next.
    """
    path = Path(os.path.realpath(path))  # a link to the log is not what is renamed
    with suppress(FileNotFoundError):  # one look at it: it may be renamed at any moment
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
    content = line.encode("ascii")
    try:
        with exclusive(path, LOCK_SECONDS):
            is_rotated = _rotate(path, len(content) + 1, most_bytes, kept)
            _append(path, content, like, alone=True)
            return is_rotated
    except (RegistryBusy, UnwritableFile):  # the lock's, not the log's: that raises OSError
        pass
    _append(path, content, like, alone=False)
    return False


def rotated(path: Path, kept: int = KEPT) -> tuple[Path, ...]:
    """Return the names of a log's former files, newest first, whether they exist or not."""
    return numbered(path, kept)


def _rotate(path: Path, coming: int, most_bytes: int, kept: int) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or not status.st_size or status.st_size + coming <= most_bytes:
        return False
    move_on((path, *rotated(path, kept)))
    return True


def _append(path: Path, content: bytes, like: Path, *, alone: bool) -> None:
    """Write a line; `alone` where nobody else does at the moment."""
    new = not path.exists()
    # Opening a pipe for both directions never waits, and a full one refuses a write rather than waiting.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, PRIVATE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        write_line(descriptor, content, alone=alone)
    finally:
        os.close(descriptor)
    if new:
        share(path, like)
