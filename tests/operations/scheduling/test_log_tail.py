"""A log read backwards and followed: every line once, through rotations, whatever was left half written."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnreadableFile
from core.operations.scheduling import log_tail as log_following
from core.operations.scheduling.log_file import append_line, rotated
from core.operations.scheduling.log_tail import LogFollower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from core.operations.scheduling.log_tail import LogLine


@pytest.fixture
def follow() -> Iterator[Callable[..., LogFollower]]:
    """Return a function that makes a follower; all are closed in the end."""
    with ExitStack() as stack:
        yield lambda log, **more: stack.enter_context(closing(LogFollower(log, **more)))


def texts(lines: Iterable[LogLine] | None) -> list[str | None]:
    """Return the lines' texts; None for one that is too long."""
    assert lines is not None
    return [None if line.content is None else line.content.decode() for line in lines]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text("ab ", max_size=12), max_size=30), st.integers(1, 9))
def test_lines_come_backwards_whatever_the_size_of_a_block(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], block: int
) -> None:
    """Each with its place, by which it is read again; blank ones are none."""
    path = tmp_path_factory.mktemp("log") / "log"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_following, "_BLOCK", block)
        follower = LogFollower(path)
        found = list(follower.past())
        assert texts(found) == [line for line in reversed(lines) if line.strip()]
        assert [follower.read(line.place) for line in found] == [line.content for line in found]
        assert follower.fresh() == ()
        follower.close()


def test_former_files_are_read_on_and_what_is_too_much_is_left_out(
    follow: Callable[..., LogFollower], tmp_path: Path
) -> None:
    """The newest first; whether there is more is told."""
    log = tmp_path / "log"
    for number in range(12):
        append_line(log, f"{number:02}" * 10, like=tmp_path, most_bytes=70)
    follower = follow(log)
    assert texts(follower.past()) == [f"{number:02}" * 10 for number in reversed(range(12))]
    assert not follower.left_out
    some = follow(log, most_bytes=60)
    assert texts(some.past()) == [f"{number:02}" * 10 for number in (11, 10, 9)]
    assert some.left_out


def test_what_is_appended_comes_once_through_rotations(follow: Callable[..., LogFollower], tmp_path: Path) -> None:
    """Also where the file was rotated several times between two looks."""
    log = tmp_path / "log"
    follower = follow(log)
    assert list(follower.past()) == []
    assert follower.fresh() == ()
    numbers, found = iter(range(1000)), []
    for count in (1, 0, 2, 7, 1, 11, 3):
        for _ in range(count):
            append_line(log, f"{next(numbers):03}" * 5, like=tmp_path, most_bytes=50)
        found += texts(follower.fresh())
    assert found == [f"{number:03}" * 5 for number in range(25)]


def test_a_log_that_went_through_all_its_files_is_begun_anew(
    follow: Callable[..., LogFollower], tmp_path: Path
) -> None:
    """What was between is not there any more, and nobody says otherwise."""
    log = tmp_path / "log"
    append_line(log, "first", like=tmp_path)
    follower = follow(log)
    list(follower.past())
    for number in range(30):
        append_line(log, f"{number:02}" * 30, like=tmp_path, most_bytes=50)
    assert follower.fresh() is None
    assert texts(follower.past())[0] == "29" * 30
    append_line(log, "next", like=tmp_path)
    assert texts(follower.fresh()) == ["next"]


def test_a_log_that_is_cut_short_or_taken_away_is_no_trouble(
    follow: Callable[..., LogFollower], tmp_path: Path
) -> None:
    """As by logrotate with copytruncate, or by an administrator who removes it."""
    log = tmp_path / "log"
    log.write_text("one\ntwo\n")
    follower = follow(log)
    assert texts(follower.past()) == ["two", "one"]
    log.write_text("3\n")
    assert follower.fresh() is None
    assert texts(follower.past()) == ["3"]
    log.unlink()
    assert follower.fresh() is None
    assert texts(follower.past()) == []
    log.write_text("four\n")
    assert texts(follower.fresh()) == ["four"]


def test_half_a_line_is_waited_for_and_told_only_where_nobody_goes_on_with_it(
    follow: Callable[..., LogFollower], tmp_path: Path
) -> None:
    """A writer may be in the midst of it, or dead."""
    log = tmp_path / "log"
    log.write_text('one\n{"time": ')
    follower = follow(log)
    assert texts(follower.past()) == ["one"]
    assert follower.fresh() == ()
    with log.open("a") as file:
        file.write("1}\n{")
    assert texts(follower.fresh()) == ['{"time": 1}']
    assert texts(follower.fresh()) == ["{"]
    append_line(log, "two", like=tmp_path)
    assert texts(follower.fresh()) == ["two"]


def test_a_line_of_any_length_takes_little_memory(
    follow: Callable[..., LogFollower], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told without its content, from either side."""
    monkeypatch.setattr(log_following, "LONGEST_LINE", 100)
    monkeypatch.setattr(log_following, "_BLOCK", 16)
    log = tmp_path / "log"
    log.write_text("x" * 500 + "\none\n" + "y" * 101 + "\n" + "z" * 100 + "\n")
    follower = follow(log)
    assert texts(follower.past()) == ["z" * 100, None, "one", None]
    with log.open("a") as file:
        file.write("w" * 350 + "\ntwo\n")
    assert texts(follower.fresh()) == [None, "two"]


def test_a_line_is_found_again_after_its_file_was_renamed_and_not_after_it_is_gone(
    follow: Callable[..., LogFollower], tmp_path: Path
) -> None:
    """Another file in its place is not taken for it."""
    log = tmp_path / "log"
    append_line(log, json.dumps("a" * 60), like=tmp_path, most_bytes=50)
    follower = follow(log)
    (line,) = follower.past()
    for number in range(2):
        append_line(log, f"{number}" * 60, like=tmp_path, most_bytes=50)
    assert follower.read(line.place) == line.content
    for path in (log, *rotated(log)):
        path.unlink(missing_ok=True)
    with pytest.raises(UnreadableFile, match="no longer in"):
        follower.read(line.place)


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_file_is_told_and_not_waited_for(
    follow: Callable[..., LogFollower], tmp_path: Path, kind: str
) -> None:
    """Each look says so."""
    log = tmp_path / "log"
    if kind == "folder":
        log.mkdir()
    elif kind == "pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(log)
    follower = follow(log)
    with pytest.raises(UnreadableFile, match="can't be read"):
        list(follower.past())
