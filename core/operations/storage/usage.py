"""What lies in a realm's pools, and who uses it: asked of every host, because any of them might (specification, 9)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.driver.storage.volumes import Volume
from core.hosts import Host
from core.operations.storage.host_facts import StorageFacts, ask_hosts
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.sight import VolumeIdentity
from core.operations.storage.users import UseKind, Users, VolumeUser, unasked_about, unknown_realms, wanted
from core.operations.tasks.task import Control
from core.realms import Realm

INCOMPLETE = ".incomplete"
"""Ends the name of a volume that stands beside one that is being made: who finds it must not use that one yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A brick or a drive. Sizes are bytes, times seconds since the epoch."""

    name: str
    pool: str
    path: str
    format: str
    capacity: int
    allocation: int
    changed_at: float | None = None
    complete: bool = True
    """False while it is being made, or where that was never finished."""
    backing_path: str = ""
    hosts: tuple[str, ...] = ()
    """Those that see it."""
    uses: tuple[VolumeUser, ...] = ()

    @property
    def users(self) -> tuple[VolumeUser, ...]:
        """Those that use it, each once: a VM that runs on an overlay of it is told with that."""
        told = {vm for use in self.uses if use.kind is UseKind.OVERLAY and use.certain for vm in use.vms}
        return tuple(
            use
            for use in self.uses
            if use.kind is not UseKind.DISK or not use.certain or f"{use.host}/{use.name}" not in told
        )


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """The bricks or drives of a realm. `unasked` are hosts that could not be asked, or not for everything, and why."""

    realm: Realm
    role: PoolRole
    images: tuple[Image, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)
    hosts_answering: int = 0
    hosts_total: int = 0
    """Hosts that are not disabled."""
    remark: str = ""
    """What could not be found out about other realms; empty where there is nothing to say."""

    def image(self, name: str) -> Image | None:
        """Find one by its name."""
        return next((image for image in self.images if image.name == name), None)


def look_at_images(
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    role: PoolRole,
    deadline: float,
    *,
    others: Callable[[], StorageFacts] | None = None,
) -> ImagesReport:
    """Ask every host for the realm's volumes and its domains' disks, all at once, and put the answers together.

    `others` waits for what hosts of other realms tell.
    """
    names = [host.name for host in hosts]
    facts = ask_hosts(control, realm, hosts, deadline, contents=names, others=others)
    return put_together(realm, role, hosts, facts)


def put_together(realm: Realm, role: PoolRole, hosts: Sequence[Host], facts: StorageFacts) -> ImagesReport:
    """Make one report of what hosts told."""
    found = tuple(_images(facts, role))
    unasked = unasked_about(facts, (sought for _, sought in found))
    enabled = sum(host.state.connects for host in hosts)
    images = tuple(image for image, _ in found)
    return ImagesReport(realm, role, images, unasked, len(facts.own), enabled, unknown_realms(facts))


def _images(facts: StorageFacts, role: PoolRole) -> Iterator[tuple[Image, VolumeIdentity]]:
    """Return each image with its users, and what was looked for."""
    users = Users(facts)
    seen: dict[str, dict[str, Volume]] = {}
    for told in facts.own:
        pool = told.pool(role)
        for volume in (pool.volumes or ()) if pool is not None else ():
            seen.setdefault(volume.name, {})[told.host.name] = volume
    unfinished = {name.removesuffix(INCOMPLETE) for name in seen if name.endswith(INCOMPLETE)}
    for name in sorted((seen.keys() | unfinished) - {name + INCOMPLETE for name in unfinished}):
        exists = name in seen
        by_host = seen[name] if exists else seen[name + INCOMPLETE]
        volume = next(iter(by_host.values()))
        if not exists:
            path = volume.path.removesuffix(INCOMPLETE)
            volume = replace(volume, name=name, path=path, format="", capacity=0, allocation=0)
        sought = wanted(facts, volume, exists=exists)
        image = Image(
            name=name,
            pool=volume.pool,
            path=volume.path,
            format=volume.format,
            capacity=volume.capacity,
            allocation=volume.allocation,
            changed_at=volume.changed_at,
            complete=name not in unfinished,
            backing_path=volume.backing_path,
            hosts=tuple(by_host),
            uses=users.of(sought),
        )
        yield image, sought
