"""Which parameters of a cost function would have to be how large for a use to cost less than infinity (section 11)."""

from dataclasses import dataclass, replace

from core.costs import Cost
from core.curves import INFINITY, Curve, HardSoft, Piecewise

_DEVICES = "devices."


@dataclass(frozen=True, slots=True)
class RaisedLimit:
    """A parameter that is too small: its path within the cost function, and the least value that is enough."""

    path: tuple[str, ...]
    attribute: str
    least: float


def raised_limits(cost: Cost) -> tuple[RaisedLimit, ...]:
    """Return the limits that stand in the way of an infinite cost, all of which must be raised.

    None at all where the cost is finite already, or where raising limits alone is not enough.
    """
    found: list[RaisedLimit] = []
    for term in cost.terms:
        if term.feasible:
            continue
        raised = _raised(term.curve, float(term.input)) if term.curve is not None else None
        if raised is None:
            return ()
        path, _ = raised
        kind = term.attribute.removeprefix(_DEVICES)
        start = ("devices", kind) if kind != term.attribute else (term.attribute,)
        found.append(RaisedLimit((*start, *path), term.attribute, float(term.input)))
    return tuple(found)


def _raised(curve: Curve, amount: float) -> tuple[tuple[str, ...], Curve] | None:
    """Return the path of the one limit to be raised, and the curve with it; None where one is not enough."""
    candidates: list[tuple[tuple[str, ...], Curve]] = []
    if curve.max is not None and amount > curve.max:
        candidates.append((("max",), replace(curve, max=amount)))
    elif isinstance(curve, HardSoft):
        candidates.append((("hard",), replace(curve, hard=amount)))
    elif isinstance(curve, Piecewise):
        name = "low" if amount <= curve.cutoff else "high"
        inner = _raised(curve.low if name == "low" else curve.high, amount)
        if inner is not None:
            path, changed = inner
            side = replace(curve, low=changed) if name == "low" else replace(curve, high=changed)
            candidates.append(((name, *path), side))
        if name == "high":
            candidates.append((("cutoff",), replace(curve, cutoff=amount)))
    return next((found for found in candidates if found[1].cost(amount) != INFINITY), None)
