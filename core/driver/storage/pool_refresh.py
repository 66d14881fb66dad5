"""Have libvirt look again at what lies in a pool, without losing the pool by it."""

from typing import Any

import libvirt

from core.driver.connection.errors import says_busy

_ATTEMPTS = 3


def refresh(pool: Any) -> None:
    """Refresh an active pool; raises libvirtError.

    Libvirt stops a pool, and unmounts what it mounted for it, where looking fails; for that it is enough that another
    host deletes a volume between its listing and its reading. A pool that was stopped so is started again, which looks
    anew. What fails still is raised, and the pool is then as libvirt left it.
    """
    first: libvirt.libvirtError | None = None
    for _ in range(_ATTEMPTS):
        was_active = pool.isActive()
        try:
            if first is None:
                pool.refresh(0)
            else:
                pool.create(0)
        except libvirt.libvirtError as error:
            first = first or error
            if says_busy(error) or (first is error and (not was_active or pool.isActive())):
                raise first from None
        else:
            return
    if first is not None:
        raise first
