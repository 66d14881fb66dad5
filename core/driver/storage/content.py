"""A file's bytes on their way to a host: what is a hole in the file stays one there."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 256 * 1024 - 64
"""Bytes at a time: what fits into one message of the oldest libvirt."""


@dataclass(frozen=True, slots=True)
class Content:
    """The first `size` bytes of an open file."""

    file: BinaryIO
    size: int

    def pieces(self) -> Iterator[tuple[int, bytes | None]]:
        """Return them piece by piece with their lengths; None for a hole, which is all zero.

        Raises OSError, also where the file has become shorter meanwhile.
        """
        position = 0
        while position < self.size:
            data_at = self._next_data(position)
            if data_at > position:
                yield data_at - position, None
                position = data_at
                continue
            end = self._next_hole(position)
            self.file.seek(position)
            while position < end:
                piece = self.file.read(min(PIECE, end - position))
                if not piece:
                    raise OSError(errno.EIO, "it has shrunk")
                yield len(piece), piece
                position += len(piece)

    def _next_data(self, position: int) -> int:
        try:
            return min(self.size, os.lseek(self.file.fileno(), position, os.SEEK_DATA))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a file system that doesn't tell
                return position
        if os.fstat(self.file.fileno()).st_size < self.size:
            raise OSError(errno.EIO, "it has shrunk")
        return self.size

    def _next_hole(self, position: int) -> int:
        try:
            return min(self.size, os.lseek(self.file.fileno(), position, os.SEEK_HOLE))
        except OSError:  # a file system that doesn't tell
            return self.size
