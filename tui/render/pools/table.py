"""The realms' pools as a matrix: a row for each host, a column for each pool."""

from dataclasses import dataclass

from core.config.model import Configuration
from core.driver.storage.pool_setup import PoolFacts
from core.fleet.fleet import Connection, Fleet, HostSnapshot, PoolState
from core.operations.storage.pool_report import NEED, PoolRole
from core.realms import Realm
from core.text import natural
from core.units import show_age, show_size
from tui.render.ages import Freshness, connection_text, freshness
from tui.render.cells import Cell, Meter, Piece, Tone
from tui.render.rows import Column, Row, SortValue
from tui.state.pool_cache import PoolCache, Proof

_ROLE_LETTERS = {PoolRole.VOLUMES: "V", PoolRole.DRIVES: "D", PoolRole.BRICKS: "B", PoolRole.SNAPSHOTS: "P"}

_REALM = Column(key="realm", title="REALM", least=6, most=16, letter="R")

POOL_COLUMNS = (
    Column(key="name", title="HOST", least=8, most=32, letter="N"),
    Column(key="connection", title="CONNECTION", whole=True, most=20, priority=2, letter="O"),
    *(
        Column(key=role.value, title=role.value.upper(), elastic=True, least=14, most=36, letter=_ROLE_LETTERS[role])
        for role in PoolRole
    ),
    Column(key="shared", title="SHARED", least=6, most=8, letter="H", priority=1),
    Column(key="uri", title="URI", most=60, wide_only=True),
)

STATE_TONES = {PoolState.ACTIVE: Tone.GOOD, PoolState.INACTIVE: Tone.WARN, PoolState.MISSING: Tone.BAD}
STATE_WORDS = {PoolState.ACTIVE: "ok", PoolState.INACTIVE: "inactive", PoolState.MISSING: "missing"}
"""A pool's state in one word, as all screens have it."""
ALONE, LOW, SILENT = "alone", "low", "hangs"
"""Words for active pools that are not well: not shared with most other hosts; nearly full; without an answer."""

_UNKNOWN, _NONE = "?", "-"


def pool_columns(realms: int) -> tuple[Column, ...]:
    """Return the columns; with several realms each row says whose it is."""
    return (_REALM, *POOL_COLUMNS) if realms > 1 else POOL_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """One pool on one host: what the fleet, the host's figures and the proofs tell of it together."""

    role: PoolRole
    name: str
    state: PoolState | None
    """As last seen; None where nobody looked."""
    facts: PoolFacts | None = None
    """None where the host has told nothing yet, or its pool is missing now."""
    unread: str = ""
    """Why its host could not look into it; empty where it could."""
    is_silent: bool = False
    """Whether that is because its storage does not answer."""
    proof: Proof | None = None
    shared: bool | None = None
    """Whether this host shares it with most others; None where that is unknown."""

    @property
    def is_low(self) -> bool:
        """Whether less is free than every pool should have."""
        free = self.facts.available if self.facts is not None else None
        return self.state is PoolState.ACTIVE and free is not None and free < NEED

    @property
    def word(self) -> tuple[str, Tone]:
        """The state of a pool on a host that answers, in a word."""
        if self.state is None:
            return (_UNKNOWN, Tone.WARN)
        if self.state is PoolState.ACTIVE and self.is_silent:
            return (SILENT, Tone.BAD)
        if self.state is PoolState.ACTIVE and self.shared is False:
            return (ALONE, Tone.BAD)
        return (LOW, Tone.WARN) if self.is_low else (STATE_WORDS[self.state], STATE_TONES[self.state])


@dataclass(frozen=True, slots=True)
class HostPoolsView:
    """A host and its realm's pools. Without a realm in the configuration there are none."""

    snapshot: HostSnapshot
    realm: Realm | None
    freshness: Freshness
    pools: tuple[PoolView, ...]

    def pool(self, role: PoolRole) -> PoolView | None:
        """Find a pool by what it is for."""
        return next((pool for pool in self.pools if pool.role is role), None)


def pool_views(fleet: Fleet, configuration: Configuration, sight: PoolCache) -> tuple[HostPoolsView, ...]:
    """Put together what is known of all hosts' pools, by realm and name."""
    hosts = sorted(fleet.hosts, key=lambda host: (natural(host.host.realm), natural(host.name)))
    of_realm: dict[str, list[str]] = {}
    for host in hosts:
        of_realm.setdefault(host.host.realm, []).append(host.name)
    proofs = {
        (realm, role): sight.sharing(realm, names, role) for realm, names in of_realm.items() for role in PoolRole
    }
    return tuple(_view(host, fleet.taken, configuration, sight, proofs) for host in hosts)


