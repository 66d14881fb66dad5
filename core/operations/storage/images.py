"""Bricks and drives: uploaded and created (specification, section 9)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.content import Content
from core.driver.storage.pool_setup import PoolFacts
from core.driver.storage.volumes import (
    NewVolume,
    Volume,
    VolumeExists,
    create_volume,
    delete_volume,
    discard_volume,
    upload_volume,
    volume_names,
)
from core.errors import DriverError, UnreadableFile, UsageError
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.inputs import open_regular
from core.operations.hosts.fanout import map_hosts
from core.operations.storage.image_file import ImageFile, ImageRefused, examine, read_image
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.pool_setup import look_up_realm_pools
from core.operations.storage.usage import INCOMPLETE
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import DriveSettings, Realm
from core.units import show_size

DEADLINE = 30.0
"""Seconds that connecting to a host may take."""

_LONGEST_NAME = 200


def check_name(name: str) -> str:
    """Accept a name for a brick or drive; raises UsageError with the rule that it breaks."""
    if not name or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise UsageError(f"a name must have 1 to {_LONGEST_NAME} bytes")
    if "/" in name or name.startswith((".", "-")) or not name.isprintable() or name != name.strip():
        hint = "no slash, no leading dot or dash, no surrounding whitespace"
        raise UsageError(f"{name!r} is not a valid volume name", hint=hint)
    if name.endswith(INCOMPLETE):
        raise UsageError(f"names ending with {INCOMPLETE} mark volumes that are being created")
    return name


def check_drive_size(size: int, settings: DriveSettings) -> int:
    """Accept the size of a drive; raises UsageError where it is out of the realm's bounds (section 6)."""
    if settings.min_size is not None and size < settings.min_size:
        raise UsageError(f"{show_size(size)} is less than drives.min-size, {show_size(settings.min_size)}")
    if settings.max_size is not None and size > settings.max_size:
        raise UsageError(f"{show_size(size)} is more than drives.max-size, {show_size(settings.max_size)}")
    if size <= 0 or size % 512:
        raise UsageError(f"a drive cannot have {size} bytes", hint="use a multiple of 512 bytes")
    return size


def upload_brick(
    control: Control, realm: Realm, hosts: Sequence[Host], path: Path, *, name: str, deadline: float = DEADLINE
) -> Volume:
    """Upload a file as a brick through the first of the hosts that has the pool; qcow2 or raw, told by what is in it.

    Raises UsageError, UnreadableFile, ImageRefused, VolumeExists, DriverError, Cancelled; nothing is left behind then.
    """
    check_name(name)
    with control.step(StepKind.LOOK, f"check {path.name}") as step:
        image = read_image(path)
        step.detail(f"{image.format}, {show_size(image.size)}, a disk of {show_size(image.capacity)}")
    for warning in image.warnings:
        control.warn(warning)

    def make(connection: HostConnection, pool: str) -> Volume:
        with control.step(StepKind.COPY, f"upload {name}", connection.host) as step:
            step.progress(0, image.size)
            try:
                volume = _upload(connection, pool, name, path, lambda done: step.progress(done, image.size))
            except OSError as error:
                raise UnreadableFile(f"{path}: {(error.strerror or str(error)).lower()}") from error
        with control.step(StepKind.LOOK, f"check {name} there", connection.host):
            _check_uploaded(connection.host, image, volume)
        return volume

    host, pool = _find_host(control, realm, hosts, PoolRole.BRICKS, deadline)
    return _make_marked(control, host, pool.name, name, make, deadline=deadline)


def create_drive(
    control: Control, realm: Realm, hosts: Sequence[Host], name: str, *, size: int, deadline: float = DEADLINE
) -> Volume:
    """Create an empty drive through the first of the hosts that has the pool.

    It is qcow2 in either case: a guest writes all of a raw volume, its first bytes too, and could make it look like an
    overlay of a file of the host. With lazy allocation it grows; without it all space is taken at once.
    Raises UsageError, VolumeExists, DriverError, Cancelled; nothing is left behind then.
    """
    check_name(name)
    check_drive_size(size, realm.drives)
    new = NewVolume(name=name, capacity=size, format="qcow2", full=not realm.drives.lazy_allocation)

    def make(connection: HostConnection, pool: str) -> Volume:
        with control.step(StepKind.CREATE, f"create {name}", connection.host) as step:
            volume = create_volume(connection, pool, new)
            step.detail(f"{show_size(volume.capacity)}, {show_size(volume.allocation)} allocated")
            return volume

    host, pool = _find_host(control, realm, hosts, PoolRole.DRIVES, deadline)
    return _make_marked(control, host, pool.name, name, make, deadline=deadline)


