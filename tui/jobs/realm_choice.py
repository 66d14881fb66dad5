"""The realm that something is done in, where that can be only one."""

from collections.abc import Iterable

from core.fleet.fleet import HostSnapshot
from core.realms import Realm
from tui.context import AppContext


def one_realm(realms: AppContext, chosen: Iterable[HostSnapshot]) -> Realm | None:
    """Return the enabled realm of the chosen hosts; tells why where there isn't exactly one."""
    ids = sorted({snapshot.host.realm for snapshot in chosen})
    if len(ids) > 1:
        realms.tell(f"Choose hosts of one realm; these belong to {', '.join(ids)}.", "warning")
        return None
    realm = realms.session.configuration.realms.get(ids[0]) if ids else None
    if ids and (realm is None or realm.disabled):
        realms.tell(f"Realm {ids[0]} is {'disabled' if realm else 'not in the configuration'}.", "warning")
        return None
    return realm
