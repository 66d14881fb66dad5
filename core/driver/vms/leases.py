"""What a host's networks have lent to one VM, by which a renewed lease can be told from one that was there before."""

from dataclasses import dataclass

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.vms.addresses import ipv4
from core.driver.xml.domain_xml import read_domain
from core.driver.xml.reader import XmlRefused


@dataclass(frozen=True, slots=True)
class Lease:
    """An address lent to a VM. `expires_at` is seconds since the epoch by the host's clock: each renewal moves it."""

    address: str
    expires_at: int


def leases_of(connection: HostConnection, uuid: str) -> frozenset[Lease]:
    """Return the leases of a VM, active or not, in the networks of its host; empty where libvirt lends nothing.

    A lease outlives the VM that had it: dnsmasq keeps it until it expires. Raises DriverError where the host is lost.
    """
    try:
        facts = read_domain(str(connection.handle.lookupByUUIDString(uuid).XMLDesc(0)))
    except XmlRefused:
        return frozenset()
    except libvirt.libvirtError as error:
        _raise_if_lost(connection, error)
        return frozenset()
    found = set()
    for interface in facts.interfaces:
        if interface.network is None:
            continue
        try:
            lent = connection.handle.networkLookupByName(interface.network).DHCPLeases(interface.mac)
        except libvirt.libvirtError as error:  # the network is gone, or the driver knows of no leases
            _raise_if_lost(connection, error)
            continue
        for lease in lent:
            address = ipv4(lease.get("ipaddr"))
            if address is not None:
                found.add(Lease(address, int(lease.get("expirytime") or 0)))
    return frozenset(found)


def _raise_if_lost(connection: HostConnection, error: libvirt.libvirtError) -> None:
    if not connection.is_alive():
        raise connection.failed(error, "ask for leases") from error
