"""One line of the scheduling log in a few figures: who asked for what, where it went, and by how much."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.document import Fields, Malformed, read_json
from core.operations.scheduling.log_reader import request_of
from core.placement.engine.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSummary:
    """What a list says of a decision. `host` and `cost` are those of its first VM; None where it found no host."""

    id: str
    time: float | None
    """Seconds since the epoch; None where the line doesn't say."""
    user: str
    operation: str
    vm: str
    request: Request
    count: int
    placed: int
    hosts: int
    """Number of hosts that were asked."""
    host: str | None
    cost: float | None
    next_best: str | None
    """The other host of lowest cost; None where no other could take it."""
    margin: float | None
    """By how much the next best is dearer, negative where another host was ordered; None without one."""
    refused: Mapping[str, int]
    """Number of hosts by the reason that decided against each."""
    ordered: bool
    """Whether the host was named by an administrator."""
    despite_refusal: bool


def summarize(line: bytes) -> DecisionSummary:
    """Read the figures of a line; raises Malformed. What is wrong elsewhere in it shows when it is decided again."""
    try:
        document = read_json(line.decode())
    except ValueError as error:
        raise Malformed("the line", f"is not JSON: {error}") from error
    fields = Fields(document, "")
    asked = Fields(fields.content.get("request"), "request")
    placements = fields.sequence("placements")
    host, cost = None, None
    if placements:
        first = Fields(placements[0], "placements[0]")
        host, cost = first.text("host"), first.real("cost")
    able: list[tuple[float, str]] = []
    refused: Counter[str] = Counter()
    verdicts = fields.sequence("verdicts")
    for index, value in enumerate(verdicts):
        verdict = Fields(value, f"verdicts[{index}]")
        if verdict.content.get("refusal") is not None:
            refused[Fields(verdict.content["refusal"], verdict.at("refusal")).text("why", "refused")] += 1
        elif (its := verdict.real("cost")) is not None:
            able.append((its, verdict.text("host")))
    following = min((each for each in able if each[1] != host), default=None)
    known = following is not None and cost is not None
    return DecisionSummary(
        id=fields.text("id", "", may_be_empty=True),
        time=fields.moment("time"),
        user=fields.text("user", "", may_be_empty=True),
        operation=fields.text("operation", "", may_be_empty=True),
        vm=fields.text("vm", "", may_be_empty=True),
        request=request_of(asked),
        count=asked.integer("count", 1),
        placed=len(placements),
        hosts=len(verdicts),
        host=host,
        cost=cost,
        next_best=following[1] if following is not None else None,
        margin=following[0] - cost if known and following is not None and cost is not None else None,
        refused=dict(refused),
        ordered=fields.optional_text("forced_host") is not None,
        despite_refusal=fields.boolean("despite_refusal", False),  # noqa: FBT003 - the default of a key
    )
