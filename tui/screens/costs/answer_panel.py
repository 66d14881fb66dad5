"""The answer of the cost explorer: what it says in a sentence, the hosts in their ranking, and those that refuse."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.render.costs.exploration import Exploration
from tui.render.costs.headroom import in_words
from tui.render.costs.ranking import (
    REFUSED_COLUMNS,
    REFUSED_COLUMNS_WHAT_IF,
    headline,
    ranking_columns,
    refused_rows,
    where_they_go,
)
from tui.render.costs.what_if import before_sentence
from tui.render.rows import Column, Row
from tui.render.wrapping import wrapped
from tui.screens.costs.ranking_table import BY_TOTAL, HostTable
from tui.state.settings import Sort

_FIRST_COLUMNS = (Column(key="host", title="HOST"), Column(key="total", title="TOTAL", right=True))
"""What the ranking shows until the first fleet says which terms there are."""


class AnswerPanel(Vertical):
    """The sentences above the table of the ranked hosts and that of the refused."""

    def __init__(self, *, wide: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.ranking = HostTable(_FIRST_COLUMNS, heading="Hosts", sort=BY_TOTAL, wide=wide, id="ranking")
        self.refused = HostTable(REFUSED_COLUMNS, heading="Refused", empty="None.", id="refused")
        self._headline = Static(id="headline", markup=False)
        self._columns: tuple[Column, ...] = ()
        self._told: tuple[list[str], list[str], str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the sentences and the tables."""
        yield self._headline
        yield self.ranking
        yield self.refused

    def show(self, exploration: Exploration, rows: Sequence[Row], sort: Sort) -> None:
        """List the hosts; `sort` is for the ranking where its columns are other ones now."""
        columns = ranking_columns(exploration)
        if columns != self._columns:
            self._columns = columns
            self.ranking.use_columns(columns, sort)
        self.ranking.empty = (
            "No host can take it." if exploration.refused else "No hosts yet: add one in the Hosts area (1)."
        )
        self.ranking.set_heading(f"Hosts for {in_words(exploration.request)}")
        self.ranking.set_rows(rows)
        columns = REFUSED_COLUMNS if exploration.before is None else REFUSED_COLUMNS_WHAT_IF
        if self.refused.model.columns != columns:
            self.refused.use_columns(columns, self.refused.model.sort)
        self.refused.set_rows(refused_rows(exploration))

    def tell(self, exploration: Exploration | None, refused: str, width: int, *, short: bool) -> int:
        """Write the sentences as wide as there is room; return the number of lines that they take."""
        upper = wrapped(headline(exploration) if exploration is not None else "", width, 2)
        lower = wrapped(_second_sentence(exploration, refused), width, 1 if short else 2)
        told = (upper, lower, "$error" if refused else "$muted")
        if told != self._told:
            self._told = told
            lines: list[str | tuple[str, str]] = [("\n".join(upper), "bold")]
            if lower:
                lines += ["\n", ("\n".join(lower), told[2])]
            self._headline.update(Content.assemble(*lines), layout=False)
        needed = max(1, len(upper) + len(lower))
        self._headline.styles.height = needed
        return needed


def _second_sentence(exploration: Exploration | None, refused: str) -> str:
    if refused:
        return f"{refused}. Showing the last valid request"
    if exploration is None:
        return ""
    return ". ".join(filter(None, (where_they_go(exploration), before_sentence(exploration))))
