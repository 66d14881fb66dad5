"""Libvirt made ready once for the whole process: silent, and with an event loop in a thread of its own."""

import threading

import libvirt

from core.guard import guarded

_lock = threading.Lock()
_ready = False


def prepare() -> None:
    """Silence libvirt and start its event loop; must come before the first connection, later calls do nothing.

    Keepalive and events work only while the loop runs. It is a daemon thread: it never delays the end of the process.
    """
    global _ready  # noqa: PLW0603 -- libvirt's event loop and error handler exist once per process too
    with _lock:
        if _ready:
            return
        libvirt.registerErrorHandler(_say_nothing, None)  # its default handler prints to standard error
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run_events, name="libvirt-events", daemon=True).start()
        _ready = True


def _say_nothing(*_: object) -> None:
    """Every error also comes as an exception, where it is translated."""


def _run_events() -> None:
    pause = threading.Event()
    while True:
        with guarded("libvirt's event loop", lambda _: pause.wait(1.0)):
            try:
                libvirt.virEventRunDefaultImpl()
            except libvirt.libvirtError:  # without the loop no keepalive works: go on, but never in a busy circle
                pause.wait(1.0)
