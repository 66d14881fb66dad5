"""Which reservations count, and which can be taken (specification, section 8)."""

from collections.abc import Iterable
from dataclasses import replace

from core.clock import Clock
from core.errors import ReservationRefused
from core.reservations import Reservation
from core.workers import WorkerState, this_worker

LIFETIME = 60.0
"""Seconds that a reservation lasts where its taker names no end; its process renews it long before."""

_MOST_SEEN = 10_000
"""Reservations whose ends are kept in memory; beyond, all are seen as if for the first time."""

REMEMBERED = 7 * 86_400.0
"""Seconds for which an expired reservation is kept as the mark of what a killed process left behind."""


class ReservationReader:
    """Tells which reservations count, by the life of their processes and by clocks that never jump.

    The time of day is set by hand and differs between machines: it alone ends nothing. A reservation that this boot of
    the machine has not seen yet ends when it was not renewed for as long as it lasts from now.
    """

    def __init__(self, clock: Clock, boot: str = "") -> None:
        self._clock = clock
        self.boot = boot or this_worker().boot
        self._ends: dict[tuple[str, str], tuple[float, float]] = {}

    def is_live(self, reservation: Reservation) -> bool:
        """Whether a reservation holds room."""
        if reservation.owner and reservation.worker is not None and reservation.worker.state() is WorkerState.ALIVE:
            return True
        return self._clock.monotonic() < self.end(reservation)

    def end(self, reservation: Reservation) -> float:
        """Return when a reservation ends that is not renewed, by the monotonic clock."""
        if self.boot in reservation.ends:
            return reservation.ends[self.boot]
        if len(self._ends) > _MOST_SEEN:
            self._ends.clear()
        key = (reservation.uuid, reservation.owner)
        renewed_until, end = self._ends.get(key, (None, 0.0))
        if renewed_until != reservation.expires_at:
            end = self._clock.monotonic() + (reservation.lasts or LIFETIME)
            self._ends[key] = (reservation.expires_at, end)
        return end

    def live(self, reservations: Iterable[Reservation]) -> tuple[Reservation, ...]:
        """Those that hold room."""
        return tuple(filter(self.is_live, reservations))

    def abandoned(self, reservations: Iterable[Reservation]) -> tuple[Reservation, ...]:
        """Those that ended without being released: their process was killed in the midst. They hold no room."""
        now = self._clock.now()
        return tuple(
            each
            for each in reservations
            if each.owner and now - REMEMBERED < each.expires_at and not self.is_live(each)
        )

    def forgotten(self, reservations: Iterable[Reservation]) -> tuple[Reservation, ...]:
        """Those that tell nobody anything: ended after their work was done, or longer ago than is remembered."""
        long_ago = self._clock.now() - REMEMBERED
        return tuple(
            each for each in reservations if not (each.owner and each.expires_at > long_ago) and not self.is_live(each)
        )

    def dated(self, reservation: Reservation) -> Reservation:
        """Fill in times that were left out: taken now, for LIFETIME; and when it ends by this machine's clock."""
        now = self._clock.now()
        reservation = replace(
            reservation, taken_at=reservation.taken_at or now, expires_at=reservation.expires_at or now + LIFETIME
        )
        lasts = max(0.0, reservation.expires_at - now)
        return replace(reservation, lasts=lasts, ends={self.boot: self._clock.monotonic() + lasts})

    def seen(self, reservation: Reservation) -> Reservation:
        """Note when a reservation ends by this machine's clock, for other programs on this machine."""
        return replace(reservation, ends={**reservation.ends, self.boot: self.end(reservation)})


def check_free(wanted: Reservation, present: Iterable[Reservation]) -> None:
    """Raise ReservationRefused where someone else has reserved the VM, or another VM one of the devices."""
    for other in present:
        if other.uuid == wanted.uuid:
            if other.owner not in ("", wanted.owner):
                message = f"{wanted.vm} is being placed on {other.host} by {other.owner}"
                raise ReservationRefused(message, hint="wait until it has finished")
        elif other.host == wanted.host and (shared := set(other.devices) & set(wanted.devices)):
            devices = ", ".join(sorted(map(str, shared)))
            raise ReservationRefused(f"{devices} on {other.host} is reserved for {other.vm}", hint="place the VM again")


def held(uuid: str, owner: str, present: Iterable[Reservation]) -> Reservation:
    """Give the reservation of a VM that an owner holds; raises ReservationRefused where there is none, or another's."""
    for reservation in present:
        if reservation.uuid == uuid:
            if reservation.owner == owner:
                return reservation
            message = f"{reservation.vm} is reserved on {reservation.host} by {reservation.owner or 'someone else'}"
            raise ReservationRefused(message, hint="that process is using it now")
    message = f"the reservation of {uuid} has expired"
    raise ReservationRefused(message, hint="place the VM again: its reservation may be lost")
