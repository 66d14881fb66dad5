"""What was seen of the realms' pools beyond their state: figures, what is in them, and whether they are shared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.clock import Clock
from core.errors import RealmsError
from core.fleet.fleet import PoolState
from core.operations.storage.pool_report import HostPools, PoolRole, PoolSharing, PoolsReport, RealmPool


@dataclass(slots=True)
class HostSight:
    """What one host told last. `at` is when, None before it told anything; `error` why it told nothing since."""

    pools: HostPools | None = None
    at: float | None = None
    error: RealmsError | None = None
    asked_for: Mapping[str, PoolState] | None = None
    """The states of its pools when it was asked last: other ones are a reason to ask again."""
    asking: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """How one pool was found to be shared, and when."""

    sharing: PoolSharing
    at: float


@dataclass(slots=True)
class PoolCache:
    """All of it, for the whole program; for the screen's thread alone."""

    clock: Clock
    hosts: dict[str, HostSight] = field(default_factory=dict)
    proofs: dict[tuple[str, PoolRole], Proof] = field(default_factory=dict)
    contents: dict[str, tuple[Mapping[PoolRole, int], float]] = field(default_factory=dict)
    """How many things lie in each pool of a realm, and when they were counted."""

    def of(self, host: str) -> HostSight:
        """Return what is known of a host."""
        return self.hosts.setdefault(host, HostSight())

    def seen(self, host: str, role: PoolRole) -> RealmPool | None:
        """Return what a host told of a pool, with why it could not look into it."""
        sight = self.hosts.get(host)
        told = () if sight is None or sight.pools is None else sight.pools.pools
        return next((pool for pool in told if pool.role is role), None)

    def take(self, pools: HostPools) -> None:
        """Take a host's answer; figures stay as they were where it gives none."""
        sight = self.of(pools.host.name)
        sight.asking, sight.error = False, pools.error
        if pools.error is None:
            sight.pools, sight.at = pools, self.clock.now()

    def take_report(self, report: PoolsReport) -> None:
        """Take what a task found on many hosts: figures of the pools it dealt with, and its proof."""
        now = self.clock.now()
        for found in report.hosts:
            known = self.of(found.host.name).pools
            if found.error is None:
                roles = {pool.role for pool in found.pools}
                others = tuple(pool for pool in known.pools if pool.role not in roles) if known is not None else ()
                ordered = sorted((*found.pools, *others), key=lambda pool: list(PoolRole).index(pool.role))
                self.take(HostPools(found.host, tuple(ordered)))
        for sharing in report.sharing:
            if sharing.by == "proof":
                self.proofs[report.realm.id, sharing.role] = Proof(sharing, now)

    def sharing(self, realm: str, hosts: Iterable[str], role: PoolRole) -> Proof | None:
        """Return how it is known whether hosts share a pool: by proof, else by the same source; None where it isn't."""
        proof = self.proofs.get((realm, role))
        if proof is not None:
            return proof
        seen = [self.hosts[name] for name in hosts if name in self.hosts]
        found = [sight.pools for sight in seen if sight.pools is not None]
        if not any(pools.pool(role) for pools in found):
            return None
        from core.operations.storage.sharing import told_by_source

        told = next(sharing for sharing in told_by_source(found) if sharing.role is role)
        return Proof(told, max(sight.at for sight in seen if sight.at is not None)) if told.by else None