def _make_marked(
    control: Control,
    host: Host,
    pool: str,
    name: str,
    make: Callable[[HostConnection, str], Volume],
    *,
    deadline: float,
) -> Volume:
    """Make a volume beside a mark that says that it is incomplete, so that nobody takes it for whole before it is.

    The mark is a file that only one can make, on whatever host: two that make the same volume can't both go on.
    """
    mark, mine = name + INCOMPLETE, control.branch()
    with job_connection(host, deadline) as connection:

        def clean(*names: str) -> None:
            if connection.is_alive():
                _discard(connection, pool, names)
            else:
                with job_connection(host, deadline) as another:
                    _discard(another, pool, names)

        names = volume_names(connection, pool)
        if mark in names:
            hint = "delete it if nothing is creating it"
            raise VolumeExists(host.name, f"{name} in pool {pool} is being created or incomplete", hint=hint)
        if name in names:
            raise VolumeExists(host.name, f"{name} already exists in pool {pool}")
        create_volume(connection, pool, NewVolume(name=mark, capacity=512, format="raw"))
        try:
            volume = make(connection, pool)
            delete_volume(connection, pool, mark)
        except VolumeExists:  # made by someone who knows no marks
            mine.on_failure(f"remove the mark of {name}", lambda: clean(mark), host.name)
            mine.undo_all()
            raise
        except BaseException:
            mine.on_failure(f"delete the incomplete {name}", lambda: clean(name, mark), host.name)
            mine.undo_all()
            raise
    return volume


def _discard(connection: HostConnection, pool: str, names: Sequence[str]) -> None:
    for name in names:
        discard_volume(connection, pool, name)


def _find_host(
    control: Control, realm: Realm, hosts: Sequence[Host], role: PoolRole, deadline: float
) -> tuple[Host, PoolFacts]:
    """Find the first host that has the pool active. Raises DriverError with what is wrong with all."""

    def look(host: Host) -> PoolFacts:
        with job_connection(host, deadline) as connection:
            facts = look_up_realm_pools(connection, realm, (role,))[role]
        if facts.state is not PoolState.ACTIVE:
            hint = "realms pools setup"
            raise DriverError(host.name, f"pool {facts.name} is {facts.state}", hint=hint)
        return facts

    with control.step(StepKind.PLACE, "choose a host") as step:
        answers = map_hosts([host for host in hosts if host.state.connects], look)
        for answer in answers:
            if answer.value is not None:
                step.detail(answer.host.name)
                return answer.host, answer.value
        reasons = "; ".join(str(answer.error) for answer in answers) or "all hosts are disabled"
        raise DriverError("", f"no host of realm {realm.id} can store it: {reasons}")


def _upload(connection: HostConnection, pool: str, name: str, path: Path, progress: Callable[[int], None]) -> Volume:
    with open_regular(path) as file:
        again = examine(file, str(path))  # the very file that is sent, should the path lead elsewhere by now
        return upload_volume(connection, pool, name, Content(file, again.size), progress)


def _check_uploaded(host: str, image: ImageFile, volume: Volume) -> None:
    """Compare what arrived with what was sent, as the host's libvirt understands it."""
    if volume.backing_path:
        raise ImageRefused(f"{host} reports that {volume.name} is an overlay of {volume.backing_path}")
    if image.format == "qcow2" and (volume.format, volume.capacity) != (image.format, image.capacity):
        arrived = f"{volume.format} of {volume.capacity} bytes"
        raise DriverError(host, f"{volume.name} is incomplete: {arrived}, expected {image.capacity} bytes of qcow2")
