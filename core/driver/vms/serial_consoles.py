"""Whether a domain has a serial console that can be opened from afar."""

from core.driver.connection.connection import HostConnection
from core.driver.storage.volumes import connection_errors
from core.driver.xml.reader import XmlRefused, parse

_STREAMED = frozenset({"pty", "unix"})
"""Kinds of character devices that libvirt connects a stream to."""


def has_console(connection: HostConnection, uuid: str) -> tuple[bool, bool]:
    """Return whether a domain runs, and whether it has a console. Raises DriverError."""
    with connection_errors(connection, "look for a VM's console"):
        domain = connection.handle.lookupByUUIDString(uuid)
        active, text = bool(domain.isActive()), str(domain.XMLDesc(0))
    try:
        root = parse(text, "domain")
    except XmlRefused:
        return active, False
    devices = (*root.iterfind("devices/console"), *root.iterfind("devices/serial"))
    return active, any(device.get("type") in _STREAMED for device in devices)
