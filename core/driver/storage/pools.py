"""State of a realm's storage pools on one host (specification, sections 6 and 10)."""

from collections.abc import Mapping

import libvirt

from core.driver.connection.connection import HostConnection
from core.fleet.fleet import PoolState
from core.realms import Realm


def list_pools(connection: HostConnection) -> dict[str, PoolState]:
    """Ask for all pools of a host by name, in two calls: asking each whether it is active would be one for each."""
    pools: dict[str, PoolState] = {}
    try:
        for flag, state in (
            (libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, PoolState.INACTIVE),
            (libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, PoolState.ACTIVE),
        ):
            for pool in connection.handle.listAllStoragePools(flag):
                pools[str(pool.name())] = state
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask for its storage pools") from error
    return pools


def realm_pools(realm: Realm, on_host: Mapping[str, PoolState]) -> dict[str, PoolState]:
    """Pick the realm's four pools, under the names that they have on this host."""
    return {name: on_host.get(name, PoolState.MISSING) for name in realm.pools_among(on_host)}
