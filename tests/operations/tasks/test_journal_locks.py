"""Who works on an operation is seen by the lock of its journal, whichever program holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.operations.tasks.journal import Journal, StillAtWork
from tests.lock_holder import KINDS, holding

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_is_at_work_while_one_of_the_two_locks_is_held_and_left_behind_afterwards(
    tmp_path: Path, kind: str
) -> None:
    """An older program has one of them only."""
    journal = Journal(tmp_path / "registry.json", SystemClock(), lock_patience=0.1)
    entry = journal.begin("plan", vm="drain h1", uuid="", realm="")
    entry.leave()
    (path,) = journal.folder.glob("*.jsonl")
    with holding(kind, path) as worker:
        assert [record.at_work for record in journal.records()] == [True]
        with pytest.raises(StillAtWork), journal.taking_over(entry.id):
            pass
        worker.kill()
        worker.wait()
        assert [record.at_work for record in journal.left_behind()] == [False]
    with journal.taking_over(entry.id) as taken:
        assert (taken.id, taken.owner) == (entry.id, entry.owner)
        assert [record.at_work for record in journal.records()] == [True]
        taken.close()
    assert journal.records() == ()
