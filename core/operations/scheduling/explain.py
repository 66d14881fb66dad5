"""A logged decision explained: made again by the configuration of then and by today's, with what mends refusals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.config.model import Configuration
from core.document import Malformed
from core.errors import RealmsError, UnreadableFile
from core.operations.scheduling.config_store import digest_of
from core.operations.scheduling.log_reader import LoggedDecision, read_decision
from core.operations.scheduling.replay import LoggedConfigurations, ReplayResult, compared, decide_again
from core.placement.engine.remedies import Remedy, remedy
from core.placement.engine.verdicts import Verdict

MOST_REMEDIES = 100
"""Refused hosts that a remedy is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAgain:
    """A decision made again. `then` is by the configuration that it was made by; where that can't be had, by today's.

    `problem` says why it can't, and is empty where it can.
    """

    decision: LoggedDecision
    then: ReplayResult
    verdicts: tuple[Verdict, ...]
    """What was said of each host: best first, then the refused."""
    today: ReplayResult
    made_by_today: bool
    """Whether today's configuration is the very one that it was made by."""
    problem: str
    remedies: Mapping[str, Remedy]
    """What would have made refused hosts take it then; without VMs to move, since the log has only their sum."""


def explain_decision(log: Path, line: bytes, today: Configuration) -> DecisionAgain:
    """Make the decision of a line again. Raises UnreadableFile where the line is damaged."""
    try:
        decision = read_decision(line.decode())
    except (Malformed, UnicodeDecodeError) as error:
        where = f"{error.where} " if isinstance(error, Malformed) else ""
        raise UnreadableFile(f"this line of {log} is damaged: {where}{error}") from error
    now = compared(0, decision, today)
    made_by_today = decision.configuration == digest_of(today)
    configuration, then, problem = today, now, ""
    if not made_by_today:
        try:
            configuration = LoggedConfigurations(log, lambda same: same)(decision)
            then = compared(0, decision, configuration)
        except RealmsError as error:
            problem = str(error)
    verdicts = decide_again(decision, configuration).verdicts
    return DecisionAgain(
        decision=decision,
        then=then,
        verdicts=verdicts,
        today=now,
        made_by_today=made_by_today,
        problem=problem,
        remedies=_remedies(decision, verdicts, configuration),
    )


def _remedies(
    decision: LoggedDecision, verdicts: tuple[Verdict, ...], configuration: Configuration
) -> dict[str, Remedy]:
    fleet = decision.fleet(configuration)
    snapshots = {snapshot.name: snapshot for snapshot in fleet.hosts}
    refused = [verdict.host for verdict in verdicts if not verdict.feasible]
    found = (remedy(configuration, fleet, decision.request, snapshots[host]) for host in refused[:MOST_REMEDIES])
    return {each.host: replace(each, move=None) for each in found if each is not None}
