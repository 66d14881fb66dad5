"""Room on the target of a migration: judged by placement, reserved under the registry's lock, renewed at work."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import RealmsError, ReservationRefused
from core.fleet import Fleet
from core.operations.places import current_user
from core.placement.engine import order, rooms
from core.placement.request import Request
from core.placement.verdicts import Why
from core.registry.reservations import LIFETIME
from core.reservations import Reservation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.clock import Clock
    from core.config.model import Configuration
    from core.fleet import VM, HostSnapshot
    from core.hardware import PciAddress
    from core.operations.workplace import Workplace
    from core.placement.verdicts import Verdict
    from core.registry.hosts import HostRegistry

RENEWALS = LIFETIME / 4
"""Seconds between two renewals of a reservation."""

CAN_NOT_BE_FORCED = frozenset({
    Why.UNKNOWN_REALM, Why.REALM_DISABLED, Why.HOST_DISABLED, Why.NOT_CONNECTED, Why.NO_FREE_DEVICE,
})  # fmt: skip
"""Refusals that no option goes past: nothing connects there, or there is nothing to give."""

_numbers = itertools.count(1)


class NoRoom(RealmsError):
    """The target can't take the VM; `verdict` says why, None where no host was judged."""

    def __init__(self, message: str, verdict: Verdict | None = None, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Demand:
    """What a VM asks of the host that it moves to. `strangers` are devices that its host's profile doesn't list."""

    request: Request
    strangers: tuple[PciAddress, ...] = ()


def demand_of(configuration: Configuration, snapshot: HostSnapshot, vm: VM, *, drives: bool = False) -> Demand:
    """Say what a VM asks of another host of its realm: its maxima, and its devices by type."""
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    types = {address: None if profile is None else profile.type_of(address) for address in vm.devices}
    counts = Counter(kind for kind in types.values() if kind is not None)
    return Demand(
        Request(vm.vcpus, vm.memory_bytes, counts, snapshot.host.realm, needs_drives_pool=drives),
        tuple(address for address, kind in types.items() if kind is None),
    )


def rank_targets(configuration: Configuration, fleet: Fleet, request: Request, source: str) -> tuple[Verdict, ...]:
    """Judge every other host of the realm: best first, then the refused by name."""
    opened = rooms(configuration, fleet, request.realm)
    return order(room.verdict(request) for room in opened if room.host != source)


def can_be_forced(verdict: Verdict) -> bool:
    """Tell whether an administrator may send a VM to a host that refuses it."""
    return all(reason.why not in CAN_NOT_BE_FORCED for reason in verdict.reasons)


class TargetRoom:
    """A reservation that this process holds for a VM on its way, renewed in a thread of its own until it ends."""

    def __init__(self, registry: HostRegistry, clock: Clock, reservation: Reservation, stale_after: float) -> None:
        self.reservation = reservation
        self._registry = registry
        self._clock = clock
        self._stale_after = stale_after
        self._ended = threading.Event()
        self.lost = ""
        """Why it is not ours any more; empty while it is."""
        self._thread = threading.Thread(target=self._renew, name=f"reservation {reservation.vm}", daemon=True)
        self._thread.start()

    @property
    def is_held(self) -> bool:
        """Whether it is still renewed."""
        return not self._ended.is_set()

    def _renew(self) -> None:
        while not self._ended.wait(RENEWALS):
            taken = self.reservation
            try:
                self.reservation = self._registry.renew(taken.uuid, taken.owner, self._clock.now() + LIFETIME)
            except ReservationRefused as error:
                self.lost = error.message
                return
            except RealmsError:  # a registry that is busy or can't be written now may be the next time
                continue

    def release(self) -> None:
        """Give the room back: the VM did not come."""
        self._end()
        self._registry.release(self.reservation.uuid, self.reservation.owner)

    def settle(self) -> None:
        """Let the room be held until every program has seen the VM there."""
        self._end()
        until = self._clock.now() + self._stale_after
        self._registry.settle(self.reservation.uuid, self.reservation.owner, until)

    def abandon(self) -> None:
        """Stop renewing and let it run out: nobody knows whether the VM runs there."""
        self._end()

    def _end(self) -> None:
        self._ended.set()


@contextlib.contextmanager
def reserved(
    workplace: Workplace, fleet: Fleet, vm: VM, demand: Demand, target: str, *, force: bool
) -> Iterator[TargetRoom]:
    """Take room on the target under the registry's lock, judged again by the reservations and hosts of that moment.

    Whatever leaves the block without having ended the room releases it. Raises NoRoom, ReservationRefused.
    """
    registry = workplace.check_can_change()
    owner = f"{current_user()} on {socket.gethostname()}, process {os.getpid()}, migration {next(_numbers)}"
    with registry.transaction() as changes:
        by_name = {host.name: host for host in changes.hosts}
        others = [each for each in changes.reservations if each.uuid != vm.uuid]
        current = Fleet(
            fleet.taken,
            tuple(
                replace(
                    snapshot,
                    host=by_name[snapshot.name],
                    reservations=tuple(each for each in others if each.host == snapshot.name),
                )
                for snapshot in fleet.hosts
                if snapshot.name in by_name
            ),
        )
        verdicts = rank_targets(workplace.configuration, current, demand.request, vm.host)
        verdict = next((each for each in verdicts if each.host == target), None)
        if verdict is None:
            raise NoRoom(f"{target} is not among the other hosts of the realm any more")
        if verdict.refusal is not None and not (force and can_be_forced(verdict)):
            raise NoRoom(f"{target} can't take {vm.name}: {verdict.refusal}", verdict)
        taken = changes.reserve(
            Reservation(
                uuid=vm.uuid,
                vm=vm.name,
                host=target,
                vcpus=vm.vcpus,
                memory_bytes=vm.memory_bytes,
                devices=verdict.devices,
                owner=owner,
            )
        )
    realm = workplace.configuration.realms[demand.request.realm or ""]
    room = TargetRoom(registry, workplace.clock, taken, realm.stale_after)
    try:
        yield room
    finally:
        if room.is_held:
            room.release()
