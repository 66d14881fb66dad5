"""One host's pools in detail: what each is, what is wrong with it, and how to mend that."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.driver.storage.pool_setup import Permissions, PoolFacts
from core.fleet.fleet import PoolState
from core.operations.storage.pool_report import NEED, PoolRole
from core.text import one_line, plural
from core.units import show_age, show_size
from tui.render.ages import Freshness
from tui.render.cells import Piece, Tone, bar_pieces, lay_out, width_of
from tui.render.pools.table import HostPoolsView, PoolView
from tui.render.wrapping import cut_middle, wrapped
from tui.state.pool_cache import PoolCache, Proof

Line = tuple[Piece, ...]

_DASH = (" \N{BOX DRAWINGS LIGHT HORIZONTAL} ", Tone.DIM)
_WITH_CAPACITY, _WITH_PERMISSIONS, _WITH_BARS, _WITH_NAMES = 96, 112, 130, 150
"""Columns from which on a line has room for the pool's size, its permissions, a bar, its name."""

_THINGS = {
    PoolRole.BRICKS: "brick", PoolRole.DRIVES: "drive", PoolRole.SNAPSHOTS: "snapshot", PoolRole.VOLUMES: "volume",
}  # fmt: skip


def ago(at: float, now: float) -> str:
    """Return how long ago something was, in words that seldom change."""
    return "just now" if now - at < 60 else f"{show_age(now - at)} ago"


