"""The real program in a real terminal: tmux, driven by keys and read as text."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REALMS = Path(sys.executable).with_name("realms")

DEADLINE = 60.0
"""Seconds after which what was waited for will never be seen."""


class Terminal:
    """A program in a tmux server of its own."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._socket = f"realms-{uuid.uuid4().hex[:12]}"
        self._folder = folder
        self._size = ("-x", str(columns), "-y", str(rows))
        self._output = folder / f"{self._socket}.fifo"
        self._status = folder / f"{self._socket}.status"
        self._reader = -1

    def _tmux(self, *arguments: str) -> str:
        command = ("tmux", "-L", self._socket, "-f", "/dev/null", *arguments)
        # What a picture that was compared in this process has left there would be taken for the size of the terminal.
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "COLUMNS", "LINES")}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    def start(self, *command: str, environment: Mapping[str, str]) -> None:
        """Start the program; what it writes wakes those that wait."""
        os.mkfifo(self._output)
        self._reader = os.open(self._output, os.O_RDONLY | os.O_NONBLOCK)
        exports = [f"{name}={value}" for name, value in environment.items()]
        # The pane waits for the pipe to be laid before the program starts, and stays after its end.
        # The shell notes the exit code, because tmux doesn't always learn of it, and keeps what stands on the screen.
        note = f"echo $? > '{self._status}.new'; mv '{self._status}.new' '{self._status}'; read -r _"
        waiting = f'tmux -L {self._socket} wait-for laid; env "$@"; {note}'
        self._tmux("new-session", "-d", *self._size, "-s", "test", "sh", "-c", waiting, "sh", *exports, *command)
        self._tmux("pipe-pane", "-t", "test", f"exec cat > '{self._output}'")
        self._tmux("wait-for", "-S", "laid")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", "-t", "test", *keys)

    def write(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-t", "test", "-l", text)

    def text(self) -> str:
        """Return what stands on the screen now."""
        return self._tmux("capture-pane", "-p", "-t", "test")

    def has_ended(self) -> bool:
        """Whether the program is gone."""
        return self._status.exists()

    def wait_for(self, *texts: str, without: str = "", deadline: float = DEADLINE) -> str:
        """Wait until all texts are on the screen (and another isn't); gives the screen, or fails showing it."""
        return self._wait(
            lambda screen: all(text in screen for text in texts) and not (without and without in screen),
            f"{texts!r}" + (f" without {without!r}" if without else ""),
            deadline,
        )

    def wait_for_end(self) -> int:
        """Wait until the program has ended; gives its exit code."""
        self._wait(lambda _: self.has_ended(), "the end of the program")
        return int(self._status.read_text())

    def _wait(self, satisfied: Callable[[str], bool], what: str, deadline: float = DEADLINE) -> str:
        until = time.monotonic() + deadline
        while True:
            screen = self.text()
            if satisfied(screen):
                return screen
            left = until - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited in vain for {what}; the screen:\n{screen}")
            # Output wakes us; the bound is for an end without any, and for tmux to draw what it has just passed on.
            ready, _, _ = select.select([self._reader], [], [], min(left, 0.2))
            if ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._reader, 1 << 16)

    def close(self) -> None:
        """End the program with its server."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")
        if self._reader >= 0:
            os.close(self._reader)


@contextlib.contextmanager
def terminal(
    folder: Path, *arguments: str, columns: int = 120, rows: int = 40, environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run `realms` with these arguments in a terminal of its own."""
    assert shutil.which("tmux"), "tmux is missing: make test installs it"
    pane = Terminal(folder, columns, rows)
    try:
        pane.start(str(REALMS), *arguments, environment=dict(environment or {}))
        yield pane
    finally:
        pane.close()
