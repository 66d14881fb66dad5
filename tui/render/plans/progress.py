"""A plan that is carried out: each move as it stands, how far all of them are, and what is left of one that stopped."""

from collections import Counter
from collections.abc import Callable, Sequence

from core.operations.plans.order import PlanOrder
from core.operations.plans.run import InterruptedRun, MoveState, MoveView, RunView
from core.text import natural, one_line, plural
from core.units import show_age, show_size
from tui.render.cells import Cell, Meter, Piece, Tone, bar_pieces
from tui.render.plans.sheet import Detail, PlanView, drawing_of
from tui.render.rows import Column, Measure, Row, RowKey, SortValue

_ARROW = " \N{RIGHTWARDS ARROW} "
_BAR = 60

COURSE_COLUMNS = (
    Column(key="number", title="#", right=True, least=3, letter="O"),
    Column(key="name", title="VM", least=12, most=40, letter="N"),
    Column(key="host", title="FROM", least=8, most=24, letter="F", priority=6),
    Column(key="to", title="TO", least=6, most=24, letter="T"),
    Column(key="how", title="HOW", least=7, most=10, whole=True, letter="H", priority=5),
    Column(key="state", title="STATE", least=18, most=32, elastic=True, letter="S"),
    Column(
        key="sent", title="SENT", right=True, least=8, letter="B", ascending=False, priority=2, measure=Measure.SIZE
    ),
    Column(key="remark", title="RESULT", least=24, most=200, stretch=True, priority=1),
)

_WORDS: dict[MoveState, tuple[str, Tone]] = {
    MoveState.WAITING: ("waiting", Tone.MUTED),
    MoveState.UNDER_WAY: ("moving", Tone.ACCENT),
    MoveState.DONE: ("\N{CHECK MARK} moved", Tone.GOOD),
    MoveState.FAILED: ("\N{BALLOT X} failed", Tone.BAD),
    MoveState.LEFT: ("\N{EN DASH} skipped", Tone.WARN),
    MoveState.IN_DOUBT: ("? unknown", Tone.BAD),
}
_RANKS = {state: rank for rank, state in enumerate(MoveState)}
_OVER = (MoveState.DONE, MoveState.FAILED, MoveState.LEFT, MoveState.IN_DOUBT)


def keyed(view: RunView) -> dict[RowKey, MoveView]:
    """Return the moves by the keys of their rows: a VM may move twice, so that where it was alone doesn't tell."""
    origins: dict[str, str] = {}
    times: Counter[str] = Counter()
    found: dict[RowKey, MoveView] = {}
    for move in view.moves:
        times[move.uuid] += 1
        found[(origins.setdefault(move.uuid, move.source), move.uuid, times[move.uuid])] = move
    return found


def order_in_words(order: PlanOrder) -> str:
    """Name a plan in the midst of a sentence: "the drain of h3", "making room for 4 vCPUs, 8 GiB"."""
    if order.request is not None:
        return order.what.replace("make", "making", 1)
    return f"the drain of {order.host}" if order.host else f"the {order.what}"


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def course_title(view: RunView) -> str:
    """Return what is carried out and how it stands, for a table's border."""
    words = capital(view.order.what)
    if not view.ended:
        return f"{words}: {'stopping' if view.stopping else 'running'}"
    if view.count(MoveState.IN_DOUBT):
        return f"{words}: ended, result unknown"
    if view.resumable:
        return f"{words}: stopped"
    if view.count(MoveState.WAITING):
        return f"{words}: not started"
    return f"{words}: {'partly done' if view.count(MoveState.FAILED, MoveState.LEFT) else 'done'}"


def course_sheet(view: RunView) -> PlanView:
    """Show every move as it stands, in the order that was agreed to."""
    rows: list[Row] = []
    details: dict[RowKey, Detail] = {}
    for number, (key, move) in enumerate(keyed(view).items(), 1):
        rows.append(_row(key, number, move, ended=view.ended))
        details[key] = _detail(number, len(view.moves), move, _word(move, ended=view.ended))
    return PlanView(
        heading=course_title(view), said=said_of(view), rows=tuple(rows), details=details, empty="No moves.",
        progress=progress_of(view),
    )  # fmt: skip


def progress_of(view: RunView) -> float:
    """Return the part of all moves that is over; one under way counts by what it has sent."""
    if not view.moves:
        return 1.0
    under_way = sum(move.fraction or 0.0 for move in view.moves if move.state is MoveState.UNDER_WAY)
    return (view.count(*_OVER) + under_way) / len(view.moves)


def with_progress(sheet: PlanView | None) -> Callable[[int, int], Sequence[tuple[Piece, ...]]]:
    """Return what draws a sheet's sentences, below the progress of all its moves where it is carried out."""
    draw = drawing_of(() if sheet is None else sheet.said)
    if sheet is None or sheet.progress is None:
        return draw
    part = sheet.progress
    told = f" {100 * part:.0f} %"

    def with_bar(width: int, height: int) -> list[tuple[Piece, ...]]:
        tone = Tone.BAR if sheet.said[0][1] is Tone.STRONG else Tone.WARN
        bar = bar_pieces(part, max(0, min(_BAR, width - len(told))), tone)
        return [(*bar, (told, Tone.STRONG)), *draw(width, max(1, height - 1))][:height]

    return with_bar


