"""The scheduling log as rows of a table, and each decision in a few sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.config.model import Configuration
from core.operations.scheduling.log_summary import DecisionSummary
from core.text import natural, one_line, plural
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.headroom import in_words
from tui.render.figures import cost_text, decimals
from tui.render.plans.sheet import Detail, asked_for
from tui.render.rows import Column, Row, RowKey

LOG_COLUMNS = (
    Column(key="time", title="TIME UTC", least=14, most=14, whole=True, letter="T", ascending=False),
    Column(key="what", title="WHAT", least=7, most=10, letter="W", priority=3),
    Column(key="name", title="VM", least=10, most=32, letter="N"),
    Column(key="asks", title="REQUEST", least=12, most=44, letter="K", priority=2),
    Column(key="host", title="HOST", least=7, most=24, letter="H"),
    Column(key="cost", title="COST", right=True, least=5, most=14, letter="C"),
    Column(key="margin", title="MARGIN", right=True, least=5, most=14, letter="A", priority=1, ascending=False),
    Column(key="refused", title="REFUSED", right=True, least=5, most=11, letter="R", priority=4, ascending=False),
    Column(key="user", title="USER", least=6, most=20, letter="U", priority=5),
    Column(key="why", title="WHY REFUSED", most=80, wide_only=True),
    Column(key="id", title="ID", most=20, wide_only=True),
)

_DASH: Cell = (("-", Tone.DIM),)


@dataclass(frozen=True, slots=True)
class LogTold:
    """What there is to say of the log as a whole."""

    off: tuple[str, ...] = ()
    """Realms that log nothing, where that is all of them or some."""
    on: tuple[str, ...] = ()
    damaged: int = 0
    first_damage: str = ""
    left_out: bool = False
    trouble: str = ""

    def sentences(self) -> tuple[Piece, ...]:
        """Write them; none where there is nothing to say."""
        told: list[Piece] = []
        if self.trouble:
            told.append((self.trouble, Tone.BAD))
        if self.off:
            some = "" if not self.on else f" in {_listed('realm', self.off)}"
            told.append((f"Decisions are not logged{some}: set log-scheduling = on in the realm's file.", Tone.WARN))
        if self.damaged:
            lines = plural(self.damaged, "damaged line")
            told.append((f"{lines} skipped: {one_line(self.first_damage, 200)}", Tone.WARN))
        if self.left_out:
            told.append(("Older decisions are not shown: use realms replay.", Tone.MUTED))
        return tuple(told)


def told_of(configuration: Configuration, told: LogTold) -> LogTold:
    """Add which realms log their decisions."""
    on = tuple(realm.id for realm in configuration.realms.values() if realm.log_scheduling)
    off = tuple(realm.id for realm in configuration.realms.values() if not realm.log_scheduling and not realm.disabled)
    return replace(told, off=off, on=on)


def _listed(noun: str, names: Sequence[str]) -> str:
    return f"{noun} {names[0]}" if len(names) == 1 else f"{noun}s {', '.join(names)}"


def log_row(key: RowKey, decision: DecisionSummary) -> Row:
    """Make a row of a decision."""
    host: Cell = ((decision.host, Tone.GOOD),) if decision.host is not None else (("none", Tone.BAD),)
    refused = sum(decision.refused.values())
    asks = f"{decision.count} \N{MULTIPLICATION SIGN} " if decision.count > 1 else ""
    why = _reasons(decision)
    cells: tuple[Cell, ...] = (
        when(decision.time),
        decision.operation or "-",
        decision.vm or "-",
        asks + in_words(decision.request),
        host,
        _figure(decision.cost),
        _margin(decision),
        f"{refused}/{decision.hosts}",
        decision.user or "-",
        why,
        decision.id,
    )
    order = (
        decision.time, decision.operation, natural(decision.vm), decision.request.memory_bytes,
        natural(decision.host) if decision.host is not None else None, decision.cost, decision.margin, refused,
        decision.user, why, decision.id,
    )  # fmt: skip
    return Row(key, cells, order)


def when(time: float | None) -> str:
    """Write a time of the log, in UTC: "11-22 10:00:03"."""
    try:
        return "-" if time is None else f"{datetime.fromtimestamp(time, UTC):%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return "-"


def _figure(cost: float | None) -> Cell:
    return _DASH if cost is None else cost_text(cost)


def _margin(decision: DecisionSummary) -> Cell:
    if decision.margin is None:
        return (("only" if decision.host is not None else "-", Tone.DIM),)
    text = cost_text(decision.margin, decimals((0.0, decision.margin)))
    return ((text, Tone.WARN),) if decision.margin < 0 else text


def _reasons(decision: DecisionSummary) -> str:
    counted = sorted(decision.refused.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{why} on {number}" for why, number in counted)


def log_detail(decision: DecisionSummary) -> Detail:
    """Return in sentences what was decided."""
    title = (
        (decision.operation or "decision", Tone.MUTED), (f" {decision.vm}" if decision.vm else "", Tone.STRONG),
        (f"  {when(decision.time)} UTC", Tone.MUTED), (f"  by {decision.user}" if decision.user else "", Tone.MUTED),
    )  # fmt: skip
    count = f"{decision.count} VMs of " if decision.count > 1 else ""
    paragraphs: list[Piece] = [(f"Request: {count}{asked_for(decision.request)}", Tone.PLAIN)]
    paragraphs.append(_where(decision))
    if decision.placed < decision.count and decision.count > 1:
        paragraphs.append((f"{decision.placed} of {decision.count} placed", Tone.WARN))
    if decision.refused:
        refused = sum(decision.refused.values())
        paragraphs.append(
            (f"Refused by {refused} of {plural(decision.hosts, 'host')}: {_reasons(decision)}", Tone.PLAIN)
        )
    paragraphs.append(("Press Enter to explain every number and compare with the current configuration.", Tone.MUTED))
    return Detail(title, tuple(paragraphs))


def _where(decision: DecisionSummary) -> Piece:
    if decision.host is None:
        return (f"None of {decision.hosts} hosts could take it", Tone.BAD)
    ordered = ", chosen by an administrator," if decision.ordered else ""
    despite = " despite its refusal" if decision.despite_refusal else ""
    cost = f" at cost {cost_text(decision.cost)}" if decision.cost is not None else ""
    lead = f"{decision.host}{ordered}{despite}{cost}"
    if decision.margin is None or decision.next_best is None:
        return (f"{lead}: no other host could take it" if decision.hosts > 1 else lead, Tone.STRONG)
    if decision.margin == 0:
        return (f"{lead}, as cheap as {decision.next_best}: tie-break decided", Tone.STRONG)
    word = "cheaper" if decision.margin > 0 else "more expensive"
    amount = cost_text(abs(decision.margin), decimals((0.0, decision.margin)))
    return (f"{lead}, {amount} {word} than {decision.next_best}", Tone.STRONG)


def counted(decisions: Iterable[DecisionSummary]) -> str:
    """Sum up for the border: how many found no host."""
    without = sum(decision.host is None for decision in decisions)
    return f"{without} found no host" if without else ""
