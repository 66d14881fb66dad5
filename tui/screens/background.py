"""Work in the background: jobs in daemon threads, whose answers come back to the screen that asked, on its thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Generic, TypeVar, cast

from textual.message_pump import MessagePump
from textual.timer import Timer

from core.clock import Clock
from core.errors import Cancelled, RealmsError
from core.operations.tasks.task import Control, Task, Tasks, TaskView
from tui.context import WithContext

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

MOST_AT_ONCE = 32
"""Jobs of one screen that work at the same time: each may have an ssh client of its own. Others wait their turn."""


@dataclass(slots=True, eq=False)
class _Asked(Generic[T]):
    key: Hashable
    job: Callable[[Control], T]
    then: Callable[[T], None]
    failed: Callable[[RealmsError], None]
    progress: Callable[[TaskView], None] | None = None
    parts: deque[Callable[[], None]] = field(default_factory=deque)
    task: Task[T] | None = None
    seen: TaskView | None = None


class _Threads(Tasks):
    """Runs jobs as tasks, and says whenever one of them has changed."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        super().__init__(clock, keep=0)
        self._say = changed

    def tell(self) -> None:
        """Wake those that wait for a change."""
        super().tell()
        self._say()


class Background:
    """What a screen or a part of one has asked and not heard of yet, by key: a new question replaces the old one.

    Nothing is waited for on the screen's thread, and an answer that comes after the screen is gone goes nowhere. Every
    job ends in an answer or in an error that can be shown, a defect of the program too. These are no tasks of the
    program: nobody wants to see them listed.
    """

    def __init__(self, owner: MessagePump, clock: Clock) -> None:
        self.owner = owner
        self.clock = clock
        self._threads = _Threads(clock, self._kick)
        self._asked: dict[Hashable, _Asked[Any]] = {}
        self._waiting: deque[_Asked[Any]] = deque()
        self._at_work: list[_Asked[Any]] = []
        self._is_kicked = False

    @property
    def outstanding(self) -> int:
        """How many answers are still to come."""
        return len(self._asked)

    @property
    def is_busy(self) -> bool:
        """Whether any answer is still to come."""
        return bool(self._asked)

    def awaits(self, key: Hashable) -> bool:
        """Whether this answer is still to come."""
        return key in self._asked

    def ask(
        self,
        key: Hashable,
        job: Callable[[Control], T],
        then: Callable[[T], None],
        failed: Callable[[RealmsError], None],
        progress: Callable[[TaskView], None] | None = None,
        *,
        after: float = 0.0,
    ) -> None:
        """Ask in a thread, so many seconds from now.

        `then` gets the answer, `failed` why there is none, `progress` each step meanwhile.
        """
        self._add(_Asked(key, job, then, failed, progress), after)

    def ask_in_parts(
        self,
        key: Hashable,
        job: Callable[[Control], Iterable[T]],
        each: Callable[[T], None],
        ended: Callable[[], None],
        failed: Callable[[RealmsError], None],
    ) -> None:
        """Ask for what comes in parts; `each` gets them as they come. A job that is forgotten ends at its next part."""

        def work(control: Control) -> None:
            for part in job(control):
                asked.parts.append(partial(each, part))
                self._kick()
                control.check()

        asked = _Asked(key, work, lambda _: ended(), failed)
        self._add(asked)

    def _add(self, asked: _Asked[Any], after: float = 0.0) -> None:
        self.forget(asked.key)
        self._asked[asked.key] = asked
        if after:
            self.owner.set_timer(after, partial(self._queue, asked))
        else:
            self._queue(asked)

    def _queue(self, asked: _Asked[Any]) -> None:
        self._waiting.append(asked)
        self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._at_work) < MOST_AT_ONCE:
            asked = self._waiting.popleft()
            if self._is_wanted(asked):
                self._at_work.append(asked)
                asked.task = self._threads.run(str(asked.key), "", asked.job)

    def _is_wanted(self, asked: _Asked[Any]) -> bool:
        return self._asked.get(asked.key) is asked

    def forget(self, key: Hashable) -> None:
        """Want no answer any more: whoever works on it ends at the next step."""
        asked = self._asked.pop(key, None)
        if asked is not None and asked.task is not None:
            self._at_work.remove(asked)
            asked.task.cancel()

    def close(self) -> None:
        """Forget all."""
        for key in tuple(self._asked):
            self.forget(key)

    def _kick(self) -> None:
        """Look at the jobs soon, on the screen's thread; called from any."""
        if not self._is_kicked:
            self._is_kicked = True
            with suppress(RuntimeError):  # the program has ended
                if not self.owner.call_later(self._look):
                    self._is_kicked = False  # only then: the look itself may be over by now

    def _look(self) -> None:
        self._is_kicked = False
        for asked in tuple(self._at_work):
            if asked.task is None:
                continue
            done = asked.task.outcome.done()
            while asked.parts and self._is_wanted(asked):
                asked.parts.popleft()()
            if not self._is_wanted(asked):
                continue
            if done:
                del self._asked[asked.key]
                self._at_work.remove(asked)
                _answer(asked, asked.task)
            elif asked.progress is not None and asked.task.view is not asked.seen:
                asked.seen = asked.task.view
                asked.progress(asked.seen)
        self._begin()