@dataclass(frozen=True, slots=True)
class PoolsDetail:
    """What the panel shows; drawn anew for each size. `others` are the same realm's other hosts."""

    view: HostPoolsView
    others: tuple[HostPoolsView, ...]
    now: float
    sight: PoolCache
    connection: str
    """How the program stands with the host, in words."""

    def title(self) -> Line:
        """Name the host, its realm, and how old the figures are."""
        snapshot = self.view.snapshot
        line: list[Piece] = [(snapshot.name, Tone.STRONG), _DASH, (f"pools of realm {snapshot.host.realm}", Tone.MUTED)]
        if self.view.freshness is not Freshness.LIVE:
            line += [_DASH, (self.connection, Tone.WARN)]
        known = self.sight.hosts.get(snapshot.name)
        if known is not None and known.at is not None:
            line += [_DASH, (f"free space checked {ago(known.at, self.now)}", Tone.MUTED)]
        elif known is not None and known.asking:
            line += [_DASH, ("asking", Tone.MUTED)]
        return tuple(line)

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """Lay out the pools, then what is wrong, the worst first; what there is no room for is left out."""
        lines = self._table(width)
        holds = self._holds()
        room = height - len(lines) - len(holds)
        told = [*self._host_trouble(width), *self._troubles(width, 3)]
        if len(told) > room:
            told = [*self._host_trouble(width), *self._troubles(width, 1)]
        if len(told) > room:
            left = len(told) - max(0, room - 1)
            told = [*told[: max(0, room - 1)], ((f"and {left} more", Tone.DIM),)]
        lines += [*told, *holds]
        return tuple(lines[: max(1, height)])

    # The pools -----------------------------------------------------------------------------------------------------

    def _table(self, width: int) -> list[Line]:
        if self.view.realm is None:
            told = f"Realm {self.view.snapshot.host.realm} is not in the configuration: its pools are unknown."
            return [((one_line(told), Tone.BAD),)]
        names = max(width_of(pool.name) for pool in self.view.pools)
        return [self._pool(pool, width, min(28, names)) for pool in self.view.pools]

    def _pool(self, pool: PoolView, width: int, names: int) -> Line:
        current, facts = self.view.freshness.is_current, pool.facts
        word, tone = self._word(pool)
        line: list[Piece] = [(f"{pool.role.value:<10}", Tone.MUTED)]
        if width >= _WITH_NAMES:
            line += [(f"{cut_middle(pool.name, names):<{names}}  ", Tone.PLAIN)]
        line += [(f"{word:<9}", tone)]
        if facts is None:
            if self.view.freshness is Freshness.OFF:
                return tuple(line)
            told = self._elsewhere(pool) if pool.state is PoolState.MISSING else ""
            return (*line, (told, Tone.MUTED))
        line += [*_space(facts, width), ("  ", Tone.PLAIN)]
        line += [*lay_out((_sharing_words(pool, self.now),), 13 if width >= _WITH_CAPACITY else 11)]
        source = f" from {facts.source}" if facts.source else ""
        line += [(f"{facts.type} ", Tone.MUTED), (one_line(f"{facts.path}{source}"), Tone.PLAIN)]
        if not facts.persistent:
            line += [("  transient", Tone.WARN)]
        elif not facts.autostart and not self.view.snapshot.host.uri.startswith("test:"):
            line += [("  no autostart", Tone.WARN)]
        elif facts.autostart and width >= _WITH_PERMISSIONS:
            line += [("  autostart", Tone.MUTED)]
        if width >= _WITH_PERMISSIONS and facts.permissions.is_asked:
            line += [(f"  {_mode(facts.permissions)}", Tone.MUTED)]
        return tuple(line) if current else tuple((text, Tone.DIM) for text, _ in line)

    def _word(self, pool: PoolView) -> tuple[str, Tone]:
        if self.view.freshness is Freshness.OFF:
            return ("-", Tone.DIM)
        if not self.view.freshness.is_current:
            seen = "" if pool.state is None else f" {PoolView(role=pool.role, name='', state=pool.state).word[0]}"
            return (f"?{seen}", Tone.DIM)
        return pool.word

    def _elsewhere(self, pool: PoolView) -> str:
        like = _most_common(self.others, pool.role)
        return f"other hosts: {like[0]} at {like[1]}" + (f" from {like[2]}" if like[2] else "") if like else ""

    # What is wrong -------------------------------------------------------------------------------------------------

    def _host_trouble(self, width: int) -> list[Line]:
        snapshot, known = self.view.snapshot, self.sight.hosts.get(self.view.snapshot.name)
        if self.view.freshness is Freshness.OFF:
            return [(("The host is disabled: no connection.", Tone.MUTED),)]
        error = "" if self.view.freshness.is_current else snapshot.error
        if not error and known is not None and known.error is not None:
            error = f"free space unknown: {known.error}"
        return [((text, Tone.BAD),) for text in wrapped(error, width, 2)] if error else []

    def _troubles(self, width: int, most: int) -> list[Line]:
        if not self.view.freshness.is_current:
            return []
        worst = sorted(self._found(), key=lambda trouble: [Tone.BAD, Tone.WARN, Tone.MUTED].index(trouble[0]))
        lines: list[Line] = []
        for tone, what, how in worst:
            head = f"{what}: " if how else what
            first, *rest = wrapped(f"{head}{how}", width - 2, most)
            mark = {Tone.BAD: "\N{BALLOT X} ", Tone.WARN: "! ", Tone.MUTED: "\N{MIDDLE DOT} "}[tone]
            if first.startswith(head):
                lines.append(((mark, tone), (head, tone), (first[len(head) :], Tone.PLAIN)))
            else:
                lines.append(((mark, tone), (first, tone)))
            lines += [(("  ", Tone.PLAIN), (text, Tone.PLAIN)) for text in rest]
        return lines

    def _found(self) -> Iterator[tuple[Tone, str, str]]:
        """Return what is wrong with the pools, and how to mend it; the same of several pools is told once."""
        by_state = {state: [pool for pool in self.view.pools if pool.state is state] for state in PoolState}
        if missing := by_state[PoolState.MISSING]:
            yield Tone.BAD, f"{_named(missing)} missing", "press S to set up what is missing"
        if inactive := by_state[PoolState.INACTIVE]:
            yield Tone.WARN, f"{_named(inactive)} inactive", "press S to start it and enable autostart"
        active = by_state[PoolState.ACTIVE]
        for why in sorted({pool.unread for pool in active if pool.unread}):
            unread = [pool for pool in active if pool.unread == why]
            mend = "check the storage on that host, then press r"
            yield Tone.BAD, f"{_names(unread)} can't be read ({one_line(why, 120)})", mend
        alone = [pool for pool in active if pool.shared is False]
        if alone and alone[0].proof is not None:
            groups = " | ".join(", ".join(group) for group in alone[0].proof.sharing.groups)
            yield (
                Tone.BAD,
                f"{_named(alone)} not shared ({one_line(groups)})",
                "other hosts don't see volumes created here: mount the same storage, then press p to prove it",
            )
        unknown = [pool for pool in active if pool.shared is None]
        if [view for view in self.others if view.freshness.is_current] and unknown:
            errors = {pool.proof.sharing.error for pool in unknown if pool.proof is not None}
            why = f" ({one_line('; '.join(sorted(errors)))})" if any(errors) else ""
            yield Tone.MUTED, f"unknown whether {_names(unknown)} are shared{why}", "press p to prove it"
        if low := [pool for pool in active if pool.is_low]:
            yield Tone.WARN, f"{_named(low)} low", f"less than {show_size(NEED)} free"
        by_hand = [pool for pool in active if pool.facts is not None and not pool.facts.autostart]
        if by_hand and not self.view.snapshot.host.uri.startswith("test:"):  # such a host is begun anew each time
            yield Tone.WARN, f"{_names(by_hand)} without autostart", "inactive after a reboot; press S to fix"
        for pool in active:
            like = _most_common(self.others, pool.role)
            if pool.facts is not None and like is not None and _place(pool.facts) != like:
                yield (Tone.WARN, f"{pool.role} differ from most other hosts", f"most have {like[0]} at {like[1]}")

    def _holds(self) -> list[Line]:
        counted = self.sight.contents.get(self.view.snapshot.host.realm)
        if counted is None or not self.view.freshness.is_current:
            return []
        counts, at = counted
        things = [plural(counts[role], _THINGS[role]) for role in _THINGS if role in counts]
        return [(("Realm total  ", Tone.MUTED), (", ".join(things), Tone.PLAIN), (f"  {ago(at, self.now)}", Tone.DIM))]


