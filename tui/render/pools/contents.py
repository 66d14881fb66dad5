"""What lies in a realm's pools, as rows of a table and one in detail, with the users known from all hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import Image, ImagesReport
from core.text import natural, one_line
from core.units import show_size
from tui.render.cells import Cell, Piece, Tone
from tui.render.question import Question
from tui.render.rows import Column, Measure, Row, SortValue
from tui.render.wrapping import wrapped

Line = tuple[Piece, ...]

ORDER = (PoolRole.BRICKS, PoolRole.DRIVES, PoolRole.SNAPSHOTS, PoolRole.VOLUMES)
ONE = {PoolRole.BRICKS: "brick", PoolRole.DRIVES: "drive", PoolRole.SNAPSHOTS: "snapshot", PoolRole.VOLUMES: "volume"}
"""What one thing in a pool is called."""

_MOST_NAMED = 6

CONTENT_COLUMNS = (
    Column(key="kind", title="KIND", least=8, most=8, letter="K"),
    Column(key="name", title="NAME", least=14, most=56, letter="N"),
    Column(key="size", title="SIZE", right=True, least=8, letter="Z", ascending=False, measure=Measure.SIZE),
    Column(key="taken", title="ON DISK", right=True, least=8, letter="D", ascending=False, measure=Measure.SIZE),
    Column(key="format", title="FORMAT", whole=True, most=8, priority=3, letter="F"),
    Column(key="changed", title="CHANGED UTC", whole=True, most=16, priority=4, letter="C", ascending=False),
    Column(key="used", title="USED BY", least=14, most=120, stretch=True, letter="U"),
    Column(key="path", title="PATH", most=80, wide_only=True),
)


def content_key(role: PoolRole, name: str) -> tuple[str, str]:
    """Return the key of a row."""
    return (role.value, name)


def moment(seconds: float | None) -> str:
    """Write when something was changed."""
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def content_rows(reports: Mapping[PoolRole, ImagesReport], host: str) -> tuple[Row, ...]:
    """Make a row of everything that a host sees: bricks, drives, snapshots, boot volumes."""
    rows: list[Row] = []
    for role in ORDER:
        report = reports.get(role)
        if report is not None:
            images = sorted(
                (image for image in report.images if host in image.hosts), key=lambda each: natural(each.name)
            )
            rows += [_row(role, image, complete=not report.unasked) for image in images]
    return tuple(rows)


def _row(role: PoolRole, image: Image, *, complete: bool) -> Row:
    cells: tuple[Cell, ...] = (
        ONE[role],
        image.name,
        show_size(image.capacity),
        show_size(image.allocation),
        image.format or "-",
        moment(image.changed_at),
        _used_cell(image, complete=complete),
        image.path,
    )
    order: tuple[SortValue, ...] = (
        ORDER.index(role),
        natural(image.name),
        image.capacity,
        image.allocation,
        image.format,
        image.changed_at,
        len(image.users),
        image.path,
    )
    return Row(content_key(role, image.name), cells, order)


def _used_cell(image: Image, *, complete: bool) -> Cell:
    if not image.complete:
        return (("incomplete: in progress or abandoned", Tone.WARN),)
    if image.users:
        first = str(image.users[0])
        return first if len(image.users) == 1 else f"{len(image.users)}: {first}, \N{HORIZONTAL ELLIPSIS}"
    return (("-", Tone.MUTED),) if complete else (("unknown", Tone.WARN),)


@dataclass(frozen=True, slots=True)
class ContentDetail:
    """What the panel shows of one brick, drive, snapshot or volume."""

    role: PoolRole
    image: Image
    unasked: Mapping[str, str]

    def title(self) -> Line:
        """Name it."""
        dash = (" \N{BOX DRAWINGS LIGHT HORIZONTAL} ", Tone.DIM)
        return ((self.image.name, Tone.STRONG), dash, (f"{ONE[self.role]} in {self.image.pool}", Tone.MUTED))

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """Return where it lies, what it is based on, and all that use it, as far as there is room."""
        image = self.image
        facts = [("Path", image.path)]
        facts += [("Based on", image.backing_path)] if image.backing_path else []
        facts += [("Seen by", ", ".join(image.hosts))]
        lines: list[Line] = [
            ((f"{label:<10}", Tone.MUTED), (text, Tone.PLAIN))
            for label, whole in facts
            for text in wrapped(whole, width - 10, 1)
        ]
        if not image.complete:
            told = "Incomplete: still being written, or abandoned. If nothing writes to it any more, delete it."
            lines += [((text, Tone.WARN),) for text in wrapped(told, width, 2)]
        doubts = self._doubts(width)
        room = max(1, height - len(lines) - len(doubts))
        uses = [(str(use), Tone.PLAIN if use.keeps else Tone.MUTED) for use in image.users]
        if len(uses) > room:
            uses = [*uses[: room - 1], (f"and {len(uses) - room + 1} more", Tone.DIM)]
        if not uses and not self.unasked:
            uses = [("none", Tone.MUTED)]
        labelled = (("Used by" if not number else "", use) for number, use in enumerate(uses))
        lines += [((f"{label:<10}", Tone.MUTED), (one_line(text), tone)) for label, (text, tone) in labelled]
        return (*lines, *doubts)

    def _doubts(self, width: int) -> list[Line]:
        if not self.unasked:
            return []
        told = "; ".join(f"{host}: {reason}" for host, reason in self.unasked.items())
        return [((text, Tone.WARN),) for text in wrapped(f"Users unknown on {told}", width, 3)]


def refusal(role: PoolRole, image: Image) -> str:
    """Return why a brick or drive can't be deleted, whatever anyone says; empty where it can, or isn't one."""
    keeping = [str(use) for use in image.users if use.keeps]
    if not keeping:
        return ""
    more = f" and {len(keeping) - 2} more" if len(keeping) > 2 else ""
    return f"{ONE[role].capitalize()} {image.name} is in use by {'; '.join(keeping[:2])}{more}."


def doubts_about(images: Sequence[Image], unasked: Mapping[str, str]) -> tuple[str, ...]:
    """Return why it is unknown whether these are in use: hosts that weren't asked, marks, files elsewhere."""
    return (
        *(f"{host}: {reason}" for host, reason in unasked.items()),
        *(f"{image.name}: {use}" for image in images for use in image.uses if not use.certain),
    )


