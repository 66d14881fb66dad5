"""One job on many hosts at once: a thread and a connection for each, and what came of it for each."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from core.errors import Cancelled, DriverError, RealmsError, UsageError
from core.operations.selection import check_known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.hosts import Host
    from core.operations.workplace import Workplace
    from core.realms import Realm

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What came of a job on one host: a value, or the error that was met."""

    host: Host
    value: T | None = None
    error: RealmsError | None = None


def on_each(hosts: Sequence[Host], job: Callable[[Host], T]) -> tuple[Answer[T], ...]:
    """Do a job for each host, all at once, in daemon threads; gives the answers in the order of the hosts.

    Raises Cancelled when all have ended, where one of them was; other errors of the house are answers.
    """
    answers: dict[int, Answer[T]] = {}

    def work(number: int, host: Host) -> None:
        answers[number] = Answer(host, error=DriverError(host.name, "internal error"))
        try:
            answers[number] = Answer(host, job(host))
        except RealmsError as error:
            answers[number] = Answer(host, error=error)

    threads = [
        threading.Thread(target=work, args=(number, host), name=f"job on {host.name}", daemon=True)
        for number, host in enumerate(hosts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_order = tuple(answers[number] for number in range(len(threads)))
    for answer in in_order:
        if isinstance(answer.error, Cancelled):
            raise answer.error
    return in_order


def one_realm(workplace: Workplace, wanted: str | None) -> Realm:
    """Give the realm asked for, or the only one that isn't disabled. Raises UsageError."""
    realms = realms_of(workplace, wanted)
    if len(realms) > 1:
        names = ", ".join(sorted(realm.id for realm in realms))
        raise UsageError(f"there are {len(realms)} realms: {names}", hint="name one with --realm")
    return realms[0]


def realms_of(workplace: Workplace, wanted: str | None) -> tuple[Realm, ...]:
    """Give the realm asked for, or all that aren't disabled. Raises UsageError where there is none."""
    realms = workplace.configuration.realms
    check_known("realm", wanted, realms)
    if wanted is not None and realms[wanted].disabled:
        hint = "disabled = false in its file enables it"
        raise UsageError(f"realm {wanted!r} is disabled: it connects to nothing", hint=hint)
    chosen = tuple(realm for realm in realms.values() if not realm.disabled and wanted in (None, realm.id))
    if not chosen:
        raise UsageError("there is no realm that isn't disabled", hint="see realms show")
    return chosen


def realms_with(workplace: Workplace, wanted: str | None, hosts: Sequence[str]) -> tuple[Realm, ...]:
    """Give the realms asked for that have one of these hosts; all that are asked for where no host is named.

    Raises UsageError for a host that isn't there.
    """
    realms = realms_of(workplace, wanted)
    registered = {snapshot.name: snapshot.host.realm for snapshot in workplace.registered().hosts}
    for name in hosts:
        check_known("host", name, registered)
    named = {registered[name] for name in hosts}
    return tuple(realm for realm in realms if not hosts or realm.id in named) or realms


def hosts_of(workplace: Workplace, realm: Realm, wanted: Sequence[str] = ()) -> tuple[Host, ...]:
    """Give the hosts of a realm, or those of them that are wanted, sorted by name; disabled ones too.

    Raises UsageError for a saved fleet, and where there is no such host.
    """
    if not workplace.is_live:
        raise UsageError("a saved fleet has no hosts that could be asked", hint="leave out --fleet")
    hosts = tuple(snapshot.host for snapshot in workplace.registered().hosts if snapshot.host.realm == realm.id)
    if not hosts:
        raise UsageError(f"realm {realm.id!r} has no hosts", hint="realms hosts add")
    chosen = tuple(host for host in hosts if not wanted or host.name in wanted)
    if not chosen:
        raise UsageError(
            f"no host of realm {realm.id!r} is named", hint=f"its hosts: {', '.join(h.name for h in hosts)}"
        )
    return chosen
