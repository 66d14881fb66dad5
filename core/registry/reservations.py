"""Which reservations count, and which can be taken (specification, section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.errors import ReservationRefused
from core.reservations import Reservation

LIFETIME = 60.0
"""Seconds that a reservation lasts where its taker names no end; its process renews it long before."""

REMEMBERED = 7 * 86_400.0
"""Seconds for which an expired reservation is kept as the mark of what a killed process left behind."""


def live(reservations: Iterable[Reservation], now: float) -> tuple[Reservation, ...]:
    """Those that have not expired: they hold room."""
    return tuple(reservation for reservation in reservations if reservation.expires_at > now)


def abandoned(reservations: Iterable[Reservation], now: float) -> tuple[Reservation, ...]:
    """Those that expired without being released: their process was killed in the midst. They hold no room."""
    return tuple(
        reservation
        for reservation in reservations
        if reservation.owner and now - REMEMBERED < reservation.expires_at <= now
    )


def forgotten(reservations: Iterable[Reservation], now: float) -> tuple[Reservation, ...]:
    """Those that tell nobody anything: expired after their work was done, or longer ago than is remembered."""
    return tuple(
        reservation
        for reservation in reservations
        if reservation.expires_at <= (now - REMEMBERED if reservation.owner else now)
    )


def dated(reservation: Reservation, now: float) -> Reservation:
    """Fill in the times that were left out: taken now, for LIFETIME."""
    taken_at = reservation.taken_at or now
    return replace(reservation, taken_at=taken_at, expires_at=reservation.expires_at or now + LIFETIME)


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
