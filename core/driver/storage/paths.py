"""From the path of a file to the volume and the pool that it lies in.

Libvirt knows a pool as it was when it was last refreshed: a volume that came with a migration, or that another host
made, is none until then.
"""

import posixpath

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.storage.pool_setup import PoolFacts, look_up_pool, same_place
from core.driver.storage.pools import list_pools
from core.driver.storage.volumes import Volume, refreshed
from core.fleet.fleet import PoolState


def volume_of_path(connection: HostConnection, path: str) -> tuple[str, str] | None:
    """Find the pool and the name of the volume at a path; None where it is no volume of an active pool.

    A pool whose folder holds the path is refreshed where it doesn't list it. Raises DriverError.
    """
    found = _known(connection, path)
    if found is None and path:
        for pool, state in list_pools(connection).items():
            if state is PoolState.ACTIVE and holds(look_up_pool(connection, pool), path):
                refreshed(connection, pool, or_stale=True)
                return _known(connection, path)
    return found


def holds(pool: PoolFacts, path: str) -> bool:
    """Return whether a path is directly in the folder of a pool, by its text."""
    return bool(pool.path) and same_place(posixpath.dirname(path), pool.path)


def unlisted_volume(connection: HostConnection, pool: str, path: str) -> Volume | None:
    """Return the volume that a path in a pool's folder would be, of unknown size; None where it lies elsewhere.

    For what has to be asked for although the pool doesn't list it: it is inactive, or the file is gone on this host.
    """
    if not holds(look_up_pool(connection, pool), path):
        return None
    return Volume(pool=pool, name=posixpath.basename(path), path=path, format="", capacity=0, allocation=0)


def why_unlisted(connection: HostConnection, pool: str) -> str:
    """Return why a pool doesn't list a path in its folder."""
    state = look_up_pool(connection, pool).state
    return "it is not there" if state is PoolState.ACTIVE else f"pool {pool} is {state.value}"


def _known(connection: HostConnection, path: str) -> tuple[str, str] | None:
    try:
        volume = connection.handle.storageVolLookupByPath(path)
        return str(volume.storagePoolLookupByVolume().name()), str(volume.name())
    except libvirt.libvirtError as error:
        if not connection.is_alive():
            raise connection.failed(error, f"look for the volume at {path}") from error
        return None
