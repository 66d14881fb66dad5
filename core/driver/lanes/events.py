"""Libvirt's events, put into a lane's mailbox.

Callbacks run in the event thread: they must never make a call to a host there. A domain's UUID is read from the
object in hand, which asks nobody.
"""

import contextlib
from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.lanes.mailbox import ConnectionLost, DomainChanged, Mailbox, Notice

_DOMAIN_EVENTS = (
    libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
    libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
)

_CLOSE_REASONS = {
    libvirt.VIR_CONNECT_CLOSE_REASON_EOF: "End of file while reading data",
    libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE: "connection closed due to keepalive timeout",
}


class Subscription:
    """The events of one connection that a mailbox gets. A host that lacks one of them is still polled."""

    def __init__(self, connection: HostConnection, mailbox: Mailbox) -> None:
        self.token = object()
        """What news of this connection's end carry."""
        self._handle = connection.handle
        self._domain_events: list[int] = []
        self._pool_events: list[int] = []
        self._watches_end = False
        subscribe = self._handle.domainEventRegisterAny
        with contextlib.suppress(libvirt.libvirtError):
            self._handle.registerCloseCallback(_on_close, (mailbox, self.token))
            self._watches_end = True
        with contextlib.suppress(libvirt.libvirtError):
            kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
            self._domain_events.append(subscribe(None, kind, _on_lifecycle, mailbox))
        for kind in _DOMAIN_EVENTS:
            with contextlib.suppress(libvirt.libvirtError):
                self._domain_events.append(subscribe(None, kind, _on_change, mailbox))
        with contextlib.suppress(libvirt.libvirtError):
            kind = libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE
            self._pool_events.append(self._handle.storagePoolEventRegisterAny(None, kind, _on_pool, mailbox))

    def end(self) -> None:
        """Take the callbacks back: each holds on to the connection, which would else never be closed."""
        for callback in self._domain_events:
            with contextlib.suppress(libvirt.libvirtError):
                self._handle.domainEventDeregisterAny(callback)
        for callback in self._pool_events:
            with contextlib.suppress(libvirt.libvirtError):
                self._handle.storagePoolEventDeregisterAny(callback)
        if self._watches_end:
            with contextlib.suppress(libvirt.libvirtError):
                self._handle.unregisterCloseCallback()


def _on_lifecycle(_connection: Any, domain: Any, event: int, detail: int, mailbox: Mailbox) -> None:
    started = event == libvirt.VIR_DOMAIN_EVENT_STARTED
    moved_here = started and detail == libvirt.VIR_DOMAIN_EVENT_STARTED_MIGRATED
    mailbox.put(DomainChanged(str(domain.UUIDString()), moved_here=moved_here))


def _on_change(_connection: Any, domain: Any, *particulars: Any) -> None:
    mailbox: Mailbox = particulars[-1]  # what comes before it differs from event to event
    mailbox.put(DomainChanged(str(domain.UUIDString())))


def _on_pool(_connection: Any, _pool: Any, _event: int, _detail: int, mailbox: Mailbox) -> None:
    mailbox.put(Notice.POOLS_CHANGED)


def _on_close(_connection: Any, reason: int, addressee: tuple[Mailbox, object]) -> None:
    mailbox, token = addressee
    mailbox.put(ConnectionLost(_CLOSE_REASONS.get(reason, "the connection was closed"), token))
