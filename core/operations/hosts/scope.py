"""The realms and the hosts that a request is about."""

from collections.abc import Sequence

from core.errors import UsageError
from core.hosts import Host
from core.operations.selection import check_known
from core.operations.session import Session
from core.realms import Realm


def one_realm(session: Session, wanted: str | None) -> Realm:
    """Return the realm asked for, or the only one that isn't disabled. Raises UsageError."""
    realms = realms_of(session, wanted)
    if len(realms) > 1:
        names = ", ".join(sorted(realm.id for realm in realms))
        raise UsageError(f"there are {len(realms)} realms: {names}", hint="choose one with --realm")
    return realms[0]


def realms_of(session: Session, wanted: str | None) -> tuple[Realm, ...]:
    """Return the realm asked for, or all that aren't disabled. Raises UsageError where there is none."""
    realms = session.configuration.realms
    check_known("realm", wanted, realms)
    if wanted is not None and realms[wanted].disabled:
        hint = "disabled = false in its file enables it"
        raise UsageError(f"realm {wanted!r} is disabled: it connects to nothing", hint=hint)
    chosen = tuple(realm for realm in realms.values() if not realm.disabled and wanted in (None, realm.id))
    if not chosen:
        raise UsageError("all realms are disabled", hint="see realms show")
    return chosen


def realms_and_hosts(
    session: Session, wanted: str | None, names: Sequence[str]
) -> tuple[tuple[Realm, tuple[Host, ...]], ...]:
    """Give the realm asked for, or all that aren't disabled and have hosts, with their hosts, or those that are named.

    Raises UsageError for a host that isn't there, for a saved fleet, and where no host is left.
    """
    chosen = []
    for realm in realms_of(session, wanted):
        hosts = _hosts(session, realm)
        if wanted is None and not hosts:
            continue
        chosen.append((realm, tuple(host for host in hosts if not names or host.name in names)))
    known = [host.name for _, hosts in chosen for host in hosts]
    for name in names:
        if name not in known:
            check_known("host", name, [host.name for realm, _ in chosen for host in _hosts(session, realm)])
    with_hosts = tuple((realm, hosts) for realm, hosts in chosen if hosts)
    if not with_hosts:
        raise UsageError("no hosts registered", hint="realms hosts add")
    return with_hosts


def hosts_of(session: Session, realm: Realm, wanted: Sequence[str] = ()) -> tuple[Host, ...]:
    """Return the hosts of a realm, or those of them that are wanted, sorted by name; disabled ones too.

    Raises UsageError for a saved fleet, and where there is no such host.
    """
    hosts = _hosts(session, realm)
    for name in wanted:
        check_known(f"host in realm {realm.id},", name, [host.name for host in hosts])
    if not hosts:
        raise UsageError(f"realm {realm.id!r} has no hosts", hint="realms hosts add")
    return tuple(host for host in hosts if not wanted or host.name in wanted)


def _hosts(session: Session, realm: Realm) -> tuple[Host, ...]:
    if not session.is_live:
        raise UsageError("a saved fleet has no hosts to ask", hint="leave out --fleet")
    return tuple(snapshot.host for snapshot in session.registered().hosts if snapshot.host.realm == realm.id)
