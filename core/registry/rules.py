"""What the registry refuses, and what it warns of (specification, section 7)."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from core.config.model import Configuration
from core.errors import HostRefused, UnknownHost
from core.hosts import PORTS_PER_HOST, Host, check_name
from core.text import nearest
from core.uris import parse_uri

_MISDESCRIBED = 2
"""Exit code for a host whose description makes no sense by itself, as for other wrong usage."""


def check_host(
    host: Host, before: Host | None, others: Sequence[Host], configuration: Configuration
) -> tuple[str, ...]:
    """Refuse a host as it shall be, or give warnings.

    `before` is the host as it was, None for a new one: only what differs from it is checked, so that a host whose
    profile or realm is gone can still be changed. Raises HostRefused.
    """
    warnings: list[str] = []
    if before is None or host.name != before.name:
        warnings += _check_name(host, before, others)
    if before is None or host.uri != before.uri:
        warnings += _check_uri(host, others)
    if before is None or host.static_address != before.static_address:
        _check_static_address(host, others)
    realm = configuration.realms.get(host.realm)
    if realm is None:
        if before is None or host.realm != before.realm:
            raise _misdescribed(f"no realm {host.realm!r} is configured", suggestion(host.realm, configuration.realms))
        warnings.append(f"{host.name} is in realm {host.realm!r}, which is not configured: no VMs are scheduled there")
    elif realm.disabled and (before is None or host.realm != before.realm):
        warnings.append(f"realm {host.realm!r} is disabled: {host.name} is not connected to")
    if host.profile not in configuration.hardware_profiles:
        if before is None or host.profile != before.profile:
            profiles = configuration.hardware_profiles
            message = f"no hardware profile {host.profile!r} is configured"
            raise _misdescribed(message, suggestion(host.profile, profiles))
        warnings.append(f"{host.name} has the profile {host.profile!r}, which is not configured: it can't be scheduled")
    return tuple(warnings)


def find(name: str, hosts: Sequence[Host]) -> Host:
    """Find a host by its name; raises UnknownHost, which names the nearest."""
    for host in hosts:
        if host.name == name:
            return host
    hint = suggestion(name, [host.name for host in hosts]) if hosts else "no hosts registered: see realms hosts add"
    raise UnknownHost(f"no host named {name!r}", hint=hint)


def suggestion(wanted: str, known: Iterable[str]) -> str:
    """Return which of the known names was probably meant, or which there are."""
    names = sorted(known)
    if near := nearest(wanted, names):
        return f"did you mean {near!r}?"
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"known: {shown or 'none'}"


def _check_name(host: Host, before: Host | None, others: Sequence[Host]) -> Iterator[str]:
    try:
        check_name(host.name)
    except HostRefused as error:
        error.exit_code = _MISDESCRIBED
        raise
    if any(other.name == host.name for other in others):
        verb = "add" if before is None else "rename"
        raise HostRefused(f"can't {verb}: a host named {host.name!r} already exists", hint="host names must be unique")
    folded = _folded(host.name)
    for other in others:
        if _folded(other.name) == folded:
            yield f"{host.name!r} and {other.name!r} are easily confused"


def _check_uri(host: Host, others: Sequence[Host]) -> Iterator[str]:
    try:
        uri = parse_uri(host.uri)
    except HostRefused as error:
        error.exit_code = _MISDESCRIBED
        raise
    yield from uri.warnings
    machine = _machine(host.uri)
    for other in others:
        if other.uri == host.uri:
            yield f"{other.name} has the same URI: its VMs would be counted twice"
        elif (
            machine is not None
            and ("%" in other.uri or machine[1] in other.uri.lower())
            and machine == _machine(other.uri)
        ):
            yield f"{other.name} seems to be the same machine ({other.uri}): its VMs would be counted twice"


def _check_static_address(host: Host, others: Sequence[Host]) -> None:
    if host.static_address is None:
        return
    taken = [
        other for other in others if other.static_address and host.static_address.clashes_with(other.static_address)
    ]
    if taken:
        message = (
            f"static address {host.static_address} clashes with {taken[0].name}, which has {taken[0].static_address}"
        )
        hint = f"base ports of one address must be at least {PORTS_PER_HOST} apart"
        raise HostRefused(message, hint=hint + _free_port(host, others))


def _free_port(host: Host, others: Sequence[Host]) -> str:
    """Name the next base port that clashes with no host."""
    wanted = host.static_address
    if wanted is None:
        return ""
    taken = {
        other.static_address.base_port
        for other in others
        if other.static_address and other.static_address.address == wanted.address
    }
    highest = 65536 - PORTS_PER_HOST
    for port in sorted(base + PORTS_PER_HOST for base in taken):
        if wanted.base_port <= port <= highest and all(abs(port - base) >= PORTS_PER_HOST for base in taken):
            return f": {port} is free"
    return ""


def _machine(uri: str) -> tuple[str, str, int | None, str] | None:
    """Return what a URI reaches, whatever the user and the transport; None for what isn't remote."""
    try:
        parts = parse_uri(uri)
    except HostRefused:
        return None
    return (parts.driver, parts.host.lower().rstrip("."), parts.port, parts.path) if parts.host else None


def _misdescribed(message: str, hint: str) -> HostRefused:
    error = HostRefused(message, hint=hint)
    error.exit_code = _MISDESCRIBED
    return error


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFKC", name).casefold()
