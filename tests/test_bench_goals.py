"""The verdicts that the benchmarks print beside their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import goals
from bench.goals import Goal, judge, keep, summary

if TYPE_CHECKING:
    from bench.goals import Verdict


@pytest.fixture(autouse=True)
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """Start a run without any."""
    kept: list[Verdict] = []
    monkeypatch.setattr(goals, "VERDICTS", kept)
    return kept


@pytest.mark.parametrize(
    ("goal", "figures", "words"),
    [
        (Goal(100.0, "ms"), [99.0, 100.0, 250.0], "goal 100 ms: met"),
        (Goal(100.0, "ms"), [90.0, 110.0, 120.0], "goal 100 ms: met by the best run; the median misses it by 10 %"),
        (Goal(0.4, "s"), [0.5, 0.6, 0.7], "goal 0.4 s: missed by 50 %, by 25 % in the best run"),
        (Goal(50_000.0, "/s", more_is_better=True), [40_000.0, 50_000.0, 60_000.0], "goal 50,000 /s: met"),
        (Goal(30.0, "/s", more_is_better=True), [15.0, 20.0], "goal 30 /s: missed by 71 %, by 50 % in the best run"),
        (Goal(0.0, "B/s"), [0.0, 0.0], "goal 0 B/s: met"),
        (Goal(0.0, "B/s"), [12.0, 12.0], "goal 0 B/s: missed by 12 B/s, by 12 B/s in the best run"),
    ],
)  # fmt: skip
def test_a_figure_is_judged_by_the_median_of_its_runs(goal: Goal, figures: list[float], words: str) -> None:
    """And by how much it misses its goal, also at best."""
    assert judge("a figure", goal, figures) == words


def test_the_summary_counts_goals_and_names_those_that_were_missed(verdicts: list[Verdict]) -> None:
    """A figure without a goal is none of them."""
    assert judge("no goal", None, [1.0]) == ""
    judge("quick", Goal(2.0, "ms"), [1.0])
    judge("  slow", Goal(2.0, "ms"), [4.0])
    keep("equal", "goal the same count", "on 6 of 7 fleets", met=False)
    assert len(verdicts) == 3
    assert summary().splitlines() == [
        "1 of 3 goals met",
        "  slow - goal 2 ms: missed by 100 %, by 100 % in the best run",
        "  equal - goal the same count: on 6 of 7 fleets",
    ]
