"""Changes of the registry, made under its lock: all of a transaction, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tinydb import where
from tinydb.table import Document

from core.errors import HostChanged
from core.registry import reservations, rules
from core.registry.records import HOSTS, RESERVATIONS, contents_of, fields_of_host, fields_of_reservation, table_of
from core.registry.storage import next_number

if TYPE_CHECKING:
    from tinydb import TinyDB

    from core.config.model import Configuration
    from core.hosts import Host, HostState
    from core.reservations import Reservation


class Transaction:
    """The registry while this process holds its lock: what it reads stays true until the transaction ends.

    Made by HostRegistry.transaction(); an exception that leaves its block undoes everything.
    """

    def __init__(self, database: TinyDB, now: float) -> None:
        self._database = database
        self._hosts = table_of(database, HOSTS)
        self._reservations = table_of(database, RESERVATIONS)
        self.now = now
        """Time of the transaction, against which reservations expire."""

    # Hosts ---------------------------------------------------------------------------------------------------------

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All hosts, in the order in which they were added."""
        return contents_of(self._database).hosts

    def host(self, name: str) -> Host:
        """Find a host by its name; raises UnknownHost."""
        return rules.find(name, self.hosts)

    def add(self, host: Host, configuration: Configuration) -> tuple[str, ...]:
        """Register a host; gives warnings. Raises HostRefused."""
        warnings = rules.check_host(host, None, self.hosts, configuration)
        number = next_number(self._database)
        self._hosts.insert(Document(fields_of_host(replace(host, version=number)), doc_id=number))
        return warnings

    def replace(self, old: Host, new: Host, configuration: Configuration) -> tuple[str, ...]:
        """Change a host from `old`, as it was read, to `new`, which may have another name; gives warnings.

        Raises HostChanged where the registry has another version of `old`, and HostRefused.
        """
        stored = next((host for host in self.hosts if host.name == old.name), None)
        if stored is None:
            raise HostChanged(f"{old.name} was removed or renamed by someone else", hint="nothing was changed")
        if stored.version != old.version:
            message = f"{old.name} was changed by someone else{_differences(old, stored)}"
            raise HostChanged(message, hint="nothing was changed; look at it and try again")
        others = [host for host in self.hosts if host.name != old.name]
        warnings = rules.check_host(new, stored, others, configuration)
        self._store(stored, new)
        return warnings

    def set_state(self, name: str, state: HostState) -> Host:
        """Enable a host, set it to No Scheduling or disable it; raises UnknownHost."""
        host = self.host(name)
        return self._store(host, replace(host, state=state))

    def remove(self, name: str) -> Host:
        """Forget a host; its VMs are not touched, and reservations on it run out by themselves. Raises UnknownHost."""
        host = self.host(name)
        self._hosts.remove(where("name") == name)
        return host

    def _store(self, stored: Host, new: Host) -> Host:
        if replace(new, version=stored.version) == stored:
            return stored
        new = replace(new, version=next_number(self._database))
        self._hosts.update(fields_of_host(new), where("name") == stored.name)
        if new.name != stored.name:
            self._reservations.update({"host": new.name}, where("host") == stored.name)
        return new

    # Reservations --------------------------------------------------------------------------------------------------

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """Reservations that have not expired."""
        return reservations.live(contents_of(self._database).reservations, self.now)

    def reserve(self, reservation: Reservation) -> Reservation:
        """Promise room and devices of a host to a VM; gives the reservation as stored, with its times filled in.

        Whether it fits is for placement to say, on this transaction's hosts and reservations. Raises UnknownHost, and
        ReservationRefused where another owner has reserved the VM or one of the devices.
        """
        self.host(reservation.host)
        reservation = reservations.dated(reservation, self.now)
        reservations.check_free(reservation, self.reservations)
        self._put(reservation)
        return reservation

    def renew(self, uuid: str, owner: str, until: float) -> Reservation:
        """Push forward the time at which a reservation expires (seconds since the epoch).

        Raises ReservationRefused where it has expired meanwhile, or is another owner's: its room may be given away.
        """
        renewed = replace(reservations.held(uuid, owner, self.reservations), expires_at=until)
        self._put(renewed)
        return renewed

    def release(self, uuid: str, owner: str = "") -> bool:
        """Give up a VM's reservation, only if it is `owner`'s where one is named; tells whether there was one."""
        of_owner = where("owner") == owner if owner else where("owner").exists()
        return bool(self._reservations.remove((where("uuid") == uuid) & of_owner))

    def _put(self, reservation: Reservation) -> None:
        fields = fields_of_reservation(reservation)
        if not self._reservations.update(fields, where("uuid") == reservation.uuid):
            self._reservations.insert(Document(fields, doc_id=next_number(self._database)))

    def drop_forgotten(self) -> None:
        """Drop reservations that expired so long ago that they tell nobody anything."""
        for reservation in reservations.forgotten(contents_of(self._database).reservations, self.now):
            self._reservations.remove(where("uuid") == reservation.uuid)


def _differences(old: Host, new: Host) -> str:
    """Say what differs between two versions of a host."""
    pairs = (
        ("realm", old.realm, new.realm),
        ("URI", old.uri, new.uri),
        ("profile", old.profile, new.profile),
        ("state", old.state.label, new.state.label),
        ("static address", old.static_address or "none", new.static_address or "none"),
    )
    differing = [f"{what} {before} is now {after}" for what, before, after in pairs if before != after]
    return f": {', '.join(differing)}" if differing else ""
