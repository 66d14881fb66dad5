"""What a host says about itself, held against its description: hardware profile and realm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.driver.hosts.probe import HostReport
from core.errors import DriverError, HostRefused, UsageError
from core.fleet.fleet import PoolState
from core.hardware import HardwareProfile
from core.operations.hosts.fanout import map_items
from core.operations.session import Session
from core.realms import Realm
from core.units import show_size
from core.uris import parse_uri

MEMORY_TOLERANCE = 0.05
"""Part of the memory by which a host may differ from its profile: firmware and kernel keep some for themselves."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One host or URI that was asked: either its report, or the error that was met."""

    name: str
    """Name in the registry; empty for a bare URI."""
    uri: str
    profile: HardwareProfile | None = None
    realm: Realm | None = None
    report: HostReport | None = None
    error: DriverError | None = None
    twins: tuple[str, ...] = ()
    """Others that were asked with it and turned out to be the same machine."""

    @property
    def label(self) -> str:
        """What an administrator called it."""
        return self.name or self.uri

    @property
    def remarks(self) -> tuple[str, ...]:
        """What differs from the description; empty where all fits, or nothing is known."""
        if self.report is None:
            return ()
        same = tuple(f"is the same machine as {twin} ({self.report.machine_uuid})" for twin in self.twins)
        return same + tuple(remarks(self.report, self.profile, self.realm))


def remarks(report: HostReport, profile: HardwareProfile | None, realm: Realm | None) -> Iterator[str]:
    """Compare a host's hardware with a profile, and its pools with those of a realm, where these are given."""
    if profile is not None and profile.cores != report.cores:
        yield f"profile {profile.id} has {profile.cores} cores, the host {report.cores}"
    if (
        profile is not None
        and abs(report.memory_bytes - profile.memory_bytes) > MEMORY_TOLERANCE * profile.memory_bytes
    ):
        real, described = show_size(report.memory_bytes), show_size(profile.memory_bytes)
        yield f"profile {profile.id} has {described} of memory, the host {real}"
    for pool in realm.pools if realm is not None else ():
        state = report.pools.get(pool, PoolState.MISSING)
        if state is not PoolState.ACTIVE:
            yield f"pool {pool} is {state.value}"


def examine(session: Session, wanted: Sequence[str], timeout: float) -> tuple[Examination, ...]:
    """Ask hosts by their names, and URIs, all at once; blocks up to `timeout` seconds for every AT_ONCE hosts.

    A URI that is registered is held against that host's description too. Without a registry only URIs are asked.
    Raises UnknownHost, or UsageError for a URI that is none, before anything is asked.
    """
    described = [_described(session, word) for word in wanted]
    return with_twins(map_items(described, lambda subject: _asked(session, subject, timeout)))


def with_twins(examinations: Sequence[Examination]) -> tuple[Examination, ...]:
    """Note in each which others are the same machine: its VMs would be counted twice."""
    return tuple(replace(each, twins=tuple(_twins(each, examinations))) for each in examinations)


def _twins(one: Examination, examinations: Sequence[Examination]) -> Iterator[str]:
    machine = one.report.machine_uuid if one.report is not None else None
    for other in examinations:
        if machine and other is not one and other.report is not None and other.report.machine_uuid == machine:
            yield other.label


def is_uri(word: str) -> bool:
    """Return a URI from the name of a host, which has no slash."""
    return "://" in word


def _described(session: Session, word: str) -> Examination:
    registry = session.registry
    if is_uri(word):
        try:
            uri = parse_uri(word).text
        except HostRefused as error:
            raise UsageError(error.message, hint=error.hint) from error
        registered = [each for each in registry.hosts() if each.uri == uri] if registry is not None else []
        if len(registered) != 1:  # of none, or of whichever of several
            return Examination("", uri)
        host = registered[0]
    elif registry is not None:
        host = registry.host(word)
    else:
        raise UsageError(f"no registry to look up host {word!r} in", hint="a URI needs no registry")
    configuration = session.configuration
    profile, realm = configuration.hardware_profiles.get(host.profile), configuration.realms.get(host.realm)
    return Examination(host.name, host.uri, profile, realm)


def _asked(session: Session, subject: Examination, timeout: float) -> Examination:
    try:
        return replace(subject, report=session.probe(subject.uri, timeout))
    except DriverError as error:
        return replace(subject, error=error)
