"""Decisions of a log made again, by another configuration: which would change, and how (specification, section 11).

Lines are read one after another, so that a log of any length takes the memory of its longest line.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.codes import ReplayOutcome
from core.config.model import Configuration
from core.config.reader import load
from core.document import Malformed
from core.errors import ConfigurationInvalid, UnreadableFile, UsageError
from core.fleet.fleet import Fleet
from core.inputs import open_input, open_regular
from core.operations.scheduling.config_store import stored_configuration
from core.operations.scheduling.log_reader import LoggedDecision, LoggedPlacement, read_decision
from core.placement.engine.engine import place
from core.placement.engine.ledger import Ledger
from core.placement.engine.verdicts import Placements, Verdict
from core.placement.what_if.changes import HostGone, HostInState

LONGEST_LINE = 64 * 1024**2
"""Bytes of a line; a longer one is told and skipped."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEPT_CONFIGURATIONS = 32


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a VM goes, and at what cost; None for nowhere."""

    host: str | None
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """A decision made again. `then` and `now` are those of the first VM (`vm_number`) that differs, else of the first.

    `why` is empty where nothing changes.
    """

    line: int
    decision: LoggedDecision
    outcome: ReplayOutcome
    vm_number: int
    then: Destination
    now: Destination
    why: str
    configuration: Configuration
    """What it was made again by."""
    changes: Sequence[HostInState | HostGone] = ()

    @property
    def placements(self) -> Placements:
        """Every verdict of the decision made again, worked out when it is asked for."""
        return decide_again(self.decision, self.configuration, self.changes)


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that no decision could be made of again, and why not."""

    line: int
    problem: str


def replay(
    log: Path,
    configuration_of: Callable[[LoggedDecision], Configuration],
    changes: Sequence[HostInState | HostGone] = (),
) -> Iterator[ReplayResult | UnreadableLine]:
    """Make each decision of a log again, in its order, with hosts changed in thought where they are in it.

    `configuration_of` gives the configuration to decide by, or raises UnreadableFile for that line. Raises
    UnreadableFile where the log can't be read.
    """
    try:
        with open_input(log) as file:
            for number, line in _lines(file):
                if isinstance(line, str):
                    yield _replay_line(number, line, configuration_of, changes)
                else:
                    yield line
    except OSError as error:
        raise UnreadableFile(f"{log} can't be read: {error.strerror or error}") from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, str | UnreadableLine]]:
    number = 0
    while content := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(content) > LONGEST_LINE:
            while content and not content.endswith(b"\n"):
                content = file.readline(LONGEST_LINE)
            yield number, UnreadableLine(number, f"longer than {LONGEST_LINE // 1024**2} MiB")
            continue
        if not content.strip():
            continue
        try:
            yield number, content.decode()
        except UnicodeDecodeError as error:
            yield number, UnreadableLine(number, f"not UTF-8 text: byte {error.start + 1} is invalid")


def _replay_line(
    number: int,
    line: str,
    configuration_of: Callable[[LoggedDecision], Configuration],
    changes: Sequence[HostInState | HostGone],
) -> ReplayResult | UnreadableLine:
    try:
        decision = read_decision(line)
    except Malformed as error:
        return UnreadableLine(number, f"{error.where} {error}" + (f" ({error.hint})" if error.hint else ""))
    try:
        configuration = configuration_of(decision)
    except (UnreadableFile, UsageError) as error:
        return UnreadableLine(number, str(error))
    return compared(number, decision, configuration, changes)


def decide_again(
    decision: LoggedDecision, configuration: Configuration, changes: Sequence[HostInState | HostGone] = ()
) -> Placements:
    """Decide as then, by a configuration; a VM that had to go to one host has to again."""
    fleet = _changed_fleet(decision, configuration, changes)
    placements = place(configuration, fleet, decision.request, decision.count)
    if decision.forced_host is None:
        return placements
    there = place(configuration, _only(fleet, decision.forced_host), decision.request, decision.count)
    return type(placements)(
        request=placements.request,
        count=placements.count,
        placements=there.placements,
        verdicts=placements.verdicts,
        stopped_by=there.stopped_by,
    )


def _changed_fleet(
    decision: LoggedDecision, configuration: Configuration, changes: Sequence[HostInState | HostGone]
) -> Fleet:
    fleet = decision.fleet(configuration)
    for change in changes:
        if fleet.host(change.host) is not None:
            fleet = change.apply(configuration, fleet)
    return fleet


def _only(fleet: Fleet, name: str) -> Fleet:
    return Fleet(fleet.taken, tuple(host for host in fleet.hosts if host.name == name))


