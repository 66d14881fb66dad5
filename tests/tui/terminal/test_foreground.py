"""Another program in the foreground, in a real terminal."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time

PROGRAM = """
import sys
from tui.terminal.foreground import run_in_foreground
print("code", run_in_foreground(sys.argv[1:]), flush=True)
import termios
print("echo", bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)
"""


def run(*command: str, keys: bytes = b"", after: bytes = b"") -> str:
    """Run a command through the foreground runner in a terminal; press keys once `after` is on the screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, *command])  # noqa: S606 - the test itself
    seen, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        try:
            piece = os.read(terminal, 1024)
        except OSError:  # the other side has ended
            break
        seen += piece
        if keys and after in seen:
            os.write(terminal, keys)
            keys = b""
    os.waitpid(pid, 0)
    os.close(terminal)
    return seen.decode()


def test_its_exit_code_is_given_and_arguments_are_never_a_shells() -> None:
    """Whatever they hold."""
    assert "code 7" in run("sh", "-c", "exit 7")
    assert "$(id);*" in run("printf", "%s", "$(id);*")


def test_ctrl_c_is_for_it_alone() -> None:
    """We go on, and learn how it ended."""
    seen = run("sh", "-c", "echo ready; sleep 60", keys=b"\x03", after=b"ready")
    assert f"code {128 + signal.SIGINT}" in seen


def test_the_terminal_is_put_back_as_it_was() -> None:
    """Also where it was killed in the midst of another mode."""
    seen = run("sh", "-c", "stty raw -echo; kill -9 $$")
    assert f"code {128 + signal.SIGKILL}" in seen
    assert "echo True" in seen
