"""What the cost explorer asks of the placement engine, and the answer that a thread brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.render.exploration import Exploration, explore

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet import Fleet
    from tui.screens.costs_request import Asked


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the placement engine, so that a thread can answer it."""

    number: int
    configuration: Configuration
    fleet: Fleet
    asked: Asked

    def answer(self) -> Exploration:
        """Judge the hosts."""
        return explore(self.configuration, self.fleet, self.asked.request, self.asked.count)


class Explored(Message):
    """A thread has judged the hosts; `number` says for which of the questions asked."""

    def __init__(self, number: int, exploration: Exploration) -> None:
        super().__init__()
        self.number = number
        self.exploration = exploration
