"""The program in this process, as one types it."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tui.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., "Outcome"]

SMALL = ("--vcpus", 8, "--memory", "64 GiB")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, which must be strict JSON: without NaN and Infinity."""
        return json.loads(self.out, parse_constant=pytest.fail)


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Make a function that runs a command and catches what it prints; the way SIGPIPE is handled is put back."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["realms", *map(str, arguments)])
        on_pipe = signal.getsignal(signal.SIGPIPE)
        try:
            with pytest.raises(SystemExit) as end:
                main()
        finally:
            signal.signal(signal.SIGPIPE, on_pipe)
        return Outcome(end.value.code, *capsys.readouterr())

    return run


def plan(run: Run, *arguments: object, fleet: object = "fleet.json") -> Outcome:
    """Plan on the saved fleet."""
    return run("plan", "--fleet", fleet, *arguments)


def lines(outcome: Outcome) -> list[str]:
    """Return what it printed, with one space between words."""
    return [" ".join(line.split()) for line in outcome.out.splitlines()]


def place(run: Run, *arguments: object, fleet: object = "fleet.json") -> Outcome:
    """Place on the saved fleet."""
    return run("place", "--fleet", fleet, *arguments)
