"""What one connection teaches about a host: facts kept from its domains' XML, and a sample of all of them each poll."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import libvirt

from core.clock import Clock
from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.lanes.mailbox import DomainChanged
from core.driver.lanes.mediated import with_parents
from core.driver.storage.pools import list_pools
from core.driver.vms.addresses import Active, AddressBook
from core.driver.vms.statistics import CpuMeter, DomainSample, Sampler
from core.driver.xml.domain_xml import DomainFacts, read_domain
from core.driver.xml.reader import XmlRefused, parse
from core.fleet.fleet import PoolState, VMState

POLLS_PER_POOL_LISTING = 6
"""Pools are listed at every sixth poll, and when libvirt says that one has changed."""

DEFINITIONS_AGAIN = 4
"""Domains that are off whose XML is read again with each listing of pools: no event tells of `setvcpus --config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDomain:
    """A domain as one poll saw it, before the realm's settings are applied."""

    uuid: str
    name: str
    id: int | None
    state: VMState
    facts: DomainFacts
    cpu_percent: float | None
    started_at: float | None
    state_reason: str = ""


class HostPoller:
    """The state of one connection. `check` is called between calls and raises to give up.

    `asks_monitors` and `cpu_seconds` are the sampler's.
    """

    def __init__(
        self,
        connection: HostConnection,
        clock: Clock,
        check: Callable[[], None],
        earlier: HostPoller | None = None,
        *,
        asks_monitors: bool = False,
        cpu_seconds: float = 0.0,
    ) -> None:
        self.connection = connection
        self.addresses = AddressBook(connection)
        self.seen: tuple[SeenDomain, ...] = ()
        self.observed_at: float | None = None
        """When the last complete answer was asked for, in seconds since the epoch."""
        self.pools: Mapping[str, PoolState] | None = None
        self.machine_uuid: str | None = None
        self.addresses_asked = False
        """Whether addresses have been looked up once."""
        self._clock = clock
        self._check = check
        self.sampler = Sampler(connection, clock, asks_monitors=asks_monitors, cpu_seconds=cpu_seconds)
        self._cpu = CpuMeter()
        self._facts: dict[str, tuple[int | None, DomainFacts]] = {}
        """By UUID, those that were read last at the end."""
        self._started: dict[str, tuple[int | None, float | None]] = {}
        self._moved_here: set[str] = set()
        self._active: dict[str, Active] = {}
        self._polls_to_pools = POLLS_PER_POOL_LISTING
        if earlier is not None:
            self.addresses.adopt(earlier.addresses)
            self._started = dict(earlier._started)

    def introduce(self) -> None:
        """Ask once what stays the same: the machine's UUID. Raises DriverError."""
        try:
            text = str(self.connection.handle.getCapabilities())
        except libvirt.libvirtError as error:
            raise self.connection.failed(error, "ask for its capabilities") from error
        self.machine_uuid = machine_uuid(text)

    def note(self, change: DomainChanged) -> None:
        """Read a domain's XML again at the next poll: an event said that it has changed."""
        self._facts.pop(change.uuid, None)
        self.addresses.retry(change.uuid)
        if change.moved_here:
            self._moved_here.add(change.uuid)

    def detach(self) -> None:
        """Let go of libvirt's objects, and keep what was learned: for the time without a connection, and the next."""
        self._active = {}
        self.addresses.detach()

    def list_pools_again(self) -> None:
        """Have the pools listed after the next poll."""
        self._polls_to_pools = 0

    def poll(self) -> None:
        """Sample all domains, read the XML of those that are new or changed. Raises DriverError."""
        asked_at, asked = self._clock.now(), self._clock.monotonic()
        samples = self.sampler.sample()
        took = self._clock.monotonic() - asked
        seen = []
        self._active = {}
        for sample in samples:
            facts = self._facts_of(sample)
            if facts is None:  # gone between the two questions
                continue
            if sample.id is not None:
                self._active[sample.uuid] = (sample, facts)
            seen.append(
                SeenDomain(
                    uuid=sample.uuid,
                    name=sample.name,
                    id=sample.id,
                    state=sample.state,
                    facts=facts,
                    cpu_percent=self._cpu.measure(sample, facts.vcpus_online, asked, took),
                    started_at=self._started_at(sample, asked_at),
                    state_reason=sample.state_reason,
                )
            )
        uuids = {domain.uuid for domain in seen}
        self._cpu.keep_only(uuids)
        self._facts = {uuid: known for uuid, known in self._facts.items() if uuid in uuids}
        self._started = {uuid: known for uuid, known in self._started.items() if uuid in uuids}
        if self.pools is None:  # without them nobody could tell whether a VM may come here
            self.pools = list_pools(self.connection)
        else:
            self._polls_to_pools -= 1
        self.seen = tuple(sorted(seen, key=lambda domain: (domain.name, domain.uuid)))
        self.observed_at = asked_at

    def refresh_pools(self) -> bool:
        """List the pools where that is due; tell whether anything about them has changed. Raises DriverError.

        After a poll's data have been shown: they don't grow old meanwhile.
        """
        if self._polls_to_pools > 0:
            return False
        self._forget_definitions()
        before, self.pools = self.pools, list_pools(self.connection)
        self._polls_to_pools = POLLS_PER_POOL_LISTING
        return self.pools != before

    def look_up_addresses(self, go_on: Callable[[], bool]) -> bool:
        """Look up addresses that are due; tell whether any has changed. Raises DriverError."""
        changed = self.addresses.refresh(self._active, self._clock.monotonic(), go_on)
        self.addresses_asked = True
        return changed

    def _started_at(self, sample: DomainSample, now: float) -> float | None:
        """When a domain was seen to start: it was off or absent in the poll before, or had another id."""
        last = self._started.get(sample.uuid)
        watched = self.observed_at is not None
        if sample.id is None or (last is None and not watched):
            started = None
        elif last is not None and last[0] == sample.id:
            started = last[1]
        else:
            started = now if watched and sample.uuid not in self._moved_here else None
            self._moved_here.discard(sample.uuid)
        self._started[sample.uuid] = (sample.id, started)
        return started

    def _forget_definitions(self) -> None:
        """Have the XML of some domains that are off read again at the next poll, those that were read longest ago."""
        for uuid in [uuid for uuid, (active, _) in self._facts.items() if active is None][:DEFINITIONS_AGAIN]:
            del self._facts[uuid]

    def _facts_of(self, sample: DomainSample) -> DomainFacts | None:
        known = self._facts.get(sample.uuid)
        if known is not None and known[0] == sample.id:
            return known[1]
        self._check()
        try:
            facts = self._read_facts(sample)
        except libvirt.libvirtError as error:
            if is_gone(error):
                return None
            raise self.connection.failed(error, f"read the definition of {sample.name}") from error
        self._facts[sample.uuid] = (sample.id, facts)
        return facts

    def _read_facts(self, sample: DomainSample) -> DomainFacts:
        try:
            return with_parents(self.connection.handle, read_domain(str(sample.domain.XMLDesc(0))))
        except XmlRefused:
            # Its size still counts. What devices it has can't be told then, but libvirt writes no such XML.
            _, memory_kib, _, vcpus, _ = sample.domain.info()
            return DomainFacts(vcpus=vcpus, vcpus_online=vcpus, memory_bytes=memory_kib * 1024)


def machine_uuid(capabilities: str) -> str | None:
    """Find the machine's UUID in libvirt's capabilities; None where they don't tell, as in the embedded driver."""
    try:
        uuid = parse(capabilities, "capabilities").findtext("host/uuid")
    except XmlRefused:
        return None
    return uuid.strip().lower() if uuid and uuid.strip() else None
