"""`realms doctor`: everything that a host needs, checked, with how to mend what is missing. Changes nothing."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from core.clock import Clock
from core.codes import Check
from core.config.model import Configuration
from core.driver.hosts.survey import HostSurvey, client_version
from core.errors import UsageError
from core.hardware import HardwareProfile
from core.hosts import Host
from core.operations.doctor.contact import reach, read_uri
from core.operations.doctor.fleet import check_twins, compare_realm
from core.operations.doctor.hardware import check_profile
from core.operations.doctor.host import check_client, check_software
from core.operations.doctor.realm import check_filter, check_network, check_pools, check_translation
from core.operations.doctor.space import count_space
from core.operations.doctor.ssh import check_keys, check_peers
from core.operations.findings import Checkup, Diagnosis, Finding, in_order, in_words
from core.operations.hosts.fanout import map_items
from core.operations.session import Session
from core.operations.ssh.login import SshTarget
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import Realm
from core.text import natural, shell_command
from core.uris import ConnectionUri

HOST_SECONDS = 20.0
"""How long each host may take by default."""


@dataclass(frozen=True, slots=True)
class HostTarget:
    """A host that is visited, with what it is described as; None where the configuration doesn't have it."""

    host: Host
    realm: Realm | None
    profile: HardwareProfile | None
    peers: tuple[SshTarget, ...] = ()
    """The realm's other hosts that are reached by ssh."""

    @property
    def uri(self) -> ConnectionUri | None:
        """The host's URI as understood; None where the registry holds one that is refused by now."""
        return read_uri(self.host.uri)

    @property
    def target(self) -> SshTarget | None:
        """Where its login goes; None where libvirt does not use the ssh program."""
        uri = self.uri
        return SshTarget.of(uri) if uri is not None else None


@dataclass(frozen=True, slots=True)
class HostDiagnosis:
    """What was found at one host. `survey` is None where its libvirt did not answer."""

    patient: HostTarget
    findings: tuple[Finding, ...]
    survey: HostSurvey | None


def diagnose(
    session: Session,
    wanted: Sequence[str],
    timeout: float,
    *,
    control: Control | None = None,
    on_result: Callable[[HostDiagnosis], object] | None = None,
) -> Diagnosis:
    """Visit hosts by name, or all that are not disabled, at once; each may take up to `timeout` seconds.

    With a task's `control` each visit is a step of it, and ends soon where the task is told to end. `on_result` gets
    each visit when it is over, in its own thread. Raises UnknownHost, Cancelled, or UsageError where there are no live
    hosts.
    """
    if session.registry is None:
        raise UsageError("a saved fleet has no hosts to examine", hint="leave out --fleet")
    every = sorted(session.registry.hosts(), key=lambda host: natural(host.name))
    named = [session.registry.host(_name(word)) for word in dict.fromkeys(wanted)]
    passed_over = [] if named else list(_not_asked(every, session.configuration))
    skipped = {finding.host for finding in passed_over}
    hosts = named or [host for host in every if host.name not in skipped]
    patients = _with_peers([_patient(host, session.configuration) for host in hosts])
    visit = _Examiner(timeout, session.clock, control, on_result)
    visits = map_items(patients, visit)
    findings = [
        *_own_side(session, patients, any_host=bool(every)),
        *passed_over,
        *(finding for visit in visits for finding in visit.findings),
        *_between(visits),
    ]
    answering = sum(visit.survey is not None for visit in visits)
    return Diagnosis(in_order(iter(findings), tuple(host.name for host in every)), len(patients), answering)


def _name(word: str) -> str:
    if "://" in word:
        raise UsageError(f"{word!r} is a URI, not a host", hint="register it, or see: realms hosts test URI")
    return word


def _not_asked(hosts: Sequence[Host], configuration: Configuration) -> Iterator[Finding]:
    """Return of which hosts nothing is asked unless they are named, as nothing connects to them."""
    for host in hosts:
        realm = configuration.realms.get(host.realm)
        why = "is disabled" if not host.state.connects else "is in a disabled realm" if realm and realm.disabled else ""
        if why:
            yield Checkup(host.name).info(Check.HOST, f"{why}: not asked", shell_command("realms doctor", host.name))


def _patient(host: Host, configuration: Configuration) -> HostTarget:
    return HostTarget(host, configuration.realms.get(host.realm), configuration.hardware_profiles.get(host.profile))


