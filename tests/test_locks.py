"""The lock of a file among several processes: of this program, of older ones, and of those that have half of it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from core.errors import RegistryBusy, UnwritableFile
from core.locks import acquire, exclusive, release
from tests import lock_holder
from tests.lock_holder import KINDS, holding

if TYPE_CHECKING:
    from pathlib import Path

LONG = 60.0

COUNT = """
import os, sys
from pathlib import Path
from core.locks import exclusive
path, rounds, removes = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "removes"
for _ in range(rounds):
    with exclusive(path, 60):
        before = int(path.read_text())
        path.write_text(str(before + 1))
        if removes:
            path.with_name(path.name + ".lock").unlink()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that is not there yet."""
    return tmp_path / "file"


def lock_of(path: Path) -> Path:
    """Name its lock."""
    return path.with_name(f"{path.name}.lock")


def waiting(path: Path) -> Future[None]:
    """Take a file's lock in a thread, which waits for it."""
    taken: Future[None] = Future()

    def take() -> None:
        with exclusive(path, LONG):
            taken.set_result(None)

    threading.Thread(target=take, daemon=True).start()
    return taken


@pytest.mark.parametrize("what", ["keeps", "removes"])
def test_processes_exclude_each_other(path: Path, what: str) -> None:
    """Also where each removes the lock's file while it has it: those that wait for the removed one have nothing."""
    path.write_text("0")
    command = [sys.executable, "-c", COUNT, str(path), "100", what]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=LONG)[1] for process in processes] == [""] * 4
    assert path.read_text() == "400"


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_one_of_the_two_locks_excludes_and_is_named_where_the_kernel_knows(path: Path, kind: str) -> None:
    """A lock of an open file description is no process's."""
    with holding(kind, lock_of(path)) as holder:
        by = "" if kind == "description" else rf" by process {holder.pid} \(lock_holder.py {kind}.*\)"
        with pytest.raises(RegistryBusy, match=rf"{path} has been locked{by} for 0.1 seconds"), exclusive(path, 0.1):
            pass
    with exclusive(path, LONG):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_who_wants_only_one_of_the_two_locks_is_excluded(path: Path, kind: str) -> None:
    """Older programs among them; afterwards they have it."""
    command = [sys.executable, lock_holder.__file__, kind, lock_of(path)]
    with exclusive(path):
        outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert (outcome.returncode, outcome.stderr) == (1, "locked\n")
    with holding(kind, lock_of(path)):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_the_lock_of_a_killed_process_is_free(path: Path, kind: str) -> None:
    """For those that wait for it already."""
    with holding(kind, lock_of(path)) as holder:
        taken = waiting(path)
        with pytest.raises(TimeoutError):
            taken.result(0.1)
        holder.kill()
        taken.result(LONG)


def test_a_lock_whose_file_is_removed_is_looked_for_anew(path: Path) -> None:
    """Nobody waits for a lock that no one else can find."""
    with holding("both", lock_of(path)):
        taken = waiting(path)
        with pytest.raises(TimeoutError):
            taken.result(0.1)
        lock_of(path).unlink()
        taken.result(LONG)


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_what_is_locked_has_the_name_still(path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Another program removed or replaced the file after it was opened and before it was locked."""
    flock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        if what == "replaced":
            path.touch()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    descriptor = acquire(path, LONG, create=True)
    assert descriptor is not None
    assert path.samefile(f"/proc/self/fd/{descriptor}")
    release(descriptor)


def test_a_child_that_inherited_the_file_keeps_no_lock(path: Path) -> None:
    """A program started meanwhile may outlive the lock."""
    descriptor = acquire(path, 0, create=True)
    assert descriptor is not None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor]) as child:
        release(descriptor)
        again = acquire(path, 0)
        assert child.poll() is None
        assert again is not None
        release(again)


def test_a_file_that_is_not_there_is_locked_only_if_it_is_to_be_created(path: Path) -> None:
    """What ended is nobody's to take over."""
    with pytest.raises(FileNotFoundError):
        acquire(path, LONG)
    assert not path.exists()


@pytest.mark.parametrize("link", ["dangling", "loop"])
def test_a_lock_that_is_a_link_is_refused(path: Path, link: str) -> None:
    """Whoever may write to the folder doesn't choose what is made elsewhere."""
    lock_of(path).symlink_to(path.with_name("elsewhere") if link == "dangling" else lock_of(path))
    with pytest.raises(UnwritableFile, match="cannot lock"), exclusive(path, LONG):
        pass
    assert not path.with_name("elsewhere").exists()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOTSUP, errno.EINVAL])
@pytest.mark.parametrize("absent", ["flock", "fcntl"])
def test_a_file_system_that_has_one_of_the_two_locks_only_will_do(
    path: Path, monkeypatch: pytest.MonkeyPatch, absent: str, code: int
) -> None:
    """The other one excludes; without both there is no lock."""

    def refuse(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, absent, refuse)
    other = "description" if absent == "flock" else "flock"
    with holding(other, lock_of(path)), pytest.raises(RegistryBusy), exclusive(path, 0.1):
        pass
    with exclusive(path, LONG):
        pass
    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with pytest.raises(UnwritableFile, match="cannot lock"), exclusive(path, LONG):
        pass