def _view(
    snapshot: HostSnapshot,
    now: float,
    configuration: Configuration,
    sight: PoolCache,
    proofs: dict[tuple[str, PoolRole], Proof | None],
) -> HostPoolsView:
    realm = configuration.realms.get(snapshot.host.realm)
    pools = []
    if realm is not None:
        on_host = snapshot.pools or {}
        for role, name in zip(PoolRole, realm.pools_among(on_host), strict=True):
            state = on_host.get(name) if snapshot.pools is not None else None
            proof = proofs[realm.id, role]
            shared = proof.sharing.shared_by(snapshot.name) if proof is not None else None
            seen = sight.seen(snapshot.name, role)
            facts = seen.facts if seen is not None else None
            pools.append(
                PoolView(
                    role=role,
                    name=name,
                    state=state,
                    facts=None if facts is None or PoolState.MISSING in (state, facts.state) else facts,
                    unread=seen.unread if seen is not None else "",
                    is_silent=seen is not None and seen.silent,
                    proof=proof,
                    shared=shared if state is PoolState.ACTIVE else None,
                )
            )
    return HostPoolsView(snapshot, realm, freshness(snapshot, now, configuration.realms), tuple(pools))


def pool_rows(
    views: tuple[HostPoolsView, ...], now: float, configuration: Configuration, sight: PoolCache
) -> tuple[Row, ...]:
    """Make a row of each host."""
    words = [len(pool.word[0]) for view in views for pool in view.pools if pool.state is PoolState.ACTIVE]
    lead = max(words, default=2)
    several = len(configuration.realms) > 1
    return tuple(_row(view, now, configuration, sight, lead=lead, several=several) for view in views)


def _row(
    view: HostPoolsView, now: float, configuration: Configuration, sight: PoolCache, *, lead: int, several: bool
) -> Row:
    snapshot = view.snapshot
    tones = {Freshness.LIVE: Tone.GOOD, Freshness.LATE: Tone.WARN, Freshness.OFF: Tone.DIM}
    otherwise = Tone.BAD if snapshot.connection is Connection.UNREACHABLE else Tone.WARN
    connection = connection_text(snapshot, now, configuration.realms)
    by_role = [_cell(view, view.pool(role), now, sight, lead) for role in PoolRole]
    cells: tuple[Cell, ...] = (
        snapshot.name,
        ((connection, tones.get(view.freshness, otherwise)),),
        *by_role,
        shared_cell(view),
        snapshot.host.uri,
    )
    order: tuple[SortValue, ...] = (
        natural(snapshot.name),
        connection,
        *(_rank(view, view.pool(role)) for role in PoolRole),
        _shared_rank(view),
        snapshot.host.uri,
    )
    if several:
        realm = snapshot.host.realm
        cells, order = ((realm, *cells)), ((natural(realm), *order))
    return Row(snapshot.name, cells, order, dim=not view.freshness.is_current)


def _cell(view: HostPoolsView, pool: PoolView | None, now: float, sight: PoolCache, lead: int) -> Cell:
    if view.freshness is Freshness.OFF or pool is None:
        return _NONE
    age = view.snapshot.age(now)
    if not view.freshness.is_current:
        seen: list[Piece] = [(_UNKNOWN, Tone.WARN)]
        if age is not None and pool.state is not None:
            seen += [(f" {STATE_WORDS[pool.state]} {show_age(age)}", Tone.DIM)]
        return tuple(seen)
    word, tone = pool.word
    if pool.state is not PoolState.ACTIVE:
        return ((word, tone),)
    padded = ((f"{word:<{lead}}", tone),)
    figures, host = pool.facts, sight.hosts.get(view.snapshot.name)
    if figures is None or figures.available is None or not figures.capacity:
        error = host is not None and host.error is not None
        return (*padded, ("  error", Tone.BAD)) if error else padded
    used = max(0, figures.capacity - figures.available)
    bar = Tone.WARN if pool.is_low else Tone.BAR
    return Meter(used / figures.capacity, show_size(figures.available), bar, padded)


def _rank(view: HostPoolsView, pool: PoolView | None) -> SortValue:
    """Sort by how bad it is, then by what is free."""
    if pool is None or view.freshness is Freshness.OFF:
        return None
    if not view.freshness.is_current or pool.state is None:
        return 3e18
    if pool.state is not PoolState.ACTIVE:
        return 1e18 if pool.state is PoolState.MISSING else 2e18
    free = pool.facts.available if pool.facts is not None else None
    return 4e18 + (free or 0) if pool.shared is not False else 2.5e18


def shared_cell(view: HostPoolsView) -> Cell:
    """Return in a word whether the host shares its pools: proved, by their source, NO, or nobody knows."""
    active = [pool for pool in view.pools if pool.state is PoolState.ACTIVE]
    if not view.freshness.is_current or not active:
        return _NONE
    if any(pool.shared is False for pool in active):
        return (("NO", Tone.BAD),)
    known = [pool for pool in active if pool.shared]
    if not known:
        return ((_UNKNOWN, Tone.WARN),)
    if len(known) < len(active):
        return ((f"{len(known)} of {len(active)}", Tone.WARN),)
    proved = all(pool.proof is not None and pool.proof.sharing.by == "proof" for pool in known)
    return (("proved" if proved else "source", Tone.GOOD),)


def _shared_rank(view: HostPoolsView) -> int:
    known = [pool.shared for pool in view.pools]
    return 0 if False in known else 1 + sum(each is True for each in known)
