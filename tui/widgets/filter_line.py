"""The filter while it is written: a line of text that lives in a table's border."""

from textual import events

LONGEST = 200
"""Characters that a filter may have."""


class FilterLine:
    """Text that is being typed. It has no cursor of its own to blink: letters go to its end."""

    def __init__(self, text: str) -> None:
        self.text = text

    def insert(self, text: str) -> None:
        """Add text at the end, on one line."""
        self.text = (self.text + " ".join(text.splitlines()))[:LONGEST]

    def edit(self, event: events.Key) -> bool:
        """Take a key; False where it means nothing to a line of text."""
        match event.key:
            case "backspace":
                self.text = self.text[:-1]
            case "ctrl+u":
                self.text = ""
            case "ctrl+w":
                self.text = self.text.rstrip().rpartition(" ")[0]
            case _ if event.is_printable and event.character:
                self.insert(event.character)
            case _:
                return False
        return True
