"""Journals that a killed writer or a full disk has damaged: what is whole is read and gone on with."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.errors import UnwritableFile
from core.operations.tasks.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return the journal beside a registry that isn't there yet."""
    return Journal(tmp_path / "registry.json", SystemClock())


def leave(journal: Journal) -> tuple[str, Path]:
    """Leave an operation behind; gives its id and its file."""
    entry = journal.begin("plan", vm="drain h1", uuid="", realm="")
    entry.leave()
    (path,) = journal.folder.glob("*.jsonl")
    return entry.id, path


def test_a_step_after_half_a_line_is_read(journal: Journal) -> None:
    """Whoever takes an operation over begins on a line of its own."""
    identity, path = leave(journal)
    with path.open("ab") as file:
        file.write(b'{"step": "be')
    with journal.taking_over(identity) as entry:
        entry.step("shut-down", number=0)
        entry.step("end", number=0)
    (record,) = journal.left_behind()
    assert [step["step"] for step in record.steps] == ["shut-down", "end"]


def test_a_step_that_is_written_in_part_was_not_taken_and_the_next_one_is_read(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full for a moment."""
    entry = journal.begin("plan", vm="drain h1", uuid="", realm="")
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:9]))
        with pytest.raises(UnwritableFile, match="No space left"):
            entry.step("begin", number=0)
    entry.step("end", number=0)
    entry.leave()
    (record,) = journal.left_behind()
    assert [step["step"] for step in record.steps] == ["end"]


@pytest.mark.parametrize("time", [float("inf"), float("nan"), 10**400, "soon", None])
def test_an_operation_of_no_moment_is_none(journal: Journal, time: object) -> None:
    """Others are read all the same."""
    _, path = leave(journal)
    head = json.loads(path.read_text())
    path.write_text(json.dumps({**head, "time": time}) + "\n")
    assert journal.records() == ()
    journal.begin("plan", vm="drain h2", uuid="", realm="").leave()
    assert [record.vm for record in journal.left_behind()] == ["drain h2"]
