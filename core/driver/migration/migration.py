"""Live migration through libvirt: the one long call, what is told of it meanwhile, and where a domain is.

The call needs connections of its own to both sides, in a thread of its own: it occupies them until it ends. Whoever
wants to know how far it is, or to end it, needs one more connection to the source.
"""

import contextlib
import os
import signal
import threading
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.connection.jobs import job_connection
from core.driver.connection.process import end_ssh_children, ssh_children
from core.driver.vms.statistics import VM_STATES
from core.errors import DriverError
from core.fleet.fleet import VMState
from core.hosts import Host
from core.uris import parse_uri

_FILES_OF_THIS_MACHINE = frozenset({"keyfile", "known_hosts", "sshauth", "pkipath", "socket", "no_tty"})
"""Parameters of a URI that mean something only here, and not on the source host."""


class MigrationMode(StrEnum):
    """Who drives a migration. CLIENT: this program, with connections to both sides, which need none to each other."""

    CLIENT = "client"
    P2P = "p2p"
    TUNNELLED = "tunnelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a running domain is moved. Empty URIs: derived from the target's, or left to libvirt."""

    mode: MigrationMode = MigrationMode.CLIENT
    persistent: bool = True
    tls: bool = False
    unsafe: bool = False
    """Pass libvirt's own check of shared storage: only where that is proven, or on the administrator's word."""
    copy_disks: tuple[str, ...] = ()
    """Targets (`vda`) of the disks that are copied along."""
    auto_converge: bool = True
    bandwidth: int = 0
    """MiB/s; 0: no limit."""
    migrate_uri: str = ""
    """Where the source's QEMU connects to: tcp://ADDRESS[:PORT]."""
    peer_uri: str = ""
    """Libvirt URI by which the source host reaches the target, for peer-to-peer."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a migration is: bytes sent and left, the pass over memory that it is at."""

    processed: int
    remaining: int
    dirty_bytes_per_second: int = 0
    iteration: int = 0
    throttle_percent: int = 0
    """How much auto-converge slows the guest down."""

    @property
    def total(self) -> int:
        """Bytes that will have been sent, as it looks now: grows where the guest writes faster than is sent."""
        return self.processed + self.remaining


@dataclass(frozen=True, slots=True)
class Sight:
    """What a host says of a domain. Not defined and not active: it doesn't know it."""

    active: bool
    defined: bool
    state: VMState = VMState.UNKNOWN
    incoming: bool = False
    """Active, but not yet a machine: it waits for a migration to arrive."""
    held_by_migration: bool = False
    """Paused at the end of its outgoing migration, which nobody has confirmed."""
    busy: bool = False
    """Some job (migration, backup) works on it."""


ABSENT = Sight(active=False, defined=False, state=VMState.OFF)


def migration_address(uri: str) -> str:
    """Return the migration URI that a target's libvirt URI suggests; empty where it names no host."""
    host = parse_uri(uri).host
    if not host:
        return ""
    return f"tcp://[{host}]" if ":" in host else f"tcp://{host}"


def peer_address(uri: str) -> str:
    """Return the URI by which the source host reaches the target: without what names files of this machine."""
    given = parse_uri(uri)
    return given.with_parameters([pair for pair in given.parameters if pair[0] not in _FILES_OF_THIS_MACHINE])


