"""A realm whose pools stand still: what each host tells of them is written down here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.clock import FixedClock
from core.driver.storage.pool_setup import Permissions, PoolFacts
from core.driver.storage.volumes import Volume
from core.errors import HostTimeout
from core.fleet.fleet import Connection, PoolState
from core.operations.storage import host_facts, pool_capacity
from core.operations.storage.host_facts import HostStorage, PoolContents
from core.operations.storage.pool_report import HostPools, PoolRole, PoolSharing, PoolsReport, RealmPool, pool_name
from core.registry.hosts import HostRegistry
from tests.tui import world
from tests.tui.world import CONFIGURATION, GIB, POOLS, StandingSession, host, seen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from core.config.model import Configuration
    from core.fleet.fleet import HostSnapshot
    from core.hosts import Host
    from core.realms import Realm

REALM = CONFIGURATION.realms["main"]
FREE = {PoolRole.VOLUMES: 3100, PoolRole.DRIVES: 612, PoolRole.BRICKS: 184, PoolRole.SNAPSHOTS: 41}
"""GiB free of the 4096 in each pool."""


def facts(role: PoolRole, *, realm: Realm = REALM, free_gib: float | None = None, **more: object) -> PoolFacts:
    """Describe a pool that is well."""
    free = FREE[role] if free_gib is None else free_gib
    known: dict[str, object] = {
        "name": pool_name(realm, role), "state": PoolState.ACTIVE, "type": "dir", "autostart": True,
        "path": f"/shared/{pool_name(realm, role)}", "persistent": True, "capacity": 4096 * GIB,
        "allocation": int((4096 - free) * GIB), "available": int(free * GIB), "permissions": Permissions(0o711, 0, 0),
    } | more  # fmt: skip
    return PoolFacts(**known)  # type: ignore[arg-type]


def told(described: Host, *changed: tuple[PoolRole, PoolFacts], realm: Realm = REALM) -> HostPools:
    """Describe a host's pools: all well but those that are given."""
    other = dict(changed)
    return HostPools(described, tuple(RealmPool(role, other.get(role, facts(role, realm=realm))) for role in PoolRole))


def answer(monkeypatch: pytest.MonkeyPatch, answers: dict[str, HostPools]) -> None:
    """Let hosts tell of their pools what is written down; others answer nothing in time."""
    storage = contents()

    def pools(host: Host, realm: Realm, deadline: float = 30.0) -> tuple[RealmPool, ...]:
        del realm, deadline
        if host.name not in answers:
            raise HostTimeout(host.name, "no answer within 30 s")
        return answers[host.name].pools

    def volumes(realm: Realm, host: Host, deadline: float) -> HostStorage:
        del realm, deadline
        if host.name not in storage:
            raise HostTimeout(host.name, "no answer within 30 s")
        return storage[host.name]

    monkeypatch.setattr(pool_capacity, "look_anew", pools)
    monkeypatch.setattr(host_facts, "look_at_storage", volumes)


def healthy() -> tuple[tuple[HostSnapshot, ...], dict[str, HostPools]]:
    """Four hosts, all of whose pools are well."""
    hosts = [host(name) for name in ("h1", "h2", "h3", "h10")]
    return tuple(map(seen, hosts)), {each.name: told(each) for each in hosts}


def degraded() -> tuple[tuple[HostSnapshot, ...], dict[str, HostPools]]:
    """Each host has something else: pools missing, inactive, low, elsewhere; no answer, none ever, off, an error."""
    given = [each for each in world.snapshots() if each.name in ("h1", "h5", "h6")]
    names = POOLS.keys()
    volumes, drives, _, snapshots = names
    h2, h3, h4, h7, h8 = (host(name) for name in ("h2", "h3", "h4", "h7", "h8"))
    given += [
        seen(h2, pools=POOLS | {snapshots: PoolState.MISSING, drives: PoolState.INACTIVE}),
        seen(h3),
        seen(h4),
        seen(h7, pools=dict.fromkeys(names, PoolState.MISSING)),
        seen(h8, observed_at=None, connection=Connection.CONNECTING, pools=None),
    ]
    inactive = facts(PoolRole.DRIVES, state=PoolState.INACTIVE, autostart=False, capacity=None, available=None)
    missing = PoolFacts(name=snapshots)
    low = facts(PoolRole.BRICKS, free_gib=3.5, autostart=False)
    elsewhere = facts(PoolRole.VOLUMES, path=f"/var/lib/libvirt/{volumes}", permissions=Permissions(0o700, 107, 107))
    answers = {
        "h1": told(host("h1")),
        "h2": told(h2, (PoolRole.DRIVES, inactive), (PoolRole.SNAPSHOTS, missing)),
        "h3": told(h3, (PoolRole.BRICKS, low), (PoolRole.VOLUMES, elsewhere)),
        "h7": told(h7, *((role, PoolFacts(name=pool_name(REALM, role))) for role in PoolRole)),
    }
    return tuple(given), answers


def contents() -> dict[str, HostStorage]:
    """Return what lies in the pools of h1 and h2; the others answer nothing."""
    names = {role: pool_name(REALM, role) for role in PoolRole}
    brick = _volume(PoolRole.BRICKS, "debian-12.qcow2", 8, 1.1)
    volumes = {
        PoolRole.BRICKS: (brick, _volume(PoolRole.BRICKS, "rocky-9.qcow2", 10, 1.8)),
        PoolRole.DRIVES: (
            _volume(PoolRole.DRIVES, "data-1.qcow2", 64, 12),
            _volume(PoolRole.DRIVES, "half.qcow2", 64, 0.1),
            _volume(PoolRole.DRIVES, "half.qcow2.incomplete", 1, 0),
        ),
        PoolRole.SNAPSHOTS: (_volume(PoolRole.SNAPSHOTS, "web-1-before.qcow2", 8, 2),),
        PoolRole.VOLUMES: (_volume(PoolRole.VOLUMES, "web-1.qcow2", 8, 0.7, backing=brick.path),),
    }
    pools = tuple(PoolContents(name=names[role], role=role, volumes=volumes[role]) for role in PoolRole)
    return {name: HostStorage(host(name), pools) for name in ("h1", "h2")}


def _volume(role: PoolRole, name: str, size: float, taken: float, backing: str = "") -> Volume:
    pool = pool_name(REALM, role)
    return Volume(
        pool=pool, name=name, path=f"/shared/{pool}/{name}", format="qcow2", capacity=int(size * GIB),
        allocation=int(taken * GIB), backing_path=backing, changed_at=world.NOW - 7200,
    )  # fmt: skip


def proved(*groups: tuple[str, ...]) -> PoolsReport:
    """Make the report of a proof: who sees whose volumes, in every pool."""
    return PoolsReport(
        REALM, (), tuple(PoolSharing(role, pool_name(REALM, role), groups, "proof") for role in PoolRole)
    )


def standing(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    given: tuple[Iterable[HostSnapshot], dict[str, HostPools]],
    *,
    configuration: Configuration = CONFIGURATION,
    read_only: bool = False,
) -> StandingSession:
    """Make a session on a registry in `folder`, all given hosts registered in it."""
    listed, answers = tuple(given[0]), given[1]
    clock = FixedClock()
    registry = HostRegistry(folder / "registry.json", clock)
    answer(monkeypatch, answers)
    with registry.transaction() as transaction:
        for snapshot in listed:
            transaction.add(replace(snapshot.host, profile="cpu-node"), configuration)
    return StandingSession(registry, listed, clock=clock, configuration=configuration, read_only=read_only)
