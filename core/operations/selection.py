"""Narrows a fleet down to what an administrator named."""

from collections.abc import Iterable

from core.config.model import Configuration
from core.errors import UsageError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot
from core.text import nearest, printable


def check_known(kind: str, wanted: str | None, known: Iterable[str]) -> None:
    """Raise UsageError for a name that doesn't exist, saying which was probably meant; None is fine."""
    names = list(dict.fromkeys(known))
    if wanted is None or wanted in names:
        return
    near = nearest(wanted, names)
    hint = f"did you mean {near!r}?" if near else f"known: {', '.join(sorted(names)) or 'none'}"
    message = f"no {kind} {wanted!r}"
    raise UsageError(message, hint=hint)


def only(fleet: Fleet, configuration: Configuration, *, realm: str | None = None, host: str | None = None) -> Fleet:
    """Keep the hosts of one realm, or one host; raises UsageError for a name that doesn't exist."""
    check_known("realm", realm, configuration.realms)
    check_known("host", host, (snapshot.name for snapshot in fleet.hosts))
    return Fleet(
        fleet.taken,
        tuple(
            snapshot
            for snapshot in fleet.hosts
            if realm in (None, snapshot.host.realm) and host in (None, snapshot.name)
        ),
    )


def finds(wanted: str, fleet: Fleet) -> bool:
    """Return whether HOST/NAME is a VM of a host that answers: whatever other hosts have, no other VM is meant."""
    return any(
        snapshot.connection is Connection.CONNECTED and any(wanted == f"{vm.host}/{vm.name}" for vm in snapshot.vms)
        for snapshot in fleet.hosts
    )


def find_vm(fleet: Fleet, wanted: str) -> tuple[HostSnapshot, VM]:
    """Find the VM that NAME, HOST/NAME or a UUID means, with its host as last seen.

    Raises UsageError where there is none (naming near ones, and the hosts that could not be asked), or where the word
    fits several: they are listed. A VM in the midst of a migration is on two hosts, and is named by HOST/NAME then.
    """
    found = [
        (snapshot, vm)
        for snapshot in fleet.hosts
        for vm in snapshot.vms
        if wanted in (vm.name, vm.uuid, f"{vm.host}/{vm.name}", f"{vm.host}/{vm.uuid}")
    ]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{vm.host}/{vm.name} ({vm.uuid})" for _, vm in found)
        raise UsageError(
            f"{printable(wanted)!r} matches {len(found)} VMs: {printable(listed)}", hint="use HOST/NAME or a UUID"
        )
    host, slash, name = wanted.partition("/")
    elsewhere = [vm.host for vm in fleet.vms() if slash and name in (vm.name, vm.uuid) and vm.host != host]
    near = nearest(wanted, sorted({vm.name for vm in fleet.vms()}))
    hint = f"did you mean {near!r}?" if near else ""
    if elsewhere:
        hint = f"{name} is on {', '.join(elsewhere)}"
    silent = unasked(fleet)
    if silent:
        hint = f"{hint}; {silent}" if hint else silent
    raise UsageError(f"no VM {printable(wanted)!r}", hint=printable(hint))


def unasked(fleet: Fleet) -> str:
    """Return which hosts of a fleet have never answered, and why; empty where all have, but those that are disabled."""
    reasons: dict[str, list[str]] = {}
    for host in fleet.hosts:
        if host.host.state.connects and not host.is_known:
            reasons.setdefault(host.error or "no answer in time", []).append(host.name)
    return "; ".join(f"{', '.join(names)} did not answer: {reason}" for reason, names in reasons.items())