def _with_peers(patients: Sequence[HostTarget]) -> list[HostTarget]:
    """Let each host ask the next ones of its realm, around in a circle, so that every host is asked for."""
    realms: dict[str, list[HostTarget]] = defaultdict(list)
    for patient in patients:
        if patient.target is not None:
            realms[patient.host.realm].append(patient)
    targets: dict[str, tuple[SshTarget, ...]] = {}
    for group in realms.values():
        for index, patient in enumerate(group):
            circle = (*group[index + 1 :], *group[:index])
            others = dict.fromkeys(each.target for each in circle if each.target is not None)
            own = patient.target.host if patient.target is not None else ""
            targets[patient.host.name] = tuple(target for target in others if target.host != own)
    return [replace(patient, peers=targets.get(patient.host.name, ())) for patient in patients]


@dataclass(frozen=True, slots=True)
class _Examiner:
    """Visits a host; called in a thread of its own for each."""

    timeout: float
    clock: Clock
    control: Control | None
    on_result: Callable[[HostDiagnosis], object] | None

    def __call__(self, patient: HostTarget) -> HostDiagnosis:
        if self.control is None:
            return self._visit(patient, None)
        with self.control.step(StepKind.LOOK, "examine", patient.host.name) as step:
            visit = self._visit(patient, self.control.cancel_asked)
            step.detail(in_words(visit.findings))
            return visit

    def _visit(self, patient: HostTarget, stop: Event | None) -> HostDiagnosis:
        at, deadline = Checkup(patient.host.name), time.monotonic() + self.timeout
        findings = list(_check_description(at, patient))
        contact = reach(patient.host, self.timeout, self.clock, stop=stop)
        findings += contact.findings
        seen = contact.survey
        if seen is not None:
            if patient.realm is not None:
                left = max(1.0, deadline - time.monotonic())
                seen, silent = count_space(at, patient.host, patient.realm, seen, left, stop=stop)
                findings += silent
            findings += check_answer(at, patient.realm, patient.profile, seen)
            findings += _check_ways(at, patient, seen, deadline - time.monotonic())
        visit = HostDiagnosis(patient, tuple(findings), seen)
        if self.on_result is not None:
            self.on_result(visit)
        return visit


def _check_description(at: Checkup, patient: HostTarget) -> Iterator[Finding]:
    host = patient.host
    edit = shell_command("realms hosts edit", host.name)
    if patient.realm is None:
        mend = f"configure it, or: {edit} --realm ID"
        yield at.error(Check.REALM, f"its realm {host.realm} is not configured", mend)
    if patient.profile is None:
        mend = f"configure it (realms hosts discover URI proposes one), or: {edit} --profile ID"
        yield at.error(Check.PROFILE, f"its hardware profile {host.profile} is not configured", mend)


def check_answer(
    at: Checkup, realm: Realm | None, profile: HardwareProfile | None, seen: HostSurvey
) -> Iterator[Finding]:
    """Check what a host said about itself: its software, and what its realm and its profile ask of it."""
    yield from check_software(at, seen)
    if realm is not None:
        yield from check_pools(at, realm, seen)
        yield from check_network(at, realm, seen)
        yield from check_filter(at, realm, seen)
    if profile is not None:
        yield from check_profile(at, profile, seen)


def _check_ways(at: Checkup, patient: HostTarget, seen: HostSurvey, budget: float) -> Iterator[Finding]:
    """Check the ways to its guests and to other hosts, in what is left of the host's time."""
    started = time.monotonic()
    if patient.host.static_address is not None:
        yield from check_translation(at, patient.host.static_address, seen.occupation.addresses, max(0.2, budget))
    if patient.target is None:
        uri = patient.uri
        if uri is not None and not uri.is_local:
            yield at.info(
                Check.CLOCK, f"not compared: libvirt has no clock, and the connection is by {uri.transport}, not ssh"
            )
    elif patient.peers:
        left = max(0.5, budget - (time.monotonic() - started))
        yield from check_peers(at, patient.target, patient.peers, left)


def _own_side(session: Session, patients: Sequence[HostTarget], *, any_host: bool) -> Iterator[Finding]:
    yield from check_client(client_version())
    own = Checkup("")
    exposed = session.exposures()
    yield from (own.warning(Check.REGISTRY, found.what, found.mend) for found in exposed)
    if not exposed:
        yield own.ok(Check.REGISTRY, "only its administrators can change it")
    yield from check_keys(patient.target for patient in patients if patient.target is not None)
    if not any_host:
        mend = "realms hosts add NAME --realm ID --uri URI --profile ID"
        yield own.info(Check.HOSTS, "no hosts registered", mend)


def _between(visits: Sequence[HostDiagnosis]) -> Iterator[Finding]:
    surveys = {visit.patient.host.name: visit.survey for visit in visits if visit.survey is not None}
    yield from check_twins(surveys)
    realms = {visit.patient.realm.id: visit.patient.realm for visit in visits if visit.patient.realm is not None}
    for realm in realms.values():
        members = (visit.patient.host.name for visit in visits if visit.patient.realm is realm)
        yield from compare_realm(realm, {name: surveys[name] for name in members if name in surveys})