def _space(facts: PoolFacts, width: int) -> list[Piece]:
    if facts.available is None or not facts.capacity:
        return [(f"{'-':>8}" + " " * (17 if width >= _WITH_NAMES else 0), Tone.DIM)]
    free = (f"{show_size(facts.available):>8}", Tone.WARN if facts.available < NEED else Tone.PLAIN)
    if width < _WITH_CAPACITY:
        return [free]
    used = 1 - facts.available / facts.capacity
    bar = [*bar_pieces(used, 8, Tone.BAR), (" ", Tone.PLAIN)] if width >= _WITH_BARS else []
    return [*bar, free, (f" free of {show_size(facts.capacity):>8}", Tone.MUTED)]


def _sharing_words(pool: PoolView, now: float) -> tuple[str, Tone]:
    if pool.state is not PoolState.ACTIVE:
        return ("", Tone.PLAIN)
    if pool.shared is None:
        return ("shared ?", Tone.WARN)
    proof: Proof | None = pool.proof
    how = "" if proof is None else f" {show_age(now - proof.at)}" if now - proof.at >= 60 else ""
    if not pool.shared:
        return ("not shared", Tone.BAD)
    by_proof = proof is not None and proof.sharing.by == "proof"
    return (f"proved{how}", Tone.GOOD) if by_proof else ("by source", Tone.GOOD)


def _mode(permissions: Permissions) -> str:
    mode = "" if permissions.mode is None else f"{permissions.mode:04o} "
    return f"{mode}{'?' if permissions.owner is None else permissions.owner}:" + (
        "?" if permissions.group is None else str(permissions.group)
    )


def _place(facts: PoolFacts) -> tuple[str, str, str]:
    return facts.type, facts.path, facts.source


def _most_common(others: Sequence[HostPoolsView], role: PoolRole) -> tuple[str, str, str] | None:
    found = Counter(
        _place(pool.facts) for view in others if (pool := view.pool(role)) is not None and pool.facts is not None
    )
    return found.most_common(1)[0][0] if found else None


def _names(pools: Sequence[PoolView]) -> str:
    names = [pool.role.value for pool in pools]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _named(pools: Sequence[PoolView]) -> str:
    return f"{_names(pools)} are"
