"""Text that is laid out for its width, wherever and whenever it is shown."""

from __future__ import annotations

from textwrap import wrap

import pytest
from textual.app import App, ComposeResult

from tests.tui.driving import quiet
from tui.render.cells import Tone
from tui.widgets.flow import Flow

TEXT = "It is laid out for the width that the layout has found for it, and again for each new one."


class Bare(App[None]):
    """One text, alone or hidden at first."""

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Flow()


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("earlier", [0, 1, 2])
async def test_a_text_is_shown_whole_at_every_width(hidden: bool, earlier: int) -> None:
    """Also one that is hidden when it is shown, and one that replaces others."""
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        flow = app.query_one(Flow)
        flow.display = not hidden
        for number in range(earlier):
            flow.show(lambda _, number=number: [((f"text {number}", Tone.PLAIN),)])
        flow.show(lambda width: [((line, Tone.PLAIN),) for line in wrap(TEXT, width)])
        flow.display = True
        for width in (60, 30, 90):
            await pilot.resize_terminal(width, 12)
            await quiet(app)
            expected = wrap(TEXT, width)
            lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
            assert lines[: len(expected) + 1] == [*expected, ""]
