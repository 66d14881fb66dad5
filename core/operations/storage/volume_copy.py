"""Copies of volumes that a host makes for us, watched while they grow (specification, section 9)."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.paths import volume_of_path
from core.driver.storage.volume_bytes import allocation_now, available_in, delete_known
from core.driver.storage.volumes import PoolBusy, Volume, copy_volume, find_volume, refreshed
from core.errors import Cancelled, DriverError, RealmsError
from core.hosts import Host
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, StepControl
from core.units import show_size

T = TypeVar("T")

_LOOK_EVERY = 0.3
_BUSY_EVERY = 2.0
_DEEPEST_CHAIN = 32


_LAST_MOMENT = 1.0


class NoSpace(DriverError):
    """A pool has less free space than a copy needs; nothing was written."""

    code = ErrorCode.NO_SPACE


class CopyGoesOn(Cancelled):
    """The task has ended at once, and its host goes on copying, as libvirt can't interrupt a copy.

    The volume can't be deleted before that has ended. `copying` ends with the copy.
    """

    def __init__(self, host: Host, pool: str, name: str, copying: Future[Volume], deadline: float) -> None:
        message = f"cancelled, but libvirt cannot interrupt a copy: {host.name} continues to create {pool}/{name}"
        super().__init__(message)
        self.copying = copying
        self._host = host
        self._pool = pool
        self._name = name
        self._deadline = deadline

    def delete_when_copied(self) -> None:
        """Have a thread delete the volume when its copy has ended; nothing comes of it if this program ends before."""

        def work() -> None:
            wait([self.copying])
            with contextlib.suppress(RealmsError), job_connection(self._host, self._deadline) as connection:
                delete_known(connection, self._pool, self._name)

        threading.Thread(target=work, name=f"deleting {self._name}", daemon=True).start()


def needed_for(connection: HostConnection, volume: Volume) -> int:
    """Estimate the bytes that a whole copy of a volume takes: what it and all that it is an overlay of take now.

    Never more than its size; its size where what it is an overlay of is in no pool. Compressed images grow.
    """
    total, seen = volume.allocation, {volume.path}
    while volume.backing_path:
        below = volume_of_path(connection, volume.backing_path)
        found = find_volume(connection, *below) if below is not None else None
        if found is None or found.path in seen or len(seen) > _DEEPEST_CHAIN:
            return volume.capacity
        seen.add(found.path)
        total += found.allocation
        volume = found
    return total


def check_space(connection: HostConnection, needed: dict[str, int]) -> None:
    """Raise NoSpace where a pool has less than what is needed there, in bytes by pool."""
    for pool, wanted in needed.items():
        refreshed(connection, pool, or_stale=True)
        free = available_in(connection, pool)
        if wanted > free:
            message = f"pool {pool} has {show_size(free)} free, but {show_size(wanted)} is needed"
            raise NoSpace(connection.host, message, hint="delete unneeded snapshots: realms vms snapshots")


def when_free(control: Control, step: StepControl, call: Callable[[], T]) -> T:
    """Do something in a pool as soon as libvirt is done with what others make there. Raises Cancelled, DriverError."""
    while True:
        try:
            return call()
        except PoolBusy:
            step.detail("waiting: another volume is being created in the pool")
            control.wait(_BUSY_EVERY)
            step.detail("")


def copy_watched(
    control: Control,
    connection: HostConnection,
    host: Host,
    source: Volume,
    *,
    pool: str,
    name: str,
    form: str,
    needed: int,
    what: str,
    deadline: float,
) -> Volume:
    """Make a whole copy of a volume that nobody writes to, and tell how far it is.

    The host does the work, on a connection of its own; `connection` only looks on. Raises Cancelled, DriverError;
    nothing is left behind then, except by CopyGoesOn.
    """
    with control.step(StepKind.COPY, what, host.name) as step:
        copying = _in_thread(
            lambda: _copy(control, step, host, source, pool=pool, name=name, form=form, deadline=deadline)
        )
        grown = 0
        try:
            while not copying.done():
                wait([copying], _LOOK_EVERY)
                with contextlib.suppress(DriverError):  # who only looks on may lose its connection
                    grown = allocation_now(connection, pool, name) or 0
                step.progress(min(grown, needed), needed)
        except Cancelled as cancelled:
            wait([copying], _LAST_MOMENT)
            if not copying.done():
                raise CopyGoesOn(host, pool, name, copying, deadline) from cancelled
            copying.result()  # what failed by itself has left nothing
            with job_connection(host, deadline) as another:
                delete_known(another, pool, name)
            raise
        made = copying.result()
        step.detail(f"{show_size(made.allocation)} of {show_size(made.capacity)}")
    return made


def _copy(
    control: Control, step: StepControl, host: Host, source: Volume, *, pool: str, name: str, form: str, deadline: float
) -> Volume:
    with job_connection(host, deadline) as own:
        return when_free(control, step, lambda: copy_volume(own, source, pool, name, format=form))


def _in_thread(job: Callable[[], T]) -> Future[T]:
    outcome: Future[T] = Future()

    def work() -> None:
        try:
            outcome.set_result(job())
        except RealmsError as error:
            outcome.set_exception(error)
        finally:
            if not outcome.done():  # a defect: whoever waits must not wait forever
                outcome.set_exception(RealmsError("the copy ended without a result"))

    threading.Thread(target=work, name="copying", daemon=True).start()
    return outcome
