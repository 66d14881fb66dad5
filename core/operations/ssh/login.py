"""The ssh program as libvirt runs it for a host's URI: same user, port, key and checks, so that its answer counts."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from core.uris import ConnectionUri

SSH_FAILED = 255
"""Exit code of the ssh program where itself failed, and not the command on the host."""

LOOK_SECONDS = 0.1
"""How soon a program is ended whose answer nobody wants any more."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where a login goes. `user` and `port` are None where the ssh program's own configuration decides."""

    host: str
    user: str | None = None
    port: int | None = None
    keyfile: Path | None = None
    verifies_host: bool = True
    """False where the URI has no_verify=1: any host key is accepted."""

    @classmethod
    def of(cls, uri: ConnectionUri) -> SshTarget | None:
        """Read a URI whose connection libvirt makes with the ssh program; None for all others."""
        if not uri.uses_ssh_program:
            return None
        keyfile = uri.parameter("keyfile")
        return cls(uri.host, uri.user or None, uri.port, Path(keyfile) if keyfile else None, uri.verifies_host)

    @property
    def login(self) -> str:
        """What one types after `ssh` to get there."""
        host = shlex.quote(f"{self.user}@{self.host}" if self.user else self.host)
        return f"-p {self.port} {host}" if self.port else host

    @property
    def known_name(self) -> str:
        """The host as the known_hosts file calls it."""
        host = self.host.lower()
        return f"[{host}]:{self.port}" if self.port not in (None, 22) else host

    def arguments(self, *, only_key: bool = False) -> list[str]:
        """Options of the ssh program, up to the host. `only_key`: no other key than the file's may be offered."""
        arguments = []
        if self.keyfile is not None:
            arguments += ["-i", str(self.keyfile)]
            if only_key:
                arguments += ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        if self.port is not None:
            arguments += ["-p", str(self.port)]
        if self.user is not None:
            arguments += ["-l", self.user]
        if not self.verifies_host:
            arguments += ["-o", "StrictHostKeyChecking=no"]
        return [*arguments, "--", self.host]

    def with_key(self, keyfile: Path | None) -> SshTarget:
        """Return the same login with another key; with None the ssh program chooses."""
        return replace(self, keyfile=keyfile)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: its exit code (None: past its time, and ended by us), and what it wrote."""

    code: int | None
    out: str
    err: str


def run(command: Sequence[str], timeout: float | None, *, stdin: str = "", stop: Event | None = None) -> Outcome:
    """Run a program of the ssh family without a shell; past `timeout` seconds, or once `stop` is set, it is ended."""
    try:
        if stop is not None:
            return _run_until(command, timeout, stdin.encode(), stop)
        done = subprocess.run(
            [*command], input=stdin.encode(), capture_output=True, timeout=timeout, check=False, env=_environment()
        )
    except subprocess.TimeoutExpired as expired:
        return Outcome(None, _text(expired.stdout), _text(expired.stderr))
    except FileNotFoundError:
        return Outcome(127, "", f"{command[0]}: not installed on this machine")
    except OSError as error:
        return Outcome(126, "", f"{command[0]}: {error.strerror}")
    return Outcome(done.returncode, _text(done.stdout), _text(done.stderr))


def _run_until(command: Sequence[str], timeout: float | None, stdin: bytes, stop: Event) -> Outcome:
    until = time.monotonic() + timeout if timeout is not None else math.inf
    pipe = subprocess.PIPE
    to_write: bytes | None = stdin
    with subprocess.Popen([*command], stdin=pipe, stdout=pipe, stderr=pipe, env=_environment()) as program:
        while True:
            try:
                out, err = program.communicate(to_write, min(LOOK_SECONDS, max(0.0, until - time.monotonic())))
            except subprocess.TimeoutExpired as expired:
                to_write = None  # what could not be written yet is remembered
                if stop.is_set() or time.monotonic() >= until:
                    program.kill()
                    return Outcome(None, _text(expired.stdout), _text(expired.stderr))
            else:
                return Outcome(program.returncode, _text(out), _text(err))


def log_in(
    target: SshTarget,
    script: str,
    timeout: float,
    *,
    stdin: str = "",
    only_key: bool = False,
    stop: Event | None = None,
) -> Outcome:
    """Run a fixed command on a host, as libvirt would log in: without any question, and not over a shared connection.

    `script` must be a constant: what varies goes through `stdin`, where no shell reads it as its own text.
    """
    options = [
        "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, int(timeout))}", "-o", "ControlPath=none",
        *target.arguments(only_key=only_key),
    ]  # fmt: skip
    return run(["ssh", *options, script], timeout, stdin=stdin, stop=stop)


def ask_and_log_in(target: SshTarget, script: str, *, stdin: str) -> Outcome:
    """Do the same, but let the ssh program ask for a password, or to accept the host's key, on its terminal."""
    done = subprocess.run(
        ["ssh", "-T", *target.arguments(), script],
        input=stdin.encode(), stdout=subprocess.PIPE, check=False, env=_environment(),
    )  # fmt: skip
    return Outcome(done.returncode, _text(done.stdout), "")


def effective(target: SshTarget, timeout: float = 5.0) -> Mapping[str, tuple[str, ...]]:
    """Ask the ssh program what its configuration makes of a login: each setting in lower case, with its values."""
    outcome = run(["ssh", "-G", *target.arguments()], timeout)
    settings: dict[str, tuple[str, ...]] = {}
    for line in outcome.out.splitlines():
        name, _, value = line.partition(" ")
        settings[name] = (*settings.get(name, ()), value)
    return settings


def _environment() -> dict[str, str]:
    return os.environ | {"LC_ALL": "C"}  # its messages are read here


def _text(written: bytes | None) -> str:
    return (written or b"").decode("utf-8", "replace")
