"""The last gate before the terminal: no text of any widget moves the cursor, hides or reorders what is shown."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.text import printable


class PrintableOnly(LineFilter):
    """Makes printable whatever a widget drew; segments that are clean pass as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the interface's
        """Replace unsafe characters in a line."""
        for text, _, control in segments:
            if not control and not (text.isascii() and text.isprintable()) and printable(text) != text:
                break
        else:
            return segments
        return [segment if segment.control else Segment(printable(segment.text), segment.style) for segment in segments]
