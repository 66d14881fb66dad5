"""What a change of hosts would mean, in the lines of its dialog: as far as it is worked out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.fleet.fleet import Connection, HostSnapshot
from core.hosts import HostState
from core.operations.hosts.impact import HostsChange, Losses, RoomChange, SurvivalChange
from core.placement.engine.request import Request
from core.placement.plans.drain import DrainPlan
from core.text import natural, plural
from tui.render.cells import Tone
from tui.render.costs.headroom import in_words
from tui.render.question import Line
from tui.render.wrapping import wrapped

WORKING = "calculating\N{HORIZONTAL ELLIPSIS}"
_ARROW = " \N{RIGHTWARDS ARROW} "
_LABEL = 9
_LONGEST = 4
_LONGEST_REASON = 2
"""Lines that a fact takes at most, and the reasons against a move."""
_MOST_TARGETS = 6
_MOST_STUCK = 3
"""Different reasons that are told of VMs that would stay."""
_MOST_VMS = 12

_Part = tuple[str, Tone]
"""A fact, and its weight; broken into lines, those of a reason (WARN) into fewer."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What is worked out so far; None where that is still to come. `trouble` says why no more will come."""

    room: tuple[RoomChange, ...] | None = None
    survival: tuple[SurvivalChange, ...] | None = None
    emptying: tuple[DrainPlan, ...] | None = None
    too_many: bool = False
    """Whether there are too many hosts to plan how they are emptied."""
    trouble: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing more will come."""
        worked_out = self.room is not None and self.survival is not None
        return bool(self.trouble) or (worked_out and (self.emptying is not None or self.too_many))


@dataclass(frozen=True, slots=True)
class EffectsText:
    """The lines of a dialog that say what a change would mean; broken to any width."""

    snapshots: Sequence[HostSnapshot]
    """The hosts that would be changed."""
    change: HostsChange
    request: Request

    def lines(self, effects: Effects, width: int) -> tuple[Line, ...]:
        """Write what is worked out, and what still is."""
        told = [("VMs", _vms(self.snapshots[0]))] if len(self.snapshots) == 1 else []
        told += [("Capacity", self._room(effects)), ("Failure", _survival(effects))]
        if self.change.state is not HostState.ENABLED:
            told.append(("Drain", self._emptying(effects)))
        lines: list[Line] = []
        for label, parts in told:
            lines += _fact(label, parts, width)
        return tuple(lines)

    def _room(self, effects: Effects) -> list[_Part]:
        if effects.room is None:
            return _awaited(effects)
        several = len(effects.room) > 1
        same = all(room.before == room.after for room in effects.room)
        changes = [
            (f"{room.realm} " if several else "") + ("" if same else _count(room.before) + _ARROW) + _count(room.after)
            for room in effects.room
        ]
        tone = max((_room_tone(room) for room in effects.room), key=_TONES.index, default=Tone.MUTED)
        before = "unchanged: " if same else ""
        parts = [(f"{before}{', '.join(changes)} more VMs of {in_words(self.request)}", tone)]
        unseen = [snapshot.name for snapshot in self.snapshots if snapshot.connection is not Connection.CONNECTED]
        if unseen and self.change.state is HostState.ENABLED:
            parts.append(
                (
                    f"{_few(unseen)} {'has' if len(unseen) == 1 else 'have'} not answered yet; capacity unknown.",
                    Tone.MUTED,
                )
            )
        return parts

    def _emptying(self, effects: Effects) -> list[_Part]:
        if effects.too_many:
            return [("Too many hosts to plan here: plan one in area 5.", Tone.MUTED)]
        plans = effects.emptying
        if plans is None:
            return _awaited(effects)
        moves = [move for plan in plans for move in plan.moves]
        stuck = [each for plan in plans for each in plan.stuck]
        unseen = [plan.unseen for plan in plans if plan.unseen]
        if not moves and not stuck and not unseen:
            return [("No running VMs to move.", Tone.PLAIN)]
        parts: list[_Part] = []
        if moves:
            targets = Counter(move.target for move in moves)
            listed = sorted(targets.items(), key=lambda item: (-item[1], natural(item[0])))
            told = [f"{number} to {target}" for target, number in listed[:_MOST_TARGETS]]
            if len(listed) > _MOST_TARGETS:
                rest = sum(number for _, number in listed[_MOST_TARGETS:])
                told.append(f"{rest} to {len(listed) - _MOST_TARGETS} others")
            of = f"all {len(moves)}" if not stuck and len(moves) > 1 else f"{len(moves)} of {len(moves) + len(stuck)}"
            of = "its one VM" if len(moves) == 1 and not stuck else f"{of} VMs"
            parts.append((f"{of} can move: {', '.join(told)}", Tone.PLAIN))
        parts += [(why, Tone.WARN) for why in unseen]
        reasons: dict[str, list[str]] = {}
        for each in stuck:
            if each.message not in unseen:
                reasons.setdefault(each.message, []).append(each.vm.name)
        for message, names in list(reasons.items())[:_MOST_STUCK]:
            parts.append((f"{_few(names)} cannot move: {message}", Tone.WARN))
        if len(reasons) > _MOST_STUCK:
            rest = sum(map(len, list(reasons.values())[_MOST_STUCK:]))
            parts.append((f"{plural(rest, 'more VM')} cannot move", Tone.WARN))
        return parts


_TONES = (Tone.MUTED, Tone.GOOD, Tone.PLAIN, Tone.WARN, Tone.BAD)
"""From what needs no attention to what needs most."""


def _fact(label: str, parts: Sequence[_Part], width: int) -> list[Line]:
    lines: list[Line] = []
    for text, tone in parts:
        for broken in wrapped(text, width - _LABEL, _LONGEST_REASON if tone is Tone.WARN else _LONGEST):
            lines.append(((f"{label if not lines else '':<{_LABEL}}", Tone.MUTED), (broken, tone)))
    return lines


def _awaited(effects: Effects) -> list[_Part]:
    return [(effects.trouble, Tone.BAD)] if effects.trouble else [(WORKING, Tone.MUTED)]


def _vms(snapshot: HostSnapshot) -> list[_Part]:
    if not snapshot.is_known:
        return [("unknown", Tone.WARN)]
    names = sorted((vm.name for vm in snapshot.active_vms()), key=natural)
    return [(_few(names, _MOST_VMS) or "none running", Tone.PLAIN)]


def _few(names: Iterable[str], most: int = 4) -> str:
    """Name some of many: "web-1, web-2 and 3 more"."""
    listed = list(names)
    if len(listed) > most:
        return f"{', '.join(listed[: most - 1])} and {len(listed) - most + 1} more"
    return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1] if listed else ""]))


def _count(fits: int | None) -> str:
    return "no limit" if fits is None else str(fits)


def _room_tone(room: RoomChange) -> Tone:
    if room.before == room.after:
        return Tone.MUTED
    if room.after is None or (room.before is not None and room.after > room.before):
        return Tone.GOOD
    return Tone.BAD if not room.after else Tone.WARN


def _survival(effects: Effects) -> list[_Part]:
    if effects.survival is None:
        return _awaited(effects)
    parts: list[_Part] = []
    for change in effects.survival:
        realm = f"{change.realm}: " if len(effects.survival) > 1 else ""
        before, after = change.before, change.after
        worse = after.fatal > before.fatal or _homeless(after) > _homeless(before)
        if _told_of(before) == _told_of(after):
            parts.append((f"{realm}unchanged: {_losses(after)}", Tone.MUTED if after.worst is None else Tone.PLAIN))
        else:
            tone = Tone.BAD if worse and before.worst is None else Tone.WARN if worse else Tone.PLAIN
            parts.append((f"{realm}{_losses(before)}{_ARROW}{_losses(after)}", tone))
    return parts


def _told_of(losses: Losses) -> tuple[object, ...]:
    """Return what is told of losses: the reasons why VMs have no place are not."""
    worst = losses.worst
    return (losses.fatal, losses.unknown, worst.host if worst is not None else "", _homeless(losses))


def _homeless(losses: Losses) -> int:
    return len(losses.worst.homeless) if losses.worst is not None else 0


def _losses(losses: Losses) -> str:
    unknown = f" ({plural(losses.unknown, 'host')} unknown)" if losses.unknown else ""
    if losses.worst is None:
        return f"any one host can fail{unknown}"
    places = plural(len(losses.worst.homeless), "VM")
    if losses.fatal == 1:
        return f"if {losses.worst.host} fails, {places} unplaced{unknown}"
    return f"failure of any of {losses.fatal} hosts leaves VMs unplaced; worst {losses.worst.host}, {places}{unknown}"
