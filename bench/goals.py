"""The goals of figures: what was aimed at, and by how much a figure missed it on the machine of this run."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound in the figure's own unit: the least where more is better, else the most."""

    bound: float
    unit: str
    more_is_better: bool = False

    def __str__(self) -> str:
        return f"goal {self.bound:,g} {self.unit}"

    def missed_by(self, figure: float) -> float:
        """Return by which share a figure misses it; 0 where it is met."""
        if self.bound == 0:
            return figure
        share = self.bound / max(figure, 1e-9) if self.more_is_better else figure / self.bound
        return max(0.0, share - 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one figure stands to its goal."""

    what: str
    goal: str
    words: str
    met: bool


VERDICTS: list[Verdict] = []
"""Those of this run, in order."""


def judge(what: str, goal: Goal | None, figures: Sequence[float]) -> str:
    """Return of several runs whether their median meets a goal, or at least the best of them; noted for the summary."""
    if goal is None:
        return ""
    best = max(figures) if goal.more_is_better else min(figures)
    missed, at_best = goal.missed_by(statistics.median(figures)), goal.missed_by(best)
    if not missed:
        words = "met"
    elif not at_best:
        words = f"met by the best run; the median misses it by {_share(goal, missed)}"
    else:
        words = f"missed by {_share(goal, missed)}, by {_share(goal, at_best)} in the best run"
    return keep(what, str(goal), words, met=not missed)


def _share(goal: Goal, missed: float) -> str:
    return f"{missed:,.0f} {goal.unit}" if goal.bound == 0 else f"{100 * missed:.0f} %"


def keep(what: str, goal: str, words: str, *, met: bool) -> str:
    """Keep a verdict for the summary, and give it as it stands beside its figure."""
    VERDICTS.append(Verdict(what, goal, words, met))
    return f"{goal}: {words}"


def machine(loop_ms: float) -> str:
    """Return on what was measured: other work blurs what is timed by the clock, a slow machine everything."""
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f"{cores} processors, load {busy:.1f}; a million turns of an empty loop take {loop_ms:.1f} ms"


def summary() -> str:
    """Count the goals that were met, and name those that weren't."""
    missed = [verdict for verdict in VERDICTS if not verdict.met]
    lines = [f"{len(VERDICTS) - len(missed)} of {len(VERDICTS)} goals met"]
    lines += [f"  {verdict.what.strip()} - {verdict.goal}: {verdict.words}" for verdict in missed]
    return "\n".join(lines)
