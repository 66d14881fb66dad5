"""Memory of domains that libvirt has saved (`virsh managedsave`): their next start goes on from it, on this host."""

from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone, translated


def saved_uuids(connection: HostConnection) -> frozenset[str]:
    """Return which domains have saved memory, in one call. Raises libvirtError."""
    try:
        listed = connection.handle.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
    except libvirt.libvirtError as error:
        if _is_unsupported(error):
            return frozenset()
        raise
    return frozenset(str(domain.UUIDString()) for domain in listed)


def saved_definition(domain: Any) -> str | None:
    """Return the definition that a domain's saved memory was saved with, and will go on with; None without such memory.

    Raises libvirtError.
    """
    try:
        if not domain.hasManagedSaveImage(0):
            return None
        return str(domain.managedSaveGetXMLDesc(libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))
    except libvirt.libvirtError as error:
        if _is_unsupported(error):
            return None
        raise


def has_saved_memory(connection: HostConnection, uuid: str) -> bool:
    """Return whether a domain has saved memory; False where there is no such domain. Raises DriverError."""
    try:
        return bool(connection.handle.lookupByUUIDString(uuid).hasManagedSaveImage(0))
    except libvirt.libvirtError as error:
        if is_gone(error) or _is_unsupported(error):
            return False
        raise connection.failed(error, f"ask for the saved memory of {uuid}") from error


def save_memory(connection: HostConnection, uuid: str) -> None:
    """Save a domain's memory on its host and stop it; takes as long as writing its memory. Raises DriverError."""
    with translated(connection.host, f"save the memory of {uuid}"):
        connection.handle.lookupByUUIDString(uuid).managedSave(0)


def discard_saved_memory(connection: HostConnection, uuid: str) -> None:
    """Remove a domain's saved memory: its next start boots. Raises DriverError."""
    with translated(connection.host, f"discard the saved memory of {uuid}"):
        connection.handle.lookupByUUIDString(uuid).managedSaveRemove(0)


def _is_unsupported(error: libvirt.libvirtError) -> bool:
    return bool(error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT)
