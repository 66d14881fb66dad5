"""A logged decision in full: each host with its terms and reasons, and what would be decided today."""

from collections.abc import Sequence

from core.codes import DecidedBy, ReplayOutcome
from core.costs import Term
from core.operations.scheduling.explain import DecisionAgain
from core.operations.scheduling.replay import Destination, ReplayResult
from core.placement.engine.decision import decide
from core.placement.engine.verdicts import Verdict
from core.text import natural, plural
from core.units import show_size
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.refusals import short_name, why
from tui.render.costs.remedies import ways
from tui.render.figures import cost_text, decimals
from tui.render.plans.sheet import Detail, asked_for
from tui.render.rows import Column, Row, SortValue

VERDICT_COLUMNS = (
    Column(key="rank", title="#", right=True, least=2, letter="O"),
    Column(key="host", title="HOST", least=7, most=28, letter="H"),
    Column(key="cost", title="COST", right=True, least=6, most=14, letter="C"),
    Column(key="rise", title="RISE", right=True, least=6, most=14, letter="I", priority=2),
    Column(key="vms", title="VMS", right=True, least=4, most=10, letter="V", priority=3),
    Column(key="vcpus", title="VCPUS", right=True, least=5, most=10, letter="U", priority=3),
    Column(key="memory", title="MEMORY", right=True, least=6, most=10, letter="M", priority=3),
    Column(key="devices", title="DEVICES", right=True, least=4, most=10, letter="D", priority=4),
    Column(key="offset", title="OFFSET", right=True, most=14, wide_only=True),
    Column(key="scale", title="SCALE", right=True, most=10, wide_only=True),
    Column(key="why", title="WHY", least=34, most=200, stretch=True, letter="W", priority=1),
)

_ARROW = " \N{RIGHTWARDS ARROW} "
_TIES = {DecidedBy.RISE: "smaller rise decided", DecidedBy.VMS: "fewer VMs decided", DecidedBy.NAME: "name decided"}
_SMALLEST = 1e-6


def sentences(again: DecisionAgain) -> tuple[Piece, ...]:
    """Return what was asked, what was decided and why, and what would be decided today."""
    decision = again.decision
    count = f"{decision.count} VMs of " if decision.count > 1 else ""
    told: list[Piece] = [(_decided(again), Tone.STRONG), (f"Request: {count}{asked_for(decision.request)}", Tone.PLAIN)]
    if again.problem:
        told.append((f"Shown with the current configuration; the original is gone: {again.problem}", Tone.WARN))
    elif again.then.outcome is not ReplayOutcome.SAME:
        told.append((f"Replay differs from the log: {_outcome(again.then)}", Tone.BAD))
    told.append(_today(again))
    return tuple(told)


def _decided(again: DecisionAgain) -> str:
    decision, verdicts = again.decision, again.verdicts
    hosts = plural(len(verdicts), "host")
    if not decision.placements:
        return f"None of {hosts} could take it"
    first = decision.placements[0]
    cost = f" at cost {cost_text(first.cost)}" if first.cost is not None else ""
    devices = "".join(f" {str(address).removeprefix('0000:')}" for address in first.devices)
    where = f"{first.host}{cost}" + (f", with{devices}" if devices else "")
    if decision.despite_refusal:
        return f"{where}: forced by an administrator despite the refusal"
    if decision.forced_host is not None:
        return f"{where}: chosen by an administrator, of {hosts}"
    found = decide(verdicts)
    if found is None or found.best != first.host:
        return f"{where}: no other host of {len(verdicts)} could take it" if len(verdicts) > 1 else where
    if found.decided_by is not DecidedBy.COST:
        return f"{where}: as cheap as {found.next_best}, {_TIES[found.decided_by]}"
    margin = cost_text(found.margin, decimals((0.0, found.margin)))
    return f"{where}: {margin} cheaper than {found.next_best}, {short_name(found.part or '')} decided"


def _today(again: DecisionAgain) -> Piece:
    if again.made_by_today:
        return ("Made with the current configuration: same decision today", Tone.MUTED)
    outcome = again.today.outcome
    if outcome is ReplayOutcome.SAME:
        return ("The configuration has changed; same decision today", Tone.MUTED)
    tone = Tone.WARN if outcome.changes else Tone.PLAIN
    return (f"The current configuration would decide differently: {_outcome(again.today)}", tone)


def _outcome(replayed: ReplayResult) -> str:
    number = f"VM {replayed.vm_number}: " if replayed.decision.count > 1 else ""
    change = f"{number}{_seat(replayed.then)}{_ARROW}{_seat(replayed.now)}"
    return f"{change} ({replayed.why})" if replayed.why else change


def _seat(seat: Destination) -> str:
    if seat.host is None:
        return "no host"
    return seat.host if seat.cost is None else f"{seat.host} at {cost_text(seat.cost, 2)}"


