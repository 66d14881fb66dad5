"""The ssh clients that libvirt starts for its connections, told apart by the thread that started them.

Libvirt's `open` knows no timeout. Ending the ssh client of a stuck thread is what frees it, with an ordinary error; the
kernel lists a thread's children in /proc/self/task/TID/children, so that no other connection is touched.
"""

import contextlib
import os
import signal
from pathlib import Path

_SYN_SENT = "02"
"""State of a socket in /proc/net/tcp whose peer has not answered yet."""

UNANSWERED = 5
"""Repetitions of what was sent, each after twice the time of the last, that say that a peer has gone: 6 s in a LAN."""


def ssh_children(thread_id: int) -> tuple[int, ...]:
    """Process ids of the ssh clients that a thread (by its native id) has started and that have not ended."""
    children = _read(Path(f"/proc/self/task/{thread_id}/children")).split()
    return tuple(int(child) for child in children if _read(Path(f"/proc/{child}/comm")).strip() == "ssh")


def end_ssh_children(thread_id: int) -> int:
    """Ask the ssh clients of a thread to end; gives their number, 0 where the thread has none."""
    ended = 0
    for child in ssh_children(thread_id):
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(child)
            try:
                if child in ssh_children(thread_id):  # the id can't have been given to another process since
                    signal.pidfd_send_signal(handle, signal.SIGTERM)
                    ended += 1
            finally:
                os.close(handle)
    return ended


def waits_for_an_answer(thread_id: int) -> bool:
    """Return whether an ssh client of the thread has called a machine that has not answered at all, or not any more."""
    inodes = {inode for child in ssh_children(thread_id) for inode in _socket_inodes(child)}
    if not inodes:
        return False
    for table in ("tcp", "tcp6"):
        for line in _read(Path("/proc/self/net") / table).splitlines()[1:]:
            fields = line.split()
            ours = len(fields) > 9 and fields[9] in inodes
            if ours and (fields[3] == _SYN_SENT or int(fields[6], 16) >= UNANSWERED):
                return True
    return False


def _socket_inodes(process_id: int) -> set[str]:
    inodes = set()
    with contextlib.suppress(OSError), os.scandir(f"/proc/{process_id}/fd") as descriptors:
        for descriptor in descriptors:
            target = os.readlink(descriptor.path)
            if target.startswith("socket:["):
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the process or thread is gone
        return ""