def _places_again(
    decision: LoggedDecision, configuration: Configuration, changes: Sequence[HostInState | HostGone]
) -> tuple[LoggedPlacement, ...]:
    """Return the same places as `decide_again`, without a verdict of each host."""
    fleet = _changed_fleet(decision, configuration, changes)
    if decision.forced_host is not None:
        fleet = _only(fleet, decision.forced_host)
    if decision.count > 1:
        placed = place(configuration, fleet, decision.request, decision.count).placements
        return tuple(LoggedPlacement(each.host, each.cost, each.devices) for each in placed)
    ledger = Ledger(configuration, fleet)
    best = ledger.best(decision.request)
    if best is None:
        return ()
    devices = ledger.take(best[3], decision.request, best[0])
    return (LoggedPlacement(ledger.hosts[best[3]].name, best[0], devices),)


def compared(
    line: int, decision: LoggedDecision, configuration: Configuration, changes: Sequence[HostInState | HostGone] = ()
) -> ReplayResult:
    """Make a decision again and hold it against what it was; `line` is its number in the log."""
    now = _places_again(decision, configuration, changes)
    seats_then = [Destination(placement.host, placement.cost) for placement in decision.placements]
    seats_now = [Destination(placement.host, placement.cost) for placement in now]
    if decision.despite_refusal:  # it would be given again
        seats_now = seats_then
    outcome, index, why = ReplayOutcome.SAME, 0, ""
    for each in range(max(len(seats_then), len(seats_now))):
        then, again = _seat(seats_then, each), _seat(seats_now, each)
        if then.host != again.host:
            outcome, index = _moved(then, again), each
            why = _why(decision, decide_again(decision, configuration, changes), each, then, again)
            break
        if outcome is ReplayOutcome.SAME and (then.cost != again.cost or _other_devices(decision, now, each)):
            outcome, index = ReplayOutcome.OTHER_COST, each
    return ReplayResult(
        line=line,
        decision=decision,
        outcome=outcome,
        vm_number=index + 1,
        then=_seat(seats_then, index),
        now=_seat(seats_now, index),
        why=why,
        configuration=configuration,
        changes=changes,
    )


def _seat(seats: Sequence[Destination], index: int) -> Destination:
    return seats[index] if index < len(seats) else Destination(None, None)


def _moved(then: Destination, now: Destination) -> ReplayOutcome:
    if now.host is None:
        return ReplayOutcome.NO_HOST
    return ReplayOutcome.A_HOST if then.host is None else ReplayOutcome.OTHER_HOST


def _other_devices(decision: LoggedDecision, now: Sequence[LoggedPlacement], index: int) -> bool:
    if decision.has_fixed_devices or decision.despite_refusal:
        return False
    return decision.placements[index].devices != now[index].devices


def _why(decision: LoggedDecision, placements: Placements, index: int, then: Destination, now: Destination) -> str:
    """Return what makes a VM go elsewhere: a refusal that came or went, or the costs then and now."""
    verdicts = placements.verdicts
    if then.host is not None and all(verdict.host != then.host for verdict in verdicts):
        return f"{then.host} no longer exists"
    if index and now.host is not None:  # what was said of later VMs is not kept
        return f"from VM {index + 1} on"
    said = {verdict.host: verdict for verdict in (placements.stopped_by if index else verdicts)}
    before = decision.verdicts.get(now.host or "")
    refused = said[then.host].refusal if then.host in said else None
    if refused is not None:
        return f"{then.host}: {refused}"
    if now.host is None:
        return "no host can take it"
    if before is not None and before.refusal:
        return f"{now.host} was refused: {before.refusal}"
    return ", ".join(_cost(decision, said[host]) for host in (now.host, then.host) if host in said)


def _cost(decision: LoggedDecision, verdict: Verdict) -> str:
    was = decision.verdicts.get(verdict.host)
    cost = f"{verdict.cost.total:g}" if verdict.cost is not None else "unknown"
    before = f" (was {was.cost:g})" if was is not None and was.cost is not None else ""
    return f"{verdict.host} {cost}{before}"


class LoggedConfigurations:
    """The configurations that decisions of a log were made by, kept beside it by their digests; changed in thought."""

    def __init__(self, log: Path, change: Callable[[Configuration], Configuration]) -> None:
        self._log = log
        self._change = change
        self._read: dict[str, Configuration | UnreadableFile | UsageError] = {}

    def __call__(self, decision: LoggedDecision) -> Configuration:
        """Return the configuration of a decision; raises UnreadableFile where it isn't there, or isn't what it was."""
        digest = decision.configuration
        if digest not in self._read:
            while len(self._read) >= _KEPT_CONFIGURATIONS:
                del self._read[next(iter(self._read))]
            try:
                self._read[digest] = self._change(_load(self._log, digest))
            except (UnreadableFile, UsageError) as error:
                self._read[digest] = error
        found = self._read[digest]
        if isinstance(found, UnreadableFile | UsageError):
            raise found
        return found


def _load(log: Path, digest: str) -> Configuration:
    if not _DIGEST.fullmatch(digest):
        raise UnreadableFile("the decision does not name its configuration")
    path = stored_configuration(log, digest)
    try:
        with open_regular(path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise UnreadableFile(f"{path} is no longer the configuration of the decision")
        return load(path, {})
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror or error}") from error
    except ConfigurationInvalid as error:
        raise UnreadableFile(error.message, hint=error.hint) from error
