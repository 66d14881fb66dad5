"""A log of lines read from its end backwards, then followed as lines are appended, through its rotations."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import UnreadableFile
from core.inputs import open_regular
from core.operations.scheduling.log_file import rotated

MOST_BYTES = 64 * 1024**2
"""Bytes of the past that are read; older lines are left out."""

LONGEST_LINE = 64 * 1024**2
"""Bytes of a line; a longer one is told without its content."""

_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class LinePlace:
    """Where a line is: its file, by what stays when that is renamed, and its bytes in it."""

    device: int
    inode: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line without its end; `content` is None where it is too long to be read."""

    place: LinePlace
    content: bytes | None


class LogFollower:
    """Reads one log. `past` first, to its end; then `fresh`, as often as one likes. For one thread at a time."""

    def __init__(self, log: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.left_out = False
        """Whether there are older lines than `past` gave."""
        self._log = log
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None
        self._offset = 0
        self._unfinished = b""
        """What stands after the last whole line, as it was at the last look."""

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def past(self) -> Iterator[LogLine]:
        """Return the lines that are there, the newest first, of the file and of former ones. Raises UnreadableFile."""
        try:
            yield from self._past()
        except OSError as error:
            raise self._unreadable(error) from error

    def _past(self) -> Iterator[LogLine]:
        self.close()
        self.left_out, self._offset, self._unfinished = False, 0, b""
        log = Path(os.path.realpath(self._log))
        read = 0
        seen: set[tuple[int, int]] = set()
        with suppress(FileNotFoundError):
            self._file = open_regular(log)
            self._offset = _end_of_last_line(self._file)
            seen.add(_identity(self._file))
            for line in _backwards(self._file, self._offset):
                yield line
                read += line.place.length + 1
                if read > self._most_bytes:
                    self.left_out = line.place.offset > 0 or rotated(log)[0].exists()
                    return
        for former in rotated(log):
            with suppress(FileNotFoundError), open_regular(former) as file:
                if _identity(file) in seen:  # renamed while the newer ones were read
                    continue
                seen.add(_identity(file))
                for line in _backwards(file, os.fstat(file.fileno()).st_size):
                    if read > self._most_bytes:
                        self.left_out = True
                        return
                    yield line
                    read += line.place.length + 1

    def fresh(self) -> tuple[LogLine, ...] | None:
        """Return the lines that were appended since the last look, in their order; None where one must begin anew.

        That is where the log was cut short, or rotated more often than former files stay. Raises UnreadableFile.
        """
        try:
            return self._fresh()
        except OSError as error:
            raise self._unreadable(error) from error

    def _fresh(self) -> tuple[LogLine, ...] | None:
        log = Path(os.path.realpath(self._log))
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file, self._offset, self._unfinished = open_regular(log), 0, b""
            return () if self._file is None else tuple(self._appended())
        if os.fstat(self._file.fileno()).st_size < self._offset:
            return None
        lines = list(self._appended())
        ours = _identity(self._file)
        current = _identity_of(log)
        if current == ours:
            return tuple(lines)
        former = [_identity_of(path) for path in rotated(log)]
        if ours not in former:
            return None
        # Whoever renamed it may still have appended to it before: it was read above, after that.
        lines += self._appended(to_the_end=True)
        for path in (*reversed(rotated(log)[: former.index(ours)]), log):
            self.close()
            self._offset, self._unfinished = 0, b""
            with suppress(FileNotFoundError):
                self._file = open_regular(path)
                lines += self._appended(to_the_end=path != log)
        return tuple(lines)

    def _appended(self, *, to_the_end: bool = False) -> Iterator[LogLine]:
        """Return what was appended to the file; half a line only where nothing was added to it since the last look."""
        file = self._file
        if file is None:
            return
        device, inode = _identity(file)
        file.seek(self._offset)
        while content := file.readline(LONGEST_LINE + 1):
            offset = self._offset
            if len(content) > LONGEST_LINE and not content.endswith(b"\n"):
                length = len(content)
                while content and not content.endswith(b"\n"):
                    content = file.readline(LONGEST_LINE)
                    length += len(content)
                self._offset += length
                yield LogLine(LinePlace(device, inode, offset, length), None)
                continue
            if not content.endswith(b"\n") and not to_the_end and content != self._unfinished:
                self._unfinished = content
                return
            self._offset += len(content)
            stripped = content.removesuffix(b"\n")
            if stripped.strip():
                yield LogLine(LinePlace(device, inode, offset, len(stripped)), stripped)
        self._unfinished = b""

    def read(self, place: LinePlace) -> bytes:
        """Read a line again; raises UnreadableFile where it isn't in the log any more."""
        try:
            log = Path(os.path.realpath(self._log))
            for path in (log, *rotated(log)):
                with suppress(FileNotFoundError), open_regular(path) as file:
                    if _identity(file) == (place.device, place.inode):
                        return os.pread(file.fileno(), place.length, place.offset)
        except OSError as error:
            raise self._unreadable(error) from error
        raise UnreadableFile(f"the decision is no longer in {self._log}", hint="old log files are removed")

    def _unreadable(self, error: OSError) -> UnreadableFile:
        return UnreadableFile(f"{self._log} can't be read: {error.strerror or error}")


def _identity(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return (status.st_dev, status.st_ino)


def _identity_of(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        status = path.stat()
        return (status.st_dev, status.st_ino)
    return None


def _end_of_last_line(file: BinaryIO) -> int:
    position = os.fstat(file.fileno()).st_size
    while position > 0:
        start = max(0, position - _BLOCK)
        at = os.pread(file.fileno(), position - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        position = start
    return 0


def _backwards(file: BinaryIO, end: int) -> Iterator[LogLine]:
    """Return the lines before `end`, the last first."""
    device, inode = _identity(file)

    def line(offset: int, content: bytes) -> LogLine:
        return LogLine(LinePlace(device, inode, offset, len(content)), content)

    position = end
    begun: list[bytes] = []
    """Blocks of the line whose beginning is not reached yet, the last first; none of a line that is too long."""
    length = 0
    while position > 0:
        start = max(0, position - _BLOCK)
        block = os.pread(file.fileno(), position - start, start)
        position = start
        pieces = block.split(b"\n")
        after = start + len(block)
        for piece in reversed(pieces[1:]):
            offset = after - len(piece)
            if length + len(piece) > LONGEST_LINE:
                yield LogLine(LinePlace(device, inode, offset, length + len(piece)), None)
            else:
                whole = b"".join((piece, *reversed(begun)))
                if whole.strip():
                    yield line(offset, whole)
            begun, length = [], 0
            after = offset - 1
        length += len(pieces[0])
        if length > LONGEST_LINE:
            begun = []
        else:
            begun.append(pieces[0])
    if length > LONGEST_LINE:
        yield LogLine(LinePlace(device, inode, 0, length), None)
    elif (first := b"".join(reversed(begun))).strip():
        yield line(0, first)
