"""What has come of decisions made again."""

from collections import Counter
from collections.abc import Iterable, Iterator

from core.codes import ReplayOutcome
from core.errors import UnreadableFile
from core.operations.scheduling.replay import ReplayResult, UnreadableLine
from core.text import one_line

MOST_HELD_BACK = 100
"""Lines at the head of a file that are no decisions, told once one is."""


class Summary:
    """What has come of the decisions so far."""

    def __init__(self, digest: str | None) -> None:
        self.outcomes: Counter[str] = Counter()
        self.unreadable = 0
        self.made_by_it = 0
        """Decisions that were made by the very configuration that they are made by again."""
        self.unknown_hosts: set[str] = set()
        """Hosts that were changed in thought and are in no decision."""
        self.compares_digests = digest is not None
        self._digest = digest

    @property
    def decisions(self) -> int:
        """Number of decisions made again."""
        return self.outcomes.total()

    @property
    def elsewhere(self) -> int:
        """Number of decisions that would go elsewhere."""
        return sum(count for outcome, count in self.outcomes.items() if ReplayOutcome(outcome).changes)

    def count(
        self, outcomes: Iterable[ReplayResult | UnreadableLine], hosts: set[str]
    ) -> Iterator[ReplayResult | UnreadableLine]:
        """Pass outcomes on and count them.

        Raises UnreadableFile where not one line is a decision: it is no log then.
        """
        self.unknown_hosts = set(hosts)
        held_back: list[UnreadableLine] = []  # a file of nothing but such lines is no log, which is all to be said then
        for outcome in outcomes:
            if isinstance(outcome, UnreadableLine):
                self.unreadable += 1
                if self.decisions:
                    yield outcome
                elif len(held_back) < MOST_HELD_BACK:
                    held_back.append(outcome)
                continue
            if not self.decisions:
                yield from held_back
            self.outcomes[outcome.outcome.value] += 1
            self.made_by_it += outcome.decision.configuration == self._digest
            if self.unknown_hosts:
                self.unknown_hosts.difference_update(host.bare.name for host in outcome.decision.hosts)
            yield outcome
        if held_back and not self.decisions:
            first = held_back[0]
            more = f"; and {self.unreadable - 1} more such lines" if self.unreadable > 1 else ""
            raise UnreadableFile(
                f"no decision can be replayed: line {first.line}: {one_line(first.problem)}{more}",
                hint="expected a scheduling.jsonl, written next to the registry by realms with log-scheduling",
            )
