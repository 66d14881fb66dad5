"""What a doctor finds: how bad, where, what, and the command that mends it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.codes import Check
from core.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `host` is empty where it is about the machine that the program runs on."""

    host: str
    severity: Severity
    check: Check
    """What was looked at, in one or two words; the same for all hosts."""
    what: str
    mend: str = ""
    """What to do, a command where there is one; empty where nothing needs to be done."""
    wants_key: bool = False
    """Whether a key put on the host, or an answer to ssh's question, would mend it."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """Collects the findings of one host."""

    host: str

    def error(self, check: Check, what: str, mend: str = "", *, wants_key: bool = False) -> Finding:
        """Report what keeps the host from doing its work."""
        return Finding(self.host, Severity.ERROR, check, what, mend, wants_key)

    def warning(self, check: Check, what: str, mend: str = "") -> Finding:
        """Report what will hurt some day."""
        return Finding(self.host, Severity.WARNING, check, what, mend)

    def info(self, check: Check, what: str, mend: str = "") -> Finding:
        """Report what is good to know."""
        return Finding(self.host, Severity.INFO, check, what, mend)

    def ok(self, check: Check, what: str) -> Finding:
        """Report that all is well."""
        return Finding(self.host, Severity.OK, check, what)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, by host and worst first. `hosts_total` counts the hosts that were to be asked."""

    findings: tuple[Finding, ...]
    hosts_total: int
    hosts_answering: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong enough to be an error."""
        return not self.count(Severity.ERROR)

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def of(self, host: str) -> Iterator[Finding]:
        """Return the findings of one host, worst first."""
        return (finding for finding in self.findings if finding.host == host)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Everything that has findings, worst first; empty name for the machine itself."""
        return tuple(dict.fromkeys(finding.host for finding in self.findings))


def in_words(findings: Iterable[Finding]) -> str:
    """Return in a few words how bad it is: "1 error, 2 warnings", or "all is well"."""
    severities = [finding.severity for finding in findings]
    counted = [(severities.count(severity), severity.value) for severity in (Severity.ERROR, Severity.WARNING)]
    told = [f"{number} {word}{'s' if number != 1 else ''}" for number, word in counted if number]
    return ", ".join(told) or "OK"


def in_order(findings: Iterator[Finding], hosts: tuple[str, ...]) -> tuple[Finding, ...]:
    """Sort: the host with the worst finding first, then as they were named; within a host the worst first."""
    found = list(findings)
    worst: dict[str, int] = {}
    for finding in found:
        worst[finding.host] = min(worst.get(finding.host, len(Severity)), finding.severity.rank)
    place = {host: index for index, host in enumerate(hosts)}
    return tuple(
        sorted(found, key=lambda each: (worst[each.host], place.get(each.host, -1), each.host, each.severity.rank))
    )
