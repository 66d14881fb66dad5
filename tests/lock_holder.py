"""Another program that has a file locked: `lock_holder.py KIND FILE`; until standard input ends, or it is killed.

As a module it starts that program, and knows each kind: of an older program (`flock`), of one that has only the other
of the two locks (`description`), of one that locks as a process (`process`), and of this one (`both`).
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("flock", "description", "process", "both")


@contextmanager
def holding(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a program that holds a lock of a file for the block."""
    command = [sys.executable, __file__, kind, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.stdin.close()


def take(kind: str, path: Path) -> None:
    """Lock a file for as long as this process lives; raises BlockingIOError where someone else has it locked."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if kind in ("flock", "both"):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if kind in ("description", "both"):
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    if kind == "process":
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


if __name__ == "__main__":
    try:
        take(sys.argv[1], Path(sys.argv[2]))
    except BlockingIOError:
        sys.exit("locked")
    sys.stdout.write("held\n")
    sys.stdout.flush()
    sys.stdin.read()
