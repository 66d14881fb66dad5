"""A lab's outer namespaces: everything of the lab lives inside them, and dies with the one process that holds them.

That process waits for the end of its input, which its owner holds open. So nothing outlives the owner, however it ends.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from .requirements import SBIN
from .waiting import eventually


class CommandFailed(AssertionError):
    """A command inside the lab failed; the message holds the command and what it wrote."""


def environment() -> dict[str, str]:
    """Return what the lab's programs are started with: daemons' folders in the path, messages in English."""
    return {"PATH": SBIN, "LC_ALL": "C", "HOME": "/root", "TERM": "dumb"}


def run(*command: str, check: bool = True, timeout: float = 60.0, stdin: str = "") -> str:
    """Run a command on the machine and give its standard output; raises CommandFailed unless `check` is False."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, timeout=timeout, env=environment()
    )
    if check and done.returncode != 0:
        message = f"{' '.join(command)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}"
        raise CommandFailed(message)
    return done.stdout


def child_of(pid: int) -> int | None:
    """Return the only child of a process, None while it has none."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None
    return None


class Inside:
    """A process's namespaces, to run commands in."""

    def __init__(self, pid: int, *kinds: str) -> None:
        self.pid = pid
        self._enter = ("nsenter", "--target", str(pid), *(f"--{kind}" for kind in kinds))

    def command(self, *command: str) -> tuple[str, ...]:
        """Return the command that runs another one inside."""
        return (*self._enter, *command)

    def run(self, *command: str, check: bool = True, timeout: float = 60.0, stdin: str = "") -> str:
        """Run a command inside and give its standard output; raises CommandFailed unless `check` is False."""
        return run(*self.command(*command), check=check, timeout=timeout, stdin=stdin)


class Anchor:
    """The process that holds a lab's outer mount, network and PID namespaces."""

    def __init__(self, mark: str) -> None:
        self._process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                "read -r end",
                mark,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # unshare complains about its own end when it is ended
            env=environment(),
        )
        pid = eventually(lambda: child_of(self._process.pid), "the lab's namespaces", every=0.01)
        # The child exists before it has become `sh`, but is in its namespaces from its first moment; its /proc is not.
        eventually(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sh\0"), "the lab's first process")
        self.network = Inside(pid, "net")
        self.all = Inside(pid, "mount", "net", "pid")
        self.pid = pid

    def end(self) -> None:
        """End every process of the lab, and with them its namespaces, links and mounts."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
