"""The way to one host, gone step by step: its ssh key, the login, libvirt; registered or about to be."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

from core.clock import Clock
from core.codes import Check
from core.diagnostics import Severity
from core.driver.hosts.survey import HostSurvey, survey
from core.errors import Cancelled, DriverError, HostRefused, HostTimeout
from core.hosts import Host
from core.operations.doctor.ssh import check_host_key, check_login
from core.operations.findings import Checkup, Finding
from core.operations.ssh.login import SshTarget
from core.uris import ConnectionUri, parse_uri

LOGIN_SECONDS = 10.0
"""The longest part of a host's time that its ssh login may take."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What was met on the way to a host. `survey` is None where its libvirt did not answer."""

    uri: str
    findings: tuple[Finding, ...]
    survey: HostSurvey | None

    @property
    def target(self) -> SshTarget | None:
        """Where its login goes; None where libvirt does not use the ssh program."""
        uri = read_uri(self.uri)
        return SshTarget.of(uri) if uri is not None else None

    @property
    def wants_key(self) -> bool:
        """Whether the host's sshd answered, and knows none of our keys, or we not its own."""
        return any(each.wants_key for each in self.findings)


def read_uri(text: str) -> ConnectionUri | None:
    """Return a URI as understood; None for one that is refused, which an old registry may hold."""
    try:
        return parse_uri(text)
    except HostRefused:
        return None


def reach(
    host: Host,
    timeout: float,
    clock: Clock,
    *,
    stop: Event | None = None,
    on_result: Callable[[str], object] | None = None,
    registered: bool = True,
) -> Contact:
    """Go the way to a host, and ask it what it is; blocks up to `timeout` seconds. Changes nothing.

    `on_result` gets a few words when each part begins. How to mend it is told by the URI where the host is not
    `registered` yet. Raises Cancelled soon after `stop` is set, and nothing else: what
    goes wrong is a finding.
    """
    at, deadline = Checkup(host.name), time.monotonic() + timeout
    say = on_result or (lambda _: None)
    uri = read_uri(host.uri)
    # What the ssh program doesn't check is a finding of the host's key.
    warnings = uri.warnings if uri is not None and not uri.uses_ssh_program else ()
    findings = [at.warning(Check.URI, warning) for warning in warnings]
    target = SshTarget.of(uri) if uri is not None else None
    if target is not None:
        say(f"logging in with ssh {target.login}")
        subject = host.name if registered else host.uri
        findings += check_host_key(at, target, host.uri, registered=registered)
        login = list(check_login(at, target, min(timeout, LOGIN_SECONDS), clock, stop=stop, subject=subject))
        _check(stop)
        findings += login
        if any(finding.severity is Severity.ERROR for finding in login):  # libvirt goes the same way
            return Contact(host.uri, tuple(findings), None)
    say("asking libvirt")
    left = max(0.1, deadline - time.monotonic())
    try:
        seen = survey(host.uri, left, addresses=host.static_address is not None, stop=stop)
    except DriverError as error:
        return Contact(host.uri, (*findings, *_no_answer(at, error, timeout)), None)
    return Contact(host.uri, tuple(findings), seen)


def _no_answer(at: Checkup, error: DriverError, timeout: float) -> Iterator[Finding]:
    if isinstance(error, HostTimeout):
        mend = "is libvirtd hung? On the host: systemctl restart libvirtd"
        yield at.error(Check.LIBVIRT, f"no answer in {timeout:g} s", mend)
    else:
        yield at.error(Check.LIBVIRT, error.message, error.hint)


def _check(stop: Event | None) -> None:
    if stop is not None and stop.is_set():
        message = "the connection test was cancelled"
        raise Cancelled(message)
