"""Addresses of VMs on their networks, looked up rarely: after a start until found, then slowly.

One call per libvirt network gives the leases of all VMs on it. What has no lease (bridges, addresses set by hand) is
looked for in the host's ARP table and then asked of the guest agent, a few VMs at a time: each costs a round trip.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.vms.statistics import DomainSample
from core.driver.xml.domain_xml import DomainFacts

AGAIN_WHEN_FOUND = 90.0
"""Seconds after which a known address is looked up again: leases move."""

LONGEST_WAIT = 300.0
"""Seconds between two attempts for a VM that never shows an address."""

FIRST_WAIT, WAITS_AT_FIRST = 2.0, 15
"""A VM that has just started is looked for this often, in seconds, this many times, before the waits grow."""

SINGLE_LOOKUPS = 4
"""VMs that are asked for one by one in a round."""


@dataclass(slots=True)
class _Entry:
    id: int
    """The domain's id: another one means another start, perhaps with another address."""
    address: str | None = None
    due: float = 0.0
    """Monotonic seconds."""
    attempts: int = 0

    def found(self, address: str, now: float) -> None:
        self.address, self.attempts, self.due = address, 0, now + AGAIN_WHEN_FOUND

    def wait(self, now: float) -> None:
        """Ask again later. What was found since the start stays: an ARP table forgets, a VM keeps its address."""
        growth = 2 ** min(16, max(0, self.attempts - WAITS_AT_FIRST))
        self.due = now + min(LONGEST_WAIT, FIRST_WAIT * growth)
        self.attempts += 1


Active = tuple[DomainSample, DomainFacts]
"""An active domain as sampled, and its facts."""


class AddressBook:
    """Addresses of one host's active VMs."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection
        self._entries: dict[str, _Entry] = {}
        self._networks: dict[str, Any] = {}

    def of(self, uuid: str) -> str | None:
        """Return a VM's IPv4 address as last found."""
        entry = self._entries.get(uuid)
        return None if entry is None else entry.address

    def retry(self, uuid: str) -> None:
        """Look for a VM's address at the next opportunity: something about it has changed."""
        entry = self._entries.get(uuid)
        if entry is not None:
            entry.due, entry.attempts = 0.0, 0

    def adopt(self, earlier: AddressBook) -> None:
        """Keep what an earlier connection had found, until it is looked up again."""
        for uuid, entry in earlier._entries.items():
            self._entries[uuid] = _Entry(entry.id, entry.address)

    def detach(self) -> None:
        """Let go of libvirt's objects."""
        self._networks.clear()

    def refresh(self, active: Mapping[str, Active], now: float, go_on: Callable[[], bool]) -> bool:
        """Look up what is due among the active VMs; tell whether any address has changed. Raises DriverError.

        `go_on` is asked before each VM that is looked up by itself; where it says no, the rest waits.
        """
        for uuid in self._entries.keys() - active.keys():
            del self._entries[uuid]
        for uuid, (sample, _) in active.items():
            entry = self._entries.get(uuid)
            if entry is None or entry.id != sample.id:
                self._entries[uuid] = _Entry(sample.id or 0)
        due = [uuid for uuid in active if self._entries[uuid].due <= now and active[uuid][1].interfaces]
        if not due:
            return False
        found = {} if self._connection.is_embedded else self._leases_of(active, due)
        missing = sorted((uuid for uuid in due if uuid not in found), key=lambda uuid: self._entries[uuid].attempts)
        for uuid in missing if self._connection.is_embedded else missing[:SINGLE_LOOKUPS]:
            if not go_on():
                break
            address = self._single_lookup(*active[uuid])
            if address is not None:
                found[uuid] = address
            else:
                self._entries[uuid].wait(now)
        changed = False
        for uuid, address in found.items():
            entry = self._entries[uuid]
            changed = changed or entry.address != address
            entry.found(address, now)
        return changed

    def _leases_of(self, active: Mapping[str, Active], due: list[str]) -> dict[str, str]:
        """Addresses of all active VMs that have a lease on a network which one of the due VMs is on."""
        networks = {interface.network for uuid in due for interface in active[uuid][1].interfaces}
        leases: dict[tuple[str | None, str], str] = {}
        for network in sorted(network for network in networks if network is not None):
            leases |= {(network, mac): address for mac, address in self._leases(network).items()}
        found = {}
        for uuid, (_, facts) in active.items():
            held = (leases.get((interface.network, interface.mac)) for interface in facts.interfaces)
            address = next((address for address in held if address is not None), None)
            if address is not None:
                found[uuid] = address
        return found

    def _leases(self, name: str) -> dict[str, str]:
        """IPv4 leases of a network, by MAC address; of several the one that lasts longest."""
        try:
            network = self._networks.get(name)
            if network is None:
                network = self._networks[name] = self._connection.handle.networkLookupByName(name)
            leases = network.DHCPLeases()
        except libvirt.libvirtError as error:
            self._networks.pop(name, None)
            self._raise_if_lost(error)
            return {}
        ordered = sorted(leases, key=lambda lease: lease.get("expirytime") or 0)
        usable = ((str(lease.get("mac") or "").lower(), ipv4(lease.get("ipaddr"))) for lease in ordered)
        return {mac: address for mac, address in usable if address is not None}

    def _single_lookup(self, sample: DomainSample, facts: DomainFacts) -> str | None:
        sources = [libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP]
        if self._connection.is_embedded:  # the test driver knows leases, and by domain only
            sources = [libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE]
        elif facts.agent_connected:
            sources.append(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
        for source in sources:
            try:
                answer = sample.domain.interfaceAddresses(source)
            except libvirt.libvirtError as error:
                self._raise_if_lost(error)
                if error.get_error_code() == libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
                    # Libvirt has waited 5 seconds for it, and all other VMs with it.
                    self._entries[sample.uuid].attempts += WAITS_AT_FIRST
                continue
            address = first_address(answer, facts)
            if address is not None:
                return address
        return None

    def _raise_if_lost(self, error: libvirt.libvirtError) -> None:
        if not self._connection.is_alive():
            raise self._connection.failed(error, "ask for addresses") from error


def ipv4(text: object) -> str | None:
    """Return an IPv4 address that a VM can be reached at, in its one spelling; None for whatever else a guest says."""
    try:
        address = ipaddress.IPv4Address(str(text))
    except ValueError:
        return None
    unusable = address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local
    return None if unusable else str(address)


def first_address(answer: Mapping[str, Mapping[str, Any]] | None, facts: DomainFacts) -> str | None:
    """Pick the address of the first interface: those that libvirt gave the VM come before what a guest made itself."""
    macs = [interface.mac for interface in facts.interfaces]
    interfaces = []
    for position, (name, interface) in enumerate((answer or {}).items()):
        mac = str(interface.get("hwaddr") or "").lower()
        rank = macs.index(mac) if mac in macs else len(macs) + position
        if name != "lo":
            interfaces.append((rank, interface.get("addrs") or ()))
    candidates = (
        ipv4(entry.get("addr")) for _, entries in sorted(interfaces, key=lambda pair: pair[0]) for entry in entries
    )
    return next((address for address in candidates if address is not None), None)