def _answer(asked: _Asked[T], task: Task[T]) -> None:
    error = task.outcome.exception()
    if error is None:
        asked.then(task.outcome.result())
    elif isinstance(error, RealmsError):
        if not isinstance(error, Cancelled):
            asked.failed(error)
    else:  # a defect: told like any failure, with what the task says of it
        asked.failed(RealmsError(task.view.error, hint=task.view.hint))


class Latest(Generic[Q, A]):
    """Answers a question that keeps changing, one at a time: of those asked meanwhile only the newest waits.

    `take` gets a question with each part of its answer, `failed` with why there is none. After an answer it rests for
    as many seconds as `rest` says for the question and the seconds that it took, then calls `rested`; whether anything
    is asked meanwhile is up to the screen.
    """

    def __init__(
        self,
        owner: BackgroundWork,
        key: Hashable,
        answer: Callable[[Q], Iterable[A]],
        take: Callable[[Q, A], None],
        failed: Callable[[Q, RealmsError], None],
        *,
        rest: Callable[[Q, float], float] = lambda _question, _seconds: 0.0,
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner = owner
        self._key = key
        self._answer = answer
        self._take = take
        self._failed = failed
        self._rest = rest
        self._rested = rested
        self._waiting: Q | None = None
        self._has_part = False
        self._timer: Timer | None = None

    @property
    def is_busy(self) -> bool:
        """Whether no part of the newest question's answer has come yet."""
        return self._waiting is not None or (self._owner.background.awaits(self._key) and not self._has_part)

    @property
    def is_resting(self) -> bool:
        """Whether something was answered just now: a fleet that keeps changing is left alone for a moment."""
        return self._timer is not None

    def ask(self, question: Q) -> None:
        """Ask, or wait for what is worked on to be answered; once a part of that is there it is left."""
        if self.is_busy:
            self._waiting = question
        else:
            self._start(question)

    def forget(self) -> None:
        """Want no answer any more."""
        self._waiting = None
        self._owner.background.forget(self._key)

    def _start(self, question: Q) -> None:
        self._has_part = False
        clock = self._owner.background.clock
        begun = clock.monotonic()

        def each(part: A) -> None:
            self._take(question, part)
            self._has_part = True
            go_on()

        def failed(error: RealmsError) -> None:
            self._failed(question, error)
            go_on()

        def go_on() -> None:
            self._begin_rest(self._rest(question, clock.monotonic() - begun))
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                self._start(waiting)

        self._owner.background.ask_in_parts(self._key, lambda _: self._answer(question), each, go_on, failed)

    def _begin_rest(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._owner.background.owner.set_timer(seconds, self.end_rest) if seconds else None

    def end_rest(self) -> None:
        """Rest no longer."""
        self._timer = None
        self._rested()


class BackgroundWork(WithContext):
    """Gives a screen, or a part of one, its Background, which is closed with it. Stands last among the bases."""

    @cached_property
    def background(self) -> Background:
        """What it has asked and not heard of yet."""
        owner = cast("MessagePump", self)
        background = Background(owner, self.realms.session.clock)
        self.realms.backgrounds.add(background)
        return background

    def on_unmount(self) -> None:
        """Want no answers any more."""
        if "background" in vars(self):
            self.background.close()