def ask_deletion(role: PoolRole, images: Sequence[Image], doubts: Sequence[str]) -> Question:
    """Ask before bricks or drives are deleted; where there are doubts, or there are several, words are typed."""
    lines: list[Line] = [
        (
            (image.name, Tone.STRONG),
            (f"  {show_size(image.allocation)} on disk", Tone.MUTED),
            ("  incomplete" if not image.complete else "", Tone.WARN),
        )
        for image in images[:_MOST_NAMED]
    ]
    if len(images) > _MOST_NAMED:
        lines.append(((f"and {len(images) - _MOST_NAMED} more", Tone.PLAIN),))
    lines += [(), (("Permanently deletes all data. All hosts are checked again first.", Tone.MUTED),)]
    if doubts:
        lines += [(), (("Cannot verify that it is unused:", Tone.WARN),)]
        lines += [((one_line(doubt), Tone.WARN),) for doubt in doubts[:_MOST_NAMED]]
        lines += [((f"and {len(doubts) - _MOST_NAMED} more", Tone.WARN),)] if len(doubts) > _MOST_NAMED else []
    one = ONE[role]
    several = f"{len(images)} {one}s"
    title = f"Delete {one} {images[0].name}?" if len(images) == 1 else f"Delete {several}?"
    typed = several if len(images) > 1 else images[0].name if doubts else ""
    return Question(title, tuple(lines), "Delete", destructive=True, to_type=typed)
