"""What may be done with volumes that something uses: nothing where that is certain, and on request where it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.codes import ErrorCode
from core.driver.storage.volumes import Volume
from core.errors import RealmsError
from core.hosts import Host
from core.operations.session import Session
from core.operations.storage.host_facts import StorageFacts, ask_hosts, ask_other_realms
from core.operations.storage.users import UseKind, Users, VolumeUser, unasked_about, wanted
from core.operations.tasks.task import Control
from core.realms import Realm
from core.text import printable


class VolumeNotFree(RealmsError):
    """Nothing was done with volumes, or pools, as something uses them or may. `found` says what uses which."""

    def __init__(self, message: str, found: Sequence[VolumeUsers] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.found = tuple(found)


class VolumeInUse(VolumeNotFree):
    """Something certainly uses one."""

    code = ErrorCode.VOLUME_IN_USE


class VolumeUseUnknown(VolumeNotFree):
    """It is unknown whether something uses one, as where a host can't be asked."""

    code = ErrorCode.VOLUME_USE_UNKNOWN


@dataclass(frozen=True, slots=True)
class VolumeUsers:
    """Who uses a volume, or may use it. `what` names it, as `drive data`."""

    what: str
    users: tuple[VolumeUser, ...]


@dataclass(frozen=True, slots=True)
class VolumeUses:
    """What the hosts told of volumes: who uses each, and which hosts could not be asked, and why."""

    facts: StorageFacts
    found: tuple[VolumeUsers, ...]
    unasked: Mapping[str, str]


def ask_who_uses(
    session: Session,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    volumes: Sequence[Volume],
    *,
    deadline: float,
    what: str = "",
    but: tuple[str, str] | None = None,
    overlays_by: str = "",
    overlays_far: bool = False,
) -> VolumeUses:
    """Ask the hosts of a realm, disabled ones too, and those of others who uses volumes; `what` they are called.

    `but` is a VM that does not count, by host and UUID. Overlays are looked for by one host of the realm where it is
    named, and by those of other realms only if `overlays_far`.
    """
    others = ask_other_realms(session, realm.id, deadline, contents=overlays_far, in_lanes=True)
    facts = ask_hosts(control, realm, hosts, deadline, contents=(overlays_by,), others=others)
    sought = [wanted(facts, volume) for volume in volumes]
    users = Users(facts)
    found = (VolumeUsers(f"{what}{printable(each.name)}", users.of(each, but=but)) for each in sought)
    pools = {volume.pool for volume in volumes}
    return VolumeUses(facts, tuple(found), unasked_about(facts, sought if overlays_far else (), pools=pools))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What does not stand in the way. What is certain always does."""

    off: bool = False
    """VMs that are off: a volume is not to be deleted, only kept from two that run."""
    possible: bool = False
    """Those that may use it."""
    agreed: Collection[str] | None = None
    """Where given, in words, only these of them."""
    unasked: bool = False
    """Hosts that could not be asked."""


def ensure_unused(
    found: Sequence[VolumeUsers], unasked: Mapping[str, str], allow: Allow, *, hint: str = "", unknown_hint: str = ""
) -> tuple[str, ...]:
    """Return what was passed over, in words. Raise VolumeInUse, or VolumeUseUnknown where that can't be verified."""
    if used := say_in_use(found, off=not allow.off):
        raise VolumeInUse(used, found, hint=hint)
    doubts = [
        f"{each.what} may be in use by {user}" for each, user in _possible(found, allow) if not _agreed(user, allow)
    ]
    if unasked and not allow.unasked:
        doubts.insert(0, say_unasked(unasked))
    if doubts:
        names = ", ".join(each.what for each in found)
        message = f"can't verify that {names} {'is' if len(found) == 1 else 'are'} not in use; {'; '.join(doubts)}"
        raise VolumeUseUnknown(message, found, hint=unknown_hint)
    return (
        *((say_unasked(unasked),) if unasked else ()),
        *(f"{each.what} may be in use by {user}" for each, user in _possible(found, allow)),
        *(
            f"{each.what} also belongs to {user}"
            for each in found
            for user in each.users
            if _is_off(user) and allow.off
        ),
    )


def say_in_use(found: Sequence[VolumeUsers], *, off: bool = True) -> str:
    """Return what certainly uses each; empty where nothing does. `off`: VMs that are off count too."""
    used = (
        (each.what, [str(user) for user in each.users if user.keeps and (off or not _is_off(user))]) for each in found
    )
    return "; ".join(f"{what} is in use by {'; '.join(users)}" for what, users in used if users)


def say_doubts(found: Sequence[VolumeUsers], unasked: Mapping[str, str]) -> str:
    """Return why it is unknown whether they are in use; empty where all is known."""
    possible = (f"{each.what} may be in use by {user}" for each in found for user in each.users if user.may_need_it)
    return "; ".join((*((say_unasked(unasked),) if unasked else ()), *possible))


def say_reasons(unasked: Mapping[str, str]) -> str:
    """Return which hosts could not be asked, each with its reason."""
    return "; ".join(f"{host}: {reason}" for host, reason in unasked.items())


def say_unasked(unasked: Mapping[str, str]) -> str:
    """Return which hosts were not asked, and why."""
    return f"not asked: {say_reasons(unasked)}"


def _is_off(user: VolumeUser) -> bool:
    return user.keeps and user.kind is UseKind.DISK and user.active is False


def _possible(found: Sequence[VolumeUsers], allow: Allow) -> Iterator[tuple[VolumeUsers, VolumeUser]]:
    for each in found:
        for user in each.users:
            if user.may_need_it and (user.active is not False or not allow.off or user.kind is UseKind.OPERATION):
                yield each, user


def _agreed(user: VolumeUser, allow: Allow) -> bool:
    return allow.possible and (allow.agreed is None or user.certain or str(user) in allow.agreed)