class LiveMigration:
    """A running domain on its way, in a thread of its own with connections of its own; made and started by `start`."""

    def __init__(self, source: Host, target: Host, uuid: str, options: LiveOptions, *, open_deadline: float) -> None:
        self.source = source
        self.target = target
        self._uuid = uuid
        self._options = options
        self._open_deadline = open_deadline
        self._ended = threading.Event()
        self._error: DriverError | None = None
        self._to: HostConnection | None = None
        self._source_clients: tuple[int, ...] = ()
        self._thread = threading.Thread(target=self._run, name=f"migration to {target.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the call; tells whether it has ended."""
        return self._ended.wait(seconds)

    @property
    def began(self) -> bool:
        """Whether it has been started, so that something may have come of it."""
        return self._thread.ident is not None

    @property
    def succeeded(self) -> bool:
        """Whether the call has ended, and libvirt says that the domain has moved."""
        return self._ended.is_set() and self._error is None

    @property
    def error(self) -> DriverError | None:
        """Why it failed; None where it didn't, or has not ended."""
        return self._error

    @property
    def target_is_lost(self) -> bool:
        """Whether the connection to the target has broken while the call goes on."""
        to = self._to
        return to is not None and not self._ended.is_set() and not to.is_alive()  # asks nobody: no second call

    def part_from_source(self) -> bool:
        """Cut the call off from the source, so that it can't tell it to go on; tells whether that could be done.

        At the end of a migration libvirt's client asks the target to start the guest; where no answer comes, it has the
        source go on. But a target that was only hung does what it was asked as soon as it wakes: two would run. Cut
        off, the source keeps the guest paused. Only an ssh client of its own can be ended, and peer to peer it is the
        source's own libvirt that asks.
        """
        if self._ended.is_set() or self._options.mode is not MigrationMode.CLIENT:
            return False
        clients, self._source_clients = self._source_clients, ()
        for client in clients:
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(client)
                try:
                    if client in ssh_children(self._thread.native_id or 0):  # and of no other process since
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                finally:
                    os.close(handle)
        return bool(clients)

    def give_up(self) -> None:
        """Free a thread whose call doesn't end, by ending its own ssh clients; what has none is left behind."""
        if self._thread.native_id is not None and not self._ended.is_set():
            end_ssh_children(self._thread.native_id)

    def _run(self) -> None:
        outcome: DriverError | None = DriverError(self.source.name, "internal error while migrating")
        try:
            self._work()
            outcome = None
        except DriverError as error:
            outcome = error
        finally:  # a bug's trace goes to the thread's hook, and nobody waits in vain
            self._error = outcome
            self._ended.set()

    def _work(self) -> None:
        with job_connection(self.source, self._open_deadline) as source:
            self._source_clients = ssh_children(threading.get_native_id())
            if self._options.mode is not MigrationMode.CLIENT:
                self._call(source, None)
                return
            with job_connection(self.target, self._open_deadline) as target:
                self._to = target
                try:
                    self._call(source, target)
                finally:
                    self._to = None

    def _call(self, source: HostConnection, target: HostConnection | None) -> None:
        options = self._options
        parameters: dict[str, Any] = {}
        if options.migrate_uri and options.mode is not MigrationMode.TUNNELLED:
            parameters[libvirt.VIR_MIGRATE_PARAM_URI] = options.migrate_uri
        if options.bandwidth:
            parameters[libvirt.VIR_MIGRATE_PARAM_BANDWIDTH] = options.bandwidth
        if options.copy_disks:
            parameters[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = list(options.copy_disks)
        try:
            domain = source.handle.lookupByUUIDString(self._uuid)
            if target is not None:
                domain.migrate3(target.handle, parameters, _flags(options))
            else:
                domain.migrateToURI3(options.peer_uri or peer_address(self.target.uri), parameters, _flags(options))
        except libvirt.libvirtError as error:
            if target is not None and source.is_alive() and not target.is_alive():
                raise target.failed(error, "migrate to it") from error
            raise source.failed(error, f"migrate to {self.target.name}") from error


def _flags(options: LiveOptions) -> int:
    chosen = {
        libvirt.VIR_MIGRATE_LIVE: True,
        libvirt.VIR_MIGRATE_PERSIST_DEST: options.persistent,
        libvirt.VIR_MIGRATE_UNDEFINE_SOURCE: options.persistent,
        libvirt.VIR_MIGRATE_PEER2PEER: options.mode is not MigrationMode.CLIENT,
        libvirt.VIR_MIGRATE_TUNNELLED: options.mode is MigrationMode.TUNNELLED,
        libvirt.VIR_MIGRATE_TLS: options.tls,
        libvirt.VIR_MIGRATE_UNSAFE: options.unsafe,
        libvirt.VIR_MIGRATE_NON_SHARED_DISK: bool(options.copy_disks),
        libvirt.VIR_MIGRATE_AUTO_CONVERGE: options.auto_converge,
        libvirt.VIR_MIGRATE_ABORT_ON_ERROR: True,
    }
    return sum(int(flag) for flag, wanted in chosen.items() if wanted)


def end_remnant(connection: HostConnection, uuid: str) -> None:
    """End what a migration left paused at its source, where the target surely has the domain. Raises DriverError.

    One that is not paused any more is left alone.
    """
    if see(connection, uuid).state is not VMState.PAUSED:
        return
    try:
        connection.handle.lookupByUUIDString(uuid).destroy()
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise connection.failed(error, "end what was left of a migration") from error


def tidy_source(connection: HostConnection, uuid: str) -> bool:
    """Undefine a domain that has moved away, where a definition was left; never one that is active. Raises DriverError.

    Tells whether there was one. Its UEFI variables stay: they are not ours to delete.
    """
    try:
        domain = connection.handle.lookupByUUIDString(uuid)
        if domain.isActive() or not domain.isPersistent():
            return False
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise connection.failed(error, "undefine what has moved away") from error
    return True


def set_autostart(connection: HostConnection, uuid: str) -> None:
    """Have a domain started with its host: libvirt doesn't take that along. Raises DriverError."""
    try:
        connection.handle.lookupByUUIDString(uuid).setAutostart(1)
    except libvirt.libvirtError as error:
        raise connection.failed(error, "set autostart") from error


def job_progress(connection: HostConnection, uuid: str) -> JobProgress | None:
    """Ask how far a domain's job is; None where it has none, or is gone. Raises DriverError."""
    try:
        fields = connection.handle.lookupByUUIDString(uuid).jobStats()
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return None
        raise connection.failed(error, "ask how far it is") from error
    if fields.get("type", libvirt.VIR_DOMAIN_JOB_NONE) not in (
        libvirt.VIR_DOMAIN_JOB_BOUNDED,
        libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
    ):
        return None
    page = int(fields.get(libvirt.VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, 4096))
    return JobProgress(
        processed=int(fields.get(libvirt.VIR_DOMAIN_JOB_DATA_PROCESSED, 0)),
        remaining=int(fields.get(libvirt.VIR_DOMAIN_JOB_DATA_REMAINING, 0)),
        dirty_bytes_per_second=int(fields.get(libvirt.VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, 0)) * page,
        iteration=int(fields.get(libvirt.VIR_DOMAIN_JOB_MEMORY_ITERATION, 0)),
        throttle_percent=int(fields.get(libvirt.VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, 0)),
    )


def abort_job(connection: HostConnection, uuid: str) -> bool:
    """End the job of a domain; tells whether there was one to end. Raises DriverError."""
    try:
        connection.handle.lookupByUUIDString(uuid).abortJob()
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return False
        raise connection.failed(error, "end the migration") from error
    return True


def see(connection: HostConnection, uuid: str) -> Sight:
    """Look at a domain as the host has it now. Raises DriverError."""
    try:
        domain = connection.handle.lookupByUUIDString(uuid)
        active, defined = bool(domain.isActive()), bool(domain.isPersistent())
        number, reason = domain.state()
        job = _job(domain) if active else _Job.NONE
        return Sight(
            active=active,
            defined=defined,
            state=VM_STATES.get(number, VMState.UNKNOWN),
            incoming=job is _Job.INCOMING,
            held_by_migration=number == libvirt.VIR_DOMAIN_PAUSED
            and reason in (libvirt.VIR_DOMAIN_PAUSED_MIGRATION, libvirt.VIR_DOMAIN_PAUSED_POSTCOPY),
            busy=job is not _Job.NONE,
        )
    except libvirt.libvirtError as error:
        if is_gone(error):
            return ABSENT
        raise connection.failed(error, "look at a VM") from error


class _Job(Enum):
    NONE = 0
    SOME = 1
    INCOMING = 2


def _job(domain: Any) -> _Job:
    try:
        idle = domain.jobInfo()[0] == libvirt.VIR_DOMAIN_JOB_NONE
    except libvirt.libvirtError as error:
        match error.get_error_code():
            case libvirt.VIR_ERR_OPERATION_UNSUPPORTED:  # "available only on the source host"
                return _Job.INCOMING
            case libvirt.VIR_ERR_OPERATION_INVALID | libvirt.VIR_ERR_NO_SUPPORT:
                return _Job.NONE
            case _:
                raise
    return _Job.NONE if idle else _Job.SOME
