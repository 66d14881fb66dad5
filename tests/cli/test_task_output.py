"""A task as a command shows it."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import FixedClock
from core.config.model import Configuration
from core.errors import Cancelled, UsageError
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Step
from tui.cli.task_output import amount, run_task

if TYPE_CHECKING:
    from core.operations.tasks.task import Control


@pytest.fixture
def session() -> Session:
    """Return a session without hosts."""
    return Session(Configuration(), clock=FixedClock())


def test_steps_are_lines_when_they_end_and_warnings_follow(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error: standard output is for the result."""

    def job(control: Control) -> int:
        with control.step(StepKind.LOOK, "look", "h1") as step:
            step.detail("found\x1b[2J 3")
        control.warn("little space")
        return 7

    assert run_task(session, "work", "", job) == 7
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["h1: look: done (found\N{REPLACEMENT CHARACTER}[2J 3)", "warning: little space"]


def test_a_quiet_task_says_nothing_and_raises_what_it_raised(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """For --json."""

    def job(control: Control) -> None:
        with control.step(StepKind.LOOK, "look"):
            raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        run_task(session, "work", "", job, quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_cancels_and_waits_for_the_undo(
    session: Session, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """Also the one who presses it twice; a request to terminate does the same."""
    outside = signal.signal(number, signal.default_int_handler)  # which may be SIG_IGN: a run in the background
    undone = threading.Event()

    def undo() -> None:
        os.kill(os.getpid(), number)
        undone.set()

    def job(control: Control) -> Any:
        control.on_failure("undo it", undo)
        os.kill(os.getpid(), number)
        control.wait(60)
        pytest.fail("nobody cancelled")

    try:
        with pytest.raises(Cancelled):
            run_task(session, "work", "", job)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, outside)
    assert undone.is_set()
    err = capsys.readouterr().err
    assert "cancelling" in err
    assert "undo it: done" in err


def test_bytes_are_shown_with_their_speed() -> None:
    """Other totals in their unit, and a word where there is none."""
    assert (
        amount(Step(StepKind.COPY, "s", done=512 * 2**20, total=2**30, unit="bytes"), 2**20)
        == "512 MiB of 1 GiB at 1 MiB/s"
    )
    assert amount(Step(StepKind.COPY, "s", done=3, total=60, unit="seconds")) == "3 of 60 seconds"
    assert amount(Step(StepKind.COPY, "s", detail="h2")) == "h2"
