"""Explanations for people: the best host against the next, part by part; what would make the refused accept."""

from collections.abc import Iterable, Sequence

from core.placement.engine.decision import compare_parts
from core.placement.engine.remedies import Remedy
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Verdict
from tui.cli.output import headings, print_table, say
from tui.render.costs.remedies import ways
from tui.render.figures import cost_text, decimals


def best_against_next(verdicts: Sequence[Verdict]) -> None:
    """Print what each part adds to the cost of the first two hosts; nothing where fewer than two can take the VM."""
    able = [verdict for verdict in verdicts[:2] if verdict.feasible]
    if len(able) < 2 or able[0].cost is None or able[1].cost is None:
        return
    best, other = able[0].cost, able[1].cost
    parts = compare_parts(best, other)
    values = [value for part in parts for value in (part.best, part.other) if value is not None]
    digits = decimals([*values, best.total, other.total])
    rows = [
        [part.name, _figure(part.best, digits), _figure(part.other, digits), cost_text(part.gain, digits, signed=True)]
        for part in parts
        if part.best or part.other
    ]
    total = other.total - best.total
    rows.append(["cost", cost_text(best.total, digits), cost_text(other.total, digits),
                 cost_text(total, digits, signed=True)])  # fmt: skip
    say()
    print_table(headings("Part", ">Best", ">Next", ">Extra cost"), rows)


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else cost_text(value, digits)


def remedies(found: Iterable[Remedy], request: Request, title: str = "Would take it") -> None:
    """Print for each refused host what would make it take the VM, each way on a line of its own."""
    rows = []
    for remedy in found:
        for index, way in enumerate(ways(remedy, request)):
            rows.append([remedy.host if index == 0 else "", way])
    if rows:
        say()
        print_table(headings(title, "If"), rows)
