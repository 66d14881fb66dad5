"""Lets the demo live: its VMs start and stop by themselves."""

import random
import threading

from core.errors import DriverError
from core.fleet.fleet import VM, Connection, Fleet, VMState
from core.guard import guarded
from core.hosts import HostState
from core.operations.session import Session

PERIOD_SECONDS = 2.5
"""How long nothing happens between two changes."""


class Life:
    """A daemon thread that starts and stops managed VMs without devices, one at a time, through the hosts' lanes."""

    def __init__(self, session: Session, *, period: float = PERIOD_SECONDS, seed: int = 7) -> None:
        self._session = session
        self._period = period
        self._chance = random.Random(seed)  # noqa: S311 - nothing secret about it
        self._closing = threading.Event()

    def start(self) -> None:
        """Begin; does nothing to the hosts before the first period has passed."""
        threading.Thread(target=self._live, name="demo life", daemon=True).start()

    def close(self) -> None:
        """Let the thread end at its next look."""
        self._closing.set()

    def _live(self) -> None:
        while not self._closing.wait(self._period):
            with guarded("the life of the demo"):
                self.step()

    def step(self) -> VM | None:
        """Start or stop one VM; gives the VM as it was before, None where nothing could be done."""
        candidates = _candidates(self._session.fleet())
        if not candidates:
            return None
        vm = self._chance.choice(candidates)
        watch = self._session.connect()
        uuid = vm.uuid
        try:
            if vm.active:
                watch.submit(vm.host, lambda connection: connection.force_off(uuid)).result(timeout=self._period)
            else:
                watch.submit(vm.host, lambda connection: connection.start(uuid)).result(timeout=self._period)
        except (DriverError, TimeoutError):
            return None  # the host was disabled or removed meanwhile: life goes on elsewhere
        return vm


def _candidates(fleet: Fleet) -> list[VM]:
    """VMs that may change: any running one, and stopped ones where new VMs are taken; about as many of each."""
    vms = [
        (snapshot, vm)
        for snapshot in fleet.hosts
        if snapshot.connection is Connection.CONNECTED
        for vm in snapshot.vms
        if vm.managed and not vm.devices
    ]
    running = [vm for _, vm in vms if vm.state is VMState.RUNNING]
    stopped = [vm for snapshot, vm in vms if not vm.active and snapshot.host.state is HostState.ENABLED]
    return stopped if stopped and len(running) < 3 * len(stopped) else running