def verdict_rows(again: DecisionAgain) -> tuple[Row, ...]:
    """Make a row of each host that was asked: best first, then the refused."""
    verdicts = again.verdicts
    able = [verdict for verdict in verdicts if verdict.cost is not None and verdict.feasible]
    digits = decimals(verdict.cost.total for verdict in able if verdict.cost is not None)
    chosen = {placement.host for placement in again.decision.placements}
    best = able[0].cost.total if able and able[0].cost is not None else 0.0
    return tuple(
        _verdict_row(number, verdict, digits, best, chosen=verdict.host in chosen)
        for number, verdict in enumerate(verdicts, 1)
    )


def _verdict_row(number: int, verdict: Verdict, digits: int, best: float, *, chosen: bool) -> Row:
    costs: dict[str, float] = {}
    for term in verdict.terms:
        name = "devices" if term.attribute.startswith("devices.") else term.attribute
        costs[name] = costs.get(name, 0.0) + term.cost
    total = verdict.cost.total if verdict.cost is not None else None
    told = verdict.refusal.message if verdict.refusal is not None else ""
    if verdict.refusal is not None:
        word: Cell = ((why(verdict.refusal), Tone.WARN), (f": {told}", Tone.MUTED))
    elif chosen:
        word = (("chosen", Tone.GOOD),)
    else:
        told = f"+{cost_text((total or 0.0) - best, digits)}" if total != best else "equal"
        word = told
    named: Cell = ((verdict.host, Tone.STRONG),) if chosen else verdict.host
    rise = verdict.rise
    cells: list[Cell] = [
        str(number) if verdict.feasible else "-",
        named,
        _figure(total, digits),
        _figure(rise, digits, signed=True),
        *(_figure(costs.get(name), 1) for name in ("vms", "vcpus", "memory", "devices")),
        _figure(verdict.offset, 1),
        "-" if verdict.scale is None else f"{verdict.scale:g}",
        word,
    ]
    order: list[SortValue] = [number, natural(verdict.host), total, rise]
    order += [costs.get(name) for name in ("vms", "vcpus", "memory", "devices")]
    return Row(verdict.host, tuple(cells), (*order, verdict.offset, verdict.scale, told), dim=not verdict.feasible)


def _figure(value: float | None, digits: int, *, signed: bool = False) -> Cell:
    return (("-", Tone.DIM),) if value is None else cost_text(value, digits, signed=signed)


def verdict_detail(again: DecisionAgain, host: str) -> Detail | None:
    """Explain one host: every reason against it with what would mend it, every term of its cost."""
    verdict = next((each for each in again.verdicts if each.host == host), None)
    if verdict is None:
        return None
    word: Piece = ("refused", Tone.WARN)
    if verdict.feasible and verdict.cost is not None:
        word = (f"cost {cost_text(verdict.cost.total)}", Tone.STRONG)
    paragraphs: list[Piece] = [(refusal.message, Tone.WARN) for refusal in verdict.reasons]
    paragraphs += [(text, Tone.PLAIN) for text in _mending(again, host)]
    paragraphs += [(text, Tone.MUTED) for text in _terms(verdict)]
    return Detail(((host, Tone.STRONG), ("  ", Tone.PLAIN), word), tuple(paragraphs))


def _mending(again: DecisionAgain, host: str) -> Sequence[str]:
    found = again.remedies.get(host)
    if found is None:
        return ()
    told = ways(found, again.decision.request, remarks=False)
    return [f"Fix: {way}" if number == 0 else way for number, way in enumerate(told)]


def _terms(verdict: Verdict) -> Sequence[str]:
    """Write each term before and after placing: `memory 128 GiB -> 136 GiB: 12.4 -> 13.2`."""
    if verdict.cost is None:
        return ("Usage unknown",)
    before = {term.attribute: term for term in verdict.before.terms} if verdict.before is not None else {}
    lines = [_term(before.get(term.attribute), term) for term in verdict.cost.terms]
    cost = verdict.cost
    formula = f" \N{MULTIPLICATION SIGN} {cost.scale:g}" if cost.scale != 1.0 else ""
    formula += f" + {cost_text(cost.offset)}" if abs(cost.offset) > _SMALLEST else ""
    was = f"{cost_text(verdict.before.total)}{_ARROW}" if verdict.before is not None else ""
    return (*lines, f"cost: {was}{cost_text(cost.total)}" + (f" (the sum{formula})" if formula else ""))


def _term(before: Term | None, after: Term) -> str:
    was = f"{_amount(before)}{_ARROW}" if before is not None else ""
    cost = cost_text(after.cost)
    if before is not None and before.cost != after.cost:
        cost = f"{cost_text(before.cost)}{_ARROW}{cost}"
    curve = "" if after.curve is not None else ", no curve"
    return f"{short_name(after.attribute)}: {was}{_amount(after)}, costs {cost}{curve}"


def _amount(term: Term) -> str:
    return show_size(term.input) if term.attribute == "memory" else str(term.input)
