"""One connection to a host's libvirt. Exactly one thread may use it.

With libvirt before 10.4 (CVE-2024-4418) two threads in calls on one connection end the process when its keepalive
expires. So whoever opens a connection keeps it to itself; a long job opens one of its own.
"""

import contextlib
import os
import socket
from typing import Any

import libvirt

from core.driver.connection.errors import driver_error, translated, unreachable
from core.driver.connection.library import prepare
from core.driver.xml.metadata import NAMESPACE, PREFIX, RealmMark, mark_text
from core.errors import DriverError, HostRefused, HostUnreachable
from core.uris import ConnectionUri, parse_uri

KEEPALIVE_SECONDS, KEEPALIVE_COUNT = 5, 3
"""A host that answers nothing for 20 seconds is lost: an idle one is asked each 5 s, and may be silent 3 times."""

_PORTS = {"tcp": 16509, "tls": 16514, "libssh": 22, "libssh2": 22}
"""Transports whose socket libvirt opens in this process, and their ports."""

_CONNECT_TIMEOUT = 10.0


class HostConnection:
    """A connection to one host, and what can be done with its domains, by UUID. Methods raise DriverError."""

    def __init__(self, host: str, uri: ConnectionUri, handle: Any) -> None:
        self.host = host
        self.uri = uri
        self.handle = handle
        """Libvirt's own object, for the modules of this package alone."""
        self.is_embedded = uri.driver == "test"
        """Libvirt's test driver: inside this process, so calls cost nothing, and some answer less."""

    def is_alive(self) -> bool:
        """Return whether libvirt still thinks that the connection stands; asks nobody."""
        try:
            return self.handle is not None and bool(self.handle.isAlive())
        except libvirt.libvirtError:
            return False

    def failed(self, error: libvirt.libvirtError, doing: str) -> DriverError:
        """Translate the error of a call, telling a lost connection from a refusal."""
        if not self.is_alive():
            return unreachable(self.host, self.uri.text, str(error))
        return driver_error(error, host=self.host, doing=doing)

    def close(self) -> None:
        """Close the connection; a dead one is dropped silently."""
        handle, self.handle = self.handle, None
        if handle is not None:
            with contextlib.suppress(libvirt.libvirtError):
                handle.close()

    def start(self, uuid: str) -> None:
        """Start a domain that is off."""
        self._act(uuid, "create", "start")

    def shut_down(self, uuid: str) -> None:
        """Ask a domain to shut itself down; it may take its time, or not do it."""
        self._act(uuid, "shutdown", "shut down")

    def reboot(self, uuid: str) -> None:
        """Ask a domain to reboot."""
        self._act(uuid, "reboot", "reboot", 0)

    def reset(self, uuid: str) -> None:
        """Reset a domain like the button on a machine."""
        self._act(uuid, "reset", "reset", 0)

    def pause(self, uuid: str) -> None:
        """Stop a domain's CPUs; it keeps what it holds."""
        self._act(uuid, "suspend", "pause")

    def resume(self, uuid: str) -> None:
        """Let a paused domain go on."""
        self._act(uuid, "resume", "resume")

    def force_off(self, uuid: str) -> None:
        """Cut a domain's power."""
        self._act(uuid, "destroy", "force off")

    def undefine(self, uuid: str) -> None:
        """Forget a domain that is off; its volumes stay."""
        self._act(uuid, "undefine", "remove")

    def define(self, xml: str) -> str:
        """Define a domain, or redefine the one of the same UUID; gives its UUID."""
        with translated(self.host, "define a VM"):
            return str(self.handle.defineXML(xml).UUIDString())

    def domain_xml(self, uuid: str) -> str:
        """Return a domain's XML as it is now."""
        with translated(self.host, "read a VM's definition"):
            return str(self.handle.lookupByUUIDString(uuid).XMLDesc())

    def mark(self, uuid: str, mark: RealmMark) -> None:
        """Write the realm's mark into a domain's metadata, of the running and of the stored definition."""
        with translated(self.host, "mark a VM"):
            domain = self.handle.lookupByUUIDString(uuid)
            reach = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
            reach |= libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
            domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, mark_text(mark), PREFIX, NAMESPACE, reach)

    def _act(self, uuid: str, method: str, doing: str, *arguments: int) -> None:
        with translated(self.host, f"{doing} {uuid}"):
            getattr(self.handle.lookupByUUIDString(uuid), method)(*arguments)


def open_connection(host: str, uri: str) -> HostConnection:
    """Open a connection. Blocks as long as the network and libvirt like: only ever call it in a thread of its own.

    Raises HostUnreachable with what to do about it.
    """
    prepare()
    try:
        accepted = parse_uri(uri)
    except HostRefused as error:
        raise HostUnreachable(host, error.message, hint=error.hint) from error
    _look_before_opening(host, accepted)
    try:
        handle = libvirt.open(effective_uri(accepted))
    except libvirt.libvirtError as error:
        raise unreachable(host, uri, str(error)) from error
    with contextlib.suppress(libvirt.libvirtError):  # the embedded driver has no keepalive and needs none
        handle.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT)
    return HostConnection(host, accepted, handle)


def effective_uri(uri: ConnectionUri) -> str:
    """Return the URI as libvirt gets it: an ssh client must never ask for a password on the terminal."""
    if not uri.uses_ssh_program:
        return uri.text
    return uri.with_parameters([pair for pair in uri.parameters if pair[0] != "no_tty"] + [("no_tty", "1")])


def _look_before_opening(host: str, uri: ConnectionUri) -> None:
    """Fail early and in plain words where libvirt would print to standard error, or wait for minutes."""
    if uri.driver == "test" and uri.path != "/default":
        # The XML library under libvirt complains on standard error, which is the screen, about a file it can't open.
        try:
            with open(uri.path, "rb"):
                pass
        except OSError as error:
            message = f"{uri.path}: {os.strerror(error.errno or 0).lower()}"
            raise HostUnreachable(host, message, hint="test:///absolute/path/node.xml names a file") from error
    elif uri.transport in _PORTS and uri.host:
        # Linux calls a silent address for two minutes, at growing intervals: a host that is back would go unnoticed.
        port = uri.port or _PORTS[uri.transport]
        try:
            socket.create_connection((uri.host, port), timeout=_CONNECT_TIMEOUT).close()
        except OSError as error:
            reason = "connection timed out" if isinstance(error, TimeoutError) else str(error.strerror or error)
            raise unreachable(host, uri.text, reason) from error
