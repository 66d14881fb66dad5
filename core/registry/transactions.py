"""Changes of the registry, made under its lock: all of a transaction, or nothing."""

from dataclasses import replace

from tinydb import TinyDB
from tinydb.table import Document

from core.config.model import Configuration
from core.errors import HostChanged
from core.hosts import Host, HostState
from core.registry import reservations, rules
from core.registry.records import HOSTS, RESERVATIONS, Contents, fields_of_host, fields_of_reservation, table_of
from core.registry.reservations import ReservationReader
from core.registry.storage import next_number
from core.reservations import Reservation


class Transaction:
    """The registry while this process holds its lock: what it reads stays true until the transaction ends.

    Made by HostRegistry.transaction(); an exception that leaves its block undoes everything.
    """

    def __init__(self, database: TinyDB, contents: Contents, now: float, reader: ReservationReader) -> None:
        self._database = database
        self._host_table = table_of(database, HOSTS)
        self._reservation_table = table_of(database, RESERVATIONS)
        self._hosts = dict(contents.hosts)
        self._reservations = dict(contents.reservations)
        self.now = now
        """Time of the transaction."""
        self._reader = reader
        for reservation in contents.reservations.values():
            if reader.boot not in reservation.ends:
                self._put(reader.seen(reservation))

    # Hosts ---------------------------------------------------------------------------------------------------------

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All hosts, in the order in which they were added."""
        return tuple(self._hosts.values())

    def host(self, name: str) -> Host:
        """Find a host by its name; raises UnknownHost."""
        return rules.find(name, self.hosts)

    def add(self, host: Host, configuration: Configuration) -> tuple[str, ...]:
        """Register a host; gives warnings. Raises HostRefused."""
        warnings = rules.check_host(host, None, self.hosts, configuration)
        number = next_number(self._database)
        self._hosts[number] = replace(host, version=number)
        self._host_table.insert(Document(fields_of_host(self._hosts[number]), doc_id=number))
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
            raise HostChanged(message, hint="nothing was changed; check it and try again")
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
        number = self._number_of(host)
        self._host_table.remove(doc_ids=[number])
        del self._hosts[number]
        return host

    def _number_of(self, wanted: Host) -> int:
        return next(number for number, host in self._hosts.items() if host == wanted)

    def _store(self, stored: Host, new: Host) -> Host:
        if replace(new, version=stored.version) == stored:
            return stored
        number = self._number_of(stored)
        self._hosts[number] = new = replace(new, version=next_number(self._database))
        self._host_table.update(fields_of_host(new), doc_ids=[number])
        if new.name != stored.name:
            for reservation in tuple(self._reservations.values()):
                if reservation.host == stored.name:
                    self._put(replace(reservation, host=new.name))
        return new

    # Reservations --------------------------------------------------------------------------------------------------

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """Reservations that have not expired."""
        return self._reader.live(self._reservations.values())

    def reserve(self, reservation: Reservation) -> Reservation:
        """Promise room and devices of a host to a VM; gives the reservation as stored, with its times filled in.

        Whether it fits is for placement to say, on this transaction's hosts and reservations. Raises UnknownHost, and
        ReservationRefused where another owner has reserved the VM or one of the devices.
        """
        self.host(reservation.host)
        reservation = self._reader.dated(reservation)
        reservations.check_free(reservation, self.reservations)
        self._put(reservation)
        return reservation

    def renew(self, uuid: str, owner: str, until: float) -> Reservation:
        """Push forward the time at which a reservation expires (seconds since the epoch).

        Raises ReservationRefused where it has expired meanwhile, or is another owner's: its room may be given away.
        """
        held = reservations.held(uuid, owner, self.reservations)
        renewed = self._reader.dated(replace(held, expires_at=until))
        self._put(renewed)
        return renewed

    def release(self, uuid: str, owner: str = "") -> bool:
        """Return up a VM's reservation, only if it is `owner`'s where one is named; tells whether there was one."""
        for reservation in self._reservations.values():
            if reservation.uuid == uuid and owner in ("", reservation.owner):
                self._drop(reservation)
                return True
        return False

    def release_later(self, uuid: str, owner: str, until: float) -> bool:
        """Let a reservation whose VM is seen running stand without an owner until a moment, then vanish.

        By then every program has looked at the host again: before, one that places by an older look would not see the
        VM. Tells whether the reservation was there.
        """
        for reservation in self._reservations.values():
            if reservation.uuid == uuid and reservation.owner == owner:
                self._put(self._reader.dated(replace(reservation, owner="", worker=None, expires_at=until)))
                return True
        return False

    def _put(self, reservation: Reservation) -> None:
        """Store a reservation in the place of any other for the same VM."""
        fields = fields_of_reservation(reservation)
        for number, present in self._reservations.items():
            if present.uuid == reservation.uuid:
                self._reservation_table.update(fields, doc_ids=[number])
                self._reservations[number] = reservation
                return
        number = next_number(self._database)
        self._reservation_table.insert(Document(fields, doc_id=number))
        self._reservations[number] = reservation

    def _drop(self, reservation: Reservation) -> None:
        number = next(number for number, present in self._reservations.items() if present == reservation)
        self._reservation_table.remove(doc_ids=[number])
        del self._reservations[number]

    def drop_forgotten(self) -> None:
        """Drop reservations that expired so long ago that they tell nobody anything."""
        for reservation in self._reader.forgotten(tuple(self._reservations.values())):
            self._drop(reservation)


def _differences(old: Host, new: Host) -> str:
    """Return what differs between two versions of a host."""
    pairs = (
        ("realm", old.realm, new.realm),
        ("URI", old.uri, new.uri),
        ("profile", old.profile, new.profile),
        ("state", old.state.label, new.state.label),
        ("static address", old.static_address or "none", new.static_address or "none"),
    )
    differing = [f"{what} {before} is now {after}" for what, before, after in pairs if before != after]
    return f": {', '.join(differing)}" if differing else ""
