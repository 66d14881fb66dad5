"""Who is known to be gone may be taken over; who can't be seen from this machine is unknown, and left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import SystemClock
from core.operations.tasks.journal import Journal, Operation, StillAtWork
from core.workers import this_worker

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import sys
from pathlib import Path
from core.clock import SystemClock
from core.operations.tasks.journal import Journal, Operation
entry = Journal(Path(sys.argv[1]), SystemClock()).begin(Operation.CREATE, vm="web", uuid="u", realm="main")
print(entry.id, flush=True)
sys.stdin.read()
"""

HERE = this_worker().as_mapping()
UNKNOWN = {
    "another machine": HERE | {"machine": "0" * 32},
    "another container": HERE | {"boot": f"{str(HERE['boot']).partition('/')[0]}/1-2"},
    "no identity": None,
    "half an identity": {"machine": HERE["machine"]},
}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return the journal beside a registry that isn't there yet."""
    return Journal(tmp_path / "registry.json", SystemClock(), lock_patience=0.1)


def left_by(journal: Journal, worker: object) -> str:
    """Leave an operation in the journal, as a worker with this identity does; gives its id."""
    entry = journal.begin(Operation.CREATE, vm="web", uuid="u", realm="main")
    entry.leave()
    (path,) = journal.folder.glob("*.jsonl")
    head: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps(head | {"worker": worker}) + "\n")
    return entry.id


def test_a_killed_process_of_this_machine_left_its_operation_behind(journal: Journal, tmp_path: Path) -> None:
    """And a living one did not."""
    command = [sys.executable, "-c", BEGIN, str(tmp_path / "registry.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        identity = process.stdout.readline().strip()
        (record,) = journal.records()
        assert (record.at_work, record.may_run, record.is_unknown) == (True, True, False)
        process.kill()
        process.wait()
    (record,) = journal.left_behind()
    assert (record.id, record.may_run) == (identity, False)
    with journal.taking_over(identity) as entry:
        entry.close()


@pytest.mark.parametrize("worker", UNKNOWN.values(), ids=UNKNOWN)
def test_an_operation_whose_process_cannot_be_seen_is_taken_over_by_force_only(
    journal: Journal, worker: object
) -> None:
    """Its lock is free here, where it may be that machine's alone."""
    identity = left_by(journal, worker)
    (record,) = journal.records()
    assert (record.at_work, record.may_run, record.is_unknown) == (False, True, True)
    assert journal.left_behind() == ()
    with pytest.raises(StillAtWork, match="can't verify"), journal.taking_over(identity):
        pass
    with journal.taking_over(identity, force=True) as entry:
        entry.close()
    assert journal.records() == ()


def test_force_takes_nothing_from_a_process_that_works(journal: Journal) -> None:
    """Its lock is seen."""
    entry = journal.begin(Operation.CREATE, vm="web", uuid="u", realm="main")
    with pytest.raises(StillAtWork), journal.taking_over(entry.id, force=True):
        pass
    entry.close()


def test_a_machine_that_was_started_anew_left_its_operations_behind(journal: Journal) -> None:
    """All its processes are gone."""
    left_by(journal, HERE | {"boot": f"before/{str(HERE['boot']).partition('/')[2]}"})
    assert [record.vm for record in journal.left_behind()] == ["web"]
