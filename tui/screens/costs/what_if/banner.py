"""The line that says, as long as there are changes, that one looks at a what-if."""

from textual.widgets import Static

from tui.render.cells import lay_out, width_of
from tui.render.costs.what_if import Counted, banner
from tui.widgets.tones import content


class WhatIfBanner(Static):
    """Says, as long as there are changes, that one looks at a what-if."""

    DEFAULT_CSS = """
    WhatIfBanner { height: 1; width: 1fr; padding: 0 1; background: $warning 25%; color: $foreground; display: none; }
    WhatIfBanner:ansi { background: ansi_default; text-style: reverse; }
    """

    def __init__(self) -> None:
        super().__init__(id="what-if", markup=False)
        self._told: tuple[int, Counted | None, Counted | None, str] = (0, None, None, "")
        self._width = 0

    def tell(self, changes: int, before: Counted | None, after: Counted | None, trouble: str) -> None:
        """Say what the changes amount to; without any there is no banner."""
        self.display = bool(changes)
        told = (changes, before, after, trouble)
        if (told, self.size.width) != (self._told, self._width):
            self._told, self._width = told, self.size.width
            pieces = banner(*told)
            if sum(width_of(text) for text, _ in pieces) > self._width:
                pieces = banner(*told, short=True)
            self.update(content(lay_out(pieces, self._width) if self._width else pieces), layout=False)

    def on_resize(self) -> None:
        """Say as much as there is room for, also where the room came after the words."""
        self.tell(*self._told)
