"""The order of keys: each one is handed out when the one before has done all that it does."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.events import Key, Paste
from textual.message_pump import MessagePump
from textual.screen import Screen

ROUNDS = 3
"""Ways from the focused widget up to the application that a key and what it brings about may take: the key itself, the
message that a widget makes of it (a button pressed), and the one that a screen makes of that."""

PATIENCE = 5.0
"""Seconds after which a key goes on although the one before has not been handled: a stuck widget stops no other."""


@runtime_checkable
class Cautious(Protocol):
    """A screen that must not be answered by keys that were typed before it was drawn."""

    @property
    def is_cautious(self) -> bool:
        """Whether it drops such keys."""

    def show_dropped(self, count: int) -> None:
        """Say how many keys were dropped."""


class Keyboard:
    """Hands keys and pasted text to an application one by one.

    Textual gives a key to the widget that has the focus, and looks for its binding only once it has come up to the
    application; the next key has then long gone to the same widget. Here the next one waits until the screen, the
    dialog or the field that the one before opens has been drawn and has the focus.
    """

    def __init__(self, app: App[Any], deliver: Callable[[Key | Paste], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._typed: deque[Key | Paste] = deque()
        self._task: asyncio.Task[None] | None = None
        self._front: Screen[Any] | None = None
        """The screen in front, once it has been drawn there."""
        self._is_drawn = False
        self._seen: Screen[Any] | None = None
        self._seen_at = 0.0
        """Since when that screen is seen."""
        self._dropped = 0

    @property
    def is_busy(self) -> bool:
        """Whether a key has not done yet all that it does."""
        return self._task is not None

    def take(self, event: Key | Paste) -> None:
        """Hand out a key, after those that came before."""
        self._typed.append(event)
        self.look()

    def look(self, _screen: object = None) -> None:
        """Notice that another screen may be in front: what is typed from now on waits until it is drawn."""
        if self._task is None:
            self._task = asyncio.create_task(self._hand_out())
            self._task.add_done_callback(self._rest)

    def draws(self, screen: Screen[Any]) -> None:
        """Note that a screen is being drawn: keys that are typed from now on are meant for it."""
        if screen is not self._seen:
            self._seen, self._seen_at, self._dropped = screen, monotonic(), 0

    def _rest(self, _task: asyncio.Task[None]) -> None:
        self._task = None
        app = self._app
        if app.is_running and app.screen_stack and (self._typed or app.screen is not self._front):
            self.look()

    async def _hand_out(self) -> None:
        app = self._app
        await self._drawing()
        while self._typed and app.is_running and app.screen_stack:
            event, screen, focused = self._typed.popleft(), app.screen, app.focused
            if isinstance(screen, Cautious) and screen.is_cautious and event.time < self._seen_at:
                self._dropped += 1
                screen.show_dropped(self._dropped)
                continue
            await _passed(app, partial(self._deliver, event))
            for _ in range(ROUNDS):
                for pump in _way_up(focused or screen):
                    await _passed(pump)
            self._is_drawn = app.focused is focused
            await self._drawing()

    async def _drawing(self) -> None:
        """Wait until the screen in front has been drawn since it came there, or since the focus moved."""
        app = self._app
        while app.is_running and app.screen_stack and not (app.screen is self._front and self._is_drawn):
            screen = app.screen
            drawn = asyncio.Event()
            if screen.call_after_refresh(drawn.set):
                await _unless_closed(screen, drawn)
            await _passed(app)  # a widget that takes the focus asks the application for it
            self._front, self._is_drawn = screen, True


def _way_up(target: MessagePump) -> list[MessagePump]:
    """List what a key passes: its target, what that stands in, and the application."""
    way = [target]
    while (parent := way[-1]._parent) is not None:
        way.append(parent)
    return way


async def _passed(pump: MessagePump, act: Callable[[], Awaitable[None]] | None = None) -> None:
    """Wait until a pump has handled what it has now, and then has done something."""
    passed = asyncio.Event()

    async def come() -> None:
        if act is not None:
            await act()
        passed.set()

    if pump.call_later(come):
        await _unless_closed(pump, passed)


async def _unless_closed(pump: MessagePump, event: asyncio.Event) -> None:
    """Wait for an event that a pump brings, for its end, or until patience does."""
    waiting = asyncio.ensure_future(event.wait())
    others = {pump._task} if pump._task is not None else set()
    await asyncio.wait({waiting, *others}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