def said_of(view: RunView) -> tuple[Piece, ...]:
    """Return in sentences how far it is, and what can be done now."""
    total, done = len(view.moves), view.count(MoveState.DONE)
    failed, left = view.count(MoveState.FAILED), view.count(MoveState.LEFT)
    waiting, under_way = view.count(MoveState.WAITING), view.count(MoveState.UNDER_WAY)
    doubt = view.count(MoveState.IN_DOUBT)
    parts = [f"{done} of {plural(total, 'VM')} moved"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{doubt} unknown"] if doubt else []
    parts += [f"{left} skipped"] if left else []
    parts += [f"{under_way} moving"] if under_way else []
    parts += [f"{waiting} {'not started' if view.ended else 'waiting'}"] if waiting else []
    tone = Tone.BAD if doubt else Tone.WARN if failed or left or (view.ended and waiting) else Tone.STRONG
    return ((", ".join(parts), tone), (_next(view), Tone.MUTED))


def _next(view: RunView) -> str:
    if not view.ended:
        if view.stopping:
            return "Stopping: running moves finish, no new moves start"
        return "Runs in the background; press x to stop"
    if view.count(MoveState.IN_DOUBT):
        return "A VM's location is unknown: run realms vms recover, then press u to resume"
    if view.resumable:
        return "u resume or discard, r plan again"
    return "r plan again"


def _row(key: RowKey, number: int, move: MoveView, *, ended: bool) -> Row:
    sent = show_size(move.done) if move.done else "-"
    remark = remark_of(move)
    bad = move.state in (MoveState.FAILED, MoveState.IN_DOUBT)
    told: Cell = ((remark, Tone.BAD if bad else Tone.WARN if not move.as_agreed else Tone.PLAIN),)
    how: Cell = (("offline", Tone.WARN),) if move.offline else "live"
    cells: tuple[Cell, ...] = (
        str(number), move.vm, move.source, move.target, how, state_cell(move, ended=ended), sent, told,
    )  # fmt: skip
    order: tuple[SortValue, ...] = (
        number, natural(move.vm), natural(move.source), natural(move.target), "offline" if move.offline else "live",
        _RANKS[move.state], move.done, remark,
    )  # fmt: skip
    return Row(key, cells, order, dim=move.state is MoveState.WAITING)


def state_cell(move: MoveView, *, ended: bool = False) -> Cell:
    """Return how a move stands; one under way with a bar of what it has sent."""
    stands = _word(move, ended=ended)
    if move.state is MoveState.UNDER_WAY and (fraction := move.fraction) is not None:
        return Meter(fraction, f"{100 * fraction:.0f} %", lead=(stands,))
    return (stands,)


def _word(move: MoveView, *, ended: bool) -> Piece:
    word, tone = _WORDS[move.state]
    return ("not started" if ended and move.state is MoveState.WAITING else word, tone)


def remark_of(move: MoveView) -> str:
    """Return what a move does now or what came of it, and where it goes elsewhere than agreed."""
    elsewhere = "" if move.as_agreed else f"to {one_line(move.target)} (plan changed)"
    off = "shut off for the move" if move.is_off and move.state is not MoveState.UNDER_WAY else ""
    return "; ".join(filter(None, (elsewhere, off, one_line(move.detail))))


def _detail(number: int, of: int, move: MoveView, stands: Piece) -> Detail:
    title = (
        (f"Move {number} of {of}  ", Tone.MUTED), (move.vm, Tone.STRONG),
        (f"  {move.source}{_ARROW}{move.target}  ", Tone.MUTED), stands,
    )  # fmt: skip
    paragraphs: list[Piece] = []
    if move.total > 0:
        paragraphs.append((f"{show_size(move.done)} of {show_size(move.total)} sent", Tone.PLAIN))
    if not move.as_agreed:
        text = f"The fleet has changed: it now goes to {move.target}, not as confirmed"
        paragraphs.append((text, Tone.WARN))
    if move.detail:
        bad = move.state in (MoveState.FAILED, MoveState.IN_DOUBT)
        paragraphs.append((move.detail, Tone.BAD if bad else Tone.PLAIN))
    if move.hint:
        paragraphs.append((move.hint, Tone.MUTED))
    if move.offline:
        paragraphs.append(("Moved offline because it holds devices: shut down, moved, started again", Tone.MUTED))
    return Detail(title, tuple(paragraphs))


def left_line(left: InterruptedRun, others: int, now: float) -> tuple[Piece, ...]:
    """Return in a line what was left of a plan that was stopped, and how to go on."""
    view = left.view
    done, total = view.count(MoveState.DONE), len(left.moves)
    what = capital(order_in_words(left.order))
    age = show_age(max(0.0, now - left.began_at))
    if left.at_work or left.is_unknown:
        who = left.owner.partition(", operation")[0]
        verb = "is" if left.at_work else "may be"
        return (
            (what, Tone.STRONG), (f" {verb} run by {one_line(who)}: {done} of {total} moved", Tone.PLAIN),
        )  # fmt: skip
    more = f", and {others} more" if others else ""
    return (
        (what, Tone.WARN), (f" was stopped after {done} of {total} moves", Tone.WARN),
        (f", started {age} ago{more}: press ", Tone.PLAIN), ("u", Tone.ACCENT), (" to resume", Tone.PLAIN),
    )  # fmt: skip
