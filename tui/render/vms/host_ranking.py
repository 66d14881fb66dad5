"""The hosts that could take a VM, as rows to choose from: what each would cost, or why it refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.placement.engine.verdicts import Refusal, Verdict
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.refusals import short_name, why
from tui.render.figures import cost_text, decimals
from tui.render.rows import Column, Row

BEST = ""
"""Key of the row that leaves the choice to placement: no host has such a name."""

HOST_CHOICE_COLUMNS = (
    Column(key="host", title="HOST", least=6, most=24),
    Column(key="now", title="NOW", right=True, least=4, most=12, priority=2),
    Column(key="after", title="AFTER", right=True, least=5, most=12),
    Column(key="rise", title="RISE", right=True, least=5, most=12, priority=1),
    Column(key="verdict", title="VERDICT", least=12, most=400, stretch=True),
)


@dataclass(frozen=True, slots=True)
class RankedHosts:
    """Hosts to choose from, best first, and the one that was chosen: None leaves it to placement."""

    verdicts: tuple[Verdict, ...]
    host: str | None = None
    takes: Mapping[str, int] | None = None
    """Of several VMs, how many each host takes; None where there is one."""
    count: int = 1

    @property
    def best(self) -> Verdict | None:
        """The host that placement takes; None where none can."""
        first = next(iter(self.verdicts), None)
        return first if first is not None and first.feasible else None

    @property
    def taken(self) -> Verdict | None:
        """The host that would be taken; None where none can, or the chosen one can't."""
        if self.host is None:
            return self.best
        return next((verdict for verdict in self.verdicts if verdict.host == self.host and verdict.feasible), None)


def choice_rows(choice: RankedHosts) -> tuple[Row, ...]:
    """Return a row for the best host, whichever that is, then one for each."""
    digits = _digits(choice.verdicts)
    return (_best_row(choice, digits), *(_row(verdict, choice, digits) for verdict in choice.verdicts))


def _digits(verdicts: Sequence[Verdict]) -> int:
    able = [verdict for verdict in verdicts if verdict.feasible]
    return max(
        decimals(verdict.cost.total for verdict in able if verdict.cost is not None),
        decimals([0.0, *(verdict.rise for verdict in able if verdict.rise is not None)]),
    )


def _best_row(choice: RankedHosts, digits: int) -> Row:
    best = choice.best
    mark = _mark(chosen=choice.host is None)
    words: Cell
    if choice.takes is not None:
        words = (("best other host for each VM", Tone.PLAIN),)
        return Row(BEST, ((*mark, ("best", Tone.STRONG)), "", "", "", words))
    if best is None:
        words = (("no host can take it", Tone.BAD),)
        return Row(BEST, ((*mark, ("best", Tone.STRONG)), "", "", "", words))
    verb = "selected" if choice.host is None else "would be selected"
    words = ((f"{best.host} {verb}", Tone.GOOD if choice.host is None else Tone.PLAIN),)
    return Row(BEST, ((*mark, ("best", Tone.STRONG)), *_costs(best, digits), words))


def _row(verdict: Verdict, choice: RankedHosts, digits: int) -> Row:
    chosen = choice.host == verdict.host
    name = (*_mark(chosen=chosen), (verdict.host, Tone.STRONG if verdict is choice.taken else Tone.PLAIN))
    return Row(verdict.host, (name, *_costs(verdict, digits), _verdict(verdict, choice)), dim=not verdict.feasible)


def _mark(*, chosen: bool) -> tuple[tuple[str, Tone], ...]:
    return (("\N{BLACK CIRCLE} " if chosen else "  ", Tone.ACCENT),)


def _costs(verdict: Verdict, digits: int) -> tuple[Cell, Cell, Cell]:
    if verdict.cost is None or verdict.before is None:
        return ("-", "-", "-")
    rise = cost_text(verdict.rise, digits, signed=True) if verdict.rise is not None else "-"
    return (cost_text(verdict.before.total, digits), cost_text(verdict.cost.total, digits), rise)


def _verdict(verdict: Verdict, choice: RankedHosts) -> Cell:
    chosen = choice.host == verdict.host
    if choice.takes is not None:
        number = choice.takes.get(verdict.host, 0)
        refused = why(verdict.refusal) if verdict.refusal is not None and not number else ""
        return _of_several(number, choice.count, refused, chosen=chosen)
    if verdict.refusal is not None:
        reasons = verdict.reasons
        lead = "chosen, refused: " if chosen else ""
        pieces = [(lead + why(reasons[0]), Tone.BAD if chosen else Tone.WARN), (_beyond(reasons[0]), Tone.PLAIN)]
        if len(reasons) > 1:
            pieces.append((f"; also {', '.join(why(reason) for reason in reasons[1:])}", Tone.DIM))
        return tuple(pieces)
    devices = f"  with {' '.join(str(each).removeprefix('0000:') for each in verdict.devices)}"
    with_devices = ((devices if verdict.devices else "", Tone.MUTED),)
    if chosen:
        return (("chosen", Tone.GOOD), *with_devices)
    if choice.host is None and verdict is choice.best:
        return (("best (lowest cost)", Tone.GOOD), *with_devices)
    place = [each for each in choice.verdicts if each.feasible].index(verdict) + 1
    return ((f"fits, {_ordinal(place)}", Tone.MUTED), *with_devices)


def _beyond(reason: Refusal) -> str:
    """Return what a reason says beyond its name."""
    return f"  {reason.detail or reason.message}"


def _of_several(takes: int, count: int, refused: str, *, chosen: bool) -> Cell:
    told = f"fits {'all' if takes == count else takes or 'none'} of {count}" + (f": {refused}" if refused else "")
    tone = Tone.BAD if not takes else Tone.WARN if takes < count else Tone.GOOD if chosen else Tone.PLAIN
    return ((told, tone),)


def host_lines(choice: RankedHosts, host: str | None) -> list[tuple[Piece, ...]]:
    """Return all about a host: every reason against it, or what its cost is made of. None stands for the best."""
    verdict = choice.best if host is None else next((each for each in choice.verdicts if each.host == host), None)
    if verdict is None:
        return []
    lines: list[tuple[Piece, ...]] = [((verdict.host, Tone.STRONG),)]
    lines += [((why(reason), Tone.WARN), (_beyond(reason), Tone.PLAIN)) for reason in verdict.reasons]
    if verdict.cost is None or verdict.before is None:
        return [*lines, (("usage unknown", Tone.MUTED),)]
    before = {term.attribute: term for term in verdict.before.terms}
    for term in verdict.terms:
        was = cost_text(before[term.attribute].cost) if term.attribute in before else "-"
        pieces = [(f"{short_name(term.attribute):<10}", Tone.MUTED), (f"{was:>9}", Tone.PLAIN)]
        lines.append((*pieces, (" \N{RIGHTWARDS ARROW} ", Tone.MUTED), (f"{cost_text(term.cost):>9}", Tone.PLAIN)))
    for name, value, usual in (("scale", verdict.scale, 1.0), ("offset", verdict.offset, 0.0)):
        if value is not None and value != usual:
            lines.append(((f"{name:<10}", Tone.MUTED), (f"{cost_text(value):>9}", Tone.PLAIN)))
    costs = (cost_text(verdict.before.total), cost_text(verdict.cost.total))
    total: list[Piece] = [(f"{'cost':<10}", Tone.MUTED), (f"{costs[0]:>9}", Tone.PLAIN)]
    lines.append((*total, (" \N{RIGHTWARDS ARROW} ", Tone.MUTED), (f"{costs[1]:>9}", Tone.STRONG)))
    return lines


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
