"""Files that are replaced, appended to and shared: whole on every file system, and nothing left beside them."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.config.model import Configuration
from core.errors import UnwritableFile
from core.files import make_folder, replace_file, share, sync_folder, write_line
from core.fleet.file import write_file
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.operations.scheduling.config_store import store
from core.operations.scheduling.log_file import append_line
from core.operations.tasks.journal import Journal
from core.registry.hosts import HostRegistry
from core.reservations import Reservation
from tests.registry.worker import CONFIGURATION, described
from tui.screens.costs.what_if.export import write
from tui.state.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNABLE = [errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EROFS]


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def change_registry(folder: Path) -> None:
    """Add a host to a registry, and another."""
    registry = HostRegistry(folder / "registry.json")
    registry.add(described("h1"), CONFIGURATION)
    registry.add(described("h2"), CONFIGURATION)
    assert len(registry.hosts()) == 2


def keep_journal(folder: Path) -> None:
    """Begin an operation, take a step of it, and end it."""
    journal = Journal(folder / "registry.json", SystemClock())
    entry = journal.begin("plan", vm="drain h1", uuid="", realm="")
    entry.step("begin")
    assert len(journal.records()) == 1
    entry.close()
    assert journal.records() == ()


def log_a_line(folder: Path) -> None:
    """Append a line to a log, and store a configuration beside it."""
    append_line(folder / "log.jsonl", "{}", like=folder / "registry.json")
    store(folder / "log.jsonl", b"content", like=folder / "registry.json")
    assert (folder / "log.jsonl").read_text() == "{}\n"


def save_fleet(folder: Path) -> None:
    """Save a fleet."""
    write_file(folder / "fleet.json", Fleet(taken=0.0, hosts=()), Configuration())
    assert (folder / "fleet.json").exists()


def save_settings(folder: Path) -> None:
    """Save what the user chose."""
    Settings()._write(folder / "settings.json", "{}")
    assert (folder / "settings.json").read_text() == "{}"


def export(folder: Path) -> None:
    """Replace a file by a what-if."""
    assert write(folder / "what-if.conf", "content", replace=True)


USES = [change_registry, keep_journal, log_a_line, save_fleet, save_settings, export]


@pytest.fixture
def failing_sync(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that makes folders fail to be synced; files are synced as ever."""
    fsync = os.fsync

    def fail(code: int) -> None:
        def unable(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(code, os.strerror(code))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", unable)

    return fail


@pytest.mark.parametrize("code", UNABLE)
@pytest.mark.parametrize("use", USES)
def test_a_folder_that_can_not_be_synced_keeps_nothing_from_being_written(
    tmp_path: Path, failing_sync: Callable[[int], None], use: Callable[[Path], None], code: int
) -> None:
    """Network file systems answer many things."""
    failing_sync(code)
    use(tmp_path)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_told(tmp_path: Path, failing_sync: Callable[[int], None], code: int) -> None:
    """Nobody relies on a name that may not be there after a crash."""
    failing_sync(code)
    with pytest.raises(OSError, match=os.strerror(code)):
        sync_folder(tmp_path)
    for use in (change_registry, keep_journal, save_fleet):
        with pytest.raises(UnwritableFile, match=os.strerror(code)):
            use(tmp_path)


def test_a_folder_that_may_be_written_but_not_listed_is_not_synced(tmp_path: Path) -> None:
    """Root may list it all the same."""
    tmp_path.chmod(0o300)
    try:
        replace_file(tmp_path / "file", b"content")
        assert (tmp_path / "file").read_bytes() == b"content"
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("use", USES)
def test_nothing_is_left_beside_what_is_written(tmp_path: Path, use: Callable[[Path], None]) -> None:
    """Not even a hidden file."""
    use(tmp_path)
    assert list(tmp_path.rglob(".*")) == []


def test_a_file_that_can_not_be_replaced_is_as_it_was(tmp_path: Path) -> None:
    """A folder stands in its place; what was written beside it goes."""
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "file", b"content")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_replaced_has_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    """Without one the umask's, as of any new file; a link is replaced itself."""
    path, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(path)
    before = os.umask(0o027)
    try:
        replace_file(path, b"old")
        assert mode(path) == 0o640
        replace_file(link, b"new", mode=0o604)
    finally:
        os.umask(before)
    assert (mode(link), link.is_symlink(), link.read_bytes(), path.read_bytes()) == (0o604, False, b"new", b"old")


def test_a_registry_sweeps_what_a_killed_writer_left(tmp_path: Path) -> None:
    """Its new content and the former one, also where the next change writes only one of them."""
    change_registry(tmp_path)
    registry = HostRegistry(tmp_path / "registry.json")
    reservation = Reservation(
        uuid="u", vm="web", host="h1", vcpus=1, memory_bytes=1, devices=(), owner="me", expires_at=4e9
    )
    for change in (
        lambda changes: changes.set_state("h1", HostState.DISABLED),
        lambda changes: changes.reserve(reservation),
    ):
        for name in (".registry.json.new", ".registry.json.old"):
            (tmp_path / name).write_text("half of")
        with registry.transaction() as changes:
            change(changes)
        assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(("alone", "between"), [(True, b""), (False, b"\n")])
def test_a_line_begins_on_a_line_of_its_own(tmp_path: Path, alone: bool, between: bytes) -> None:
    """Also after half a line, and where another writer may be at work at the same moment."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        for line in (b"one", b"two"):
            write_line(descriptor, line, alone=alone)
        os.write(descriptor, b"hal")
        write_line(descriptor, b"three", alone=alone)
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"one\n" + between + b"two\nhal\nthree\n"


def test_files_and_folders_are_shared_as_another_file_is(tmp_path: Path) -> None:
    """Who may read the file may enter the folder; without that file they are their owner's."""
    like, folder, path = tmp_path / "like", tmp_path / "a" / "b", tmp_path / "file"
    make_folder(folder, like)
    replace_file(path, b"", mode=0o600)
    share(path, like)
    assert (mode(folder), mode(path)) == (0o700, 0o600)
    like.touch()
    like.chmod(0o664)
    make_folder(folder, like)
    assert mode(folder) == 0o700  # it was there
    make_folder(tmp_path / "c", like)
    share(path, like)
    assert (mode(tmp_path / "c"), mode(path)) == (0o775, 0o664)
