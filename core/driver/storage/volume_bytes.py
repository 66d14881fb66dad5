"""A volume's own bytes, and the space that it takes now: asked without looking at its pool again."""

from typing import Any

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import says_being_made
from core.driver.storage.volumes import PoolBusy, connection_errors, discard_volume


def read_head(connection: HostConnection, pool: str, name: str, length: int) -> bytes | None:
    """Read the first bytes of a volume; None where the host's driver can't read any. Raises DriverError."""
    with connection_errors(connection, f"read {name} in pool {pool}"):
        volume = connection.handle.storagePoolLookupByName(pool).storageVolLookupByName(name)
        try:
            return read_bytes(connection, volume, length)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                return None
            raise


def read_bytes(connection: HostConnection, volume: Any, most: int) -> bytes:
    """Read the first bytes of libvirt's volume, as they are, up to `most`. Raises libvirt's errors."""
    stream = connection.handle.newStream(0)
    pieces: list[bytes] = []
    volume.download(stream, 0, most, 0)
    while piece := stream.recv(1 << 16):
        pieces.append(piece)
    stream.finish()
    return b"".join(pieces)[:most]


def allocation_now(connection: HostConnection, pool: str, name: str) -> int | None:
    """Return the bytes that a volume takes, also while it is being made; None where it is not there.

    Raises DriverError.
    """
    with connection_errors(connection, f"look at {name} in pool {pool}"):
        try:
            volume = connection.handle.storagePoolLookupByName(pool).storageVolLookupByName(name)
            return int(volume.info()[2])
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
                return None
            raise


def available_in(connection: HostConnection, pool: str) -> int:
    """Return the bytes that are free in a pool, as of its last refresh. Raises DriverError."""
    with connection_errors(connection, f"ask for the free space of pool {pool}"):
        return int(connection.handle.storagePoolLookupByName(pool).info()[3])


def delete_known(connection: HostConnection, pool: str, name: str) -> None:
    """Delete a volume if it is there, without looking at the pool again unless libvirt doesn't know it.

    Libvirt can't look while a copy is made in the pool, and what has to be undone can't wait for that.
    Raises PoolBusy where it is this volume that is being made, or copied, and DriverError.
    """
    with connection_errors(connection, f"delete {name} from pool {pool}"):
        try:
            volume = connection.handle.storagePoolLookupByName(pool).storageVolLookupByName(name)
            volume.delete(libvirt.VIR_STORAGE_VOL_DELETE_NORMAL)
        except libvirt.libvirtError as error:
            if says_being_made(error):
                message = f"{name} in pool {pool} is still being created or copied, and libvirt cannot interrupt that"
                raise PoolBusy(connection.host, message, hint="try again when that has finished") from error
            if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
            discard_volume(connection, pool, name)
