"""Help with the ssh key, where a host's sshd answers and turns us away: make it, show it, install it."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button

from core.errors import RealmsError, UnreadableFile
from core.operations.ssh.keys import KeyType, ServiceKey, default_key, make_key, read_key
from core.operations.ssh.login import SshTarget
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.text import one_line
from tui.render.hosts.ssh_key import ask_install, ask_make, key_lines, line_lines, no_key_lines
from tui.render.question import Question
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.wizard import first_focusable
from tui.terminal.foreground import run_in_foreground
from tui.widgets.flow import Flow

PAUSE = "printf '\\nPress Enter to return. '; read -r _"
"""Run where ssh failed, so that its words can be read."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The key in a file, or why there is none that can be used."""

    file: Path
    key: ServiceKey | RealmsError
    exists: bool


def look_at_key(wanted: Path | None) -> KeyFile:
    """Read the key of a login, the default one where it names none."""
    file, exists = wanted or Path("~/.ssh"), True
    try:
        file = wanted or default_key()
        exists = os.path.exists(file)
        return KeyFile(file, read_key(file), exists)
    except RealmsError as error:
        return KeyFile(file, error, exists)
    except OSError as error:  # a folder that we may not look into
        return KeyFile(file, UnreadableFile(f"{file}: {error.strerror or error}"), exists)


class KeyHelp(Vertical, BackgroundWork):
    """Shows the key for one login, and what can be done with it. Posts Mended when the login may work now."""

    class Mended(Message):
        """Something was done that may let us in."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._target: SshTarget | None = None
        self._uri = ""
        self._key: ServiceKey | None = None

    def compose(self) -> ComposeResult:
        """Lay out the key, and the buttons of both cases."""
        yield Flow(id="key")
        with Horizontal(classes="actions", id="make-row"):
            yield Button("Generate RSA key, 2048 bits", id="make-rsa", compact=True)
            yield Button("Generate Ed25519 key", id="make-ed25519", compact=True)
        with Horizontal(classes="actions", id="install-row"):
            yield Button("Install with ssh", id="install", compact=True)
            yield Button("Copy line", id="copy", compact=True)
        yield Flow(id="key-line", classes="below")

    def on_mount(self) -> None:
        """Begin hidden."""
        self.hide()

    def hide(self) -> None:
        """Show nothing: the key is not what is wrong."""
        self.display = False
        self.background.forget("key")

    def offer(self, target: SshTarget, uri: str) -> None:
        """Show the key for a login; reading it asks ssh-keygen, off this thread."""
        if self.display and (target, uri) == (self._target, self._uri):
            return
        self._target, self._uri = target, uri
        self._look()

    def _look(self) -> None:
        wanted = self._target.keyfile if self._target is not None else None
        self.background.ask("key", lambda _: look_at_key(wanted), self._show_key, self._fail_to_look)

    def _fail_to_look(self, error: RealmsError) -> None:
        wanted = self._target.keyfile if self._target is not None else None
        self._show_key(KeyFile(wanted or Path("~/.ssh"), error, exists=True))

    def _show_key(self, found: KeyFile) -> None:
        outcome, file = found.key, found.file
        self._key = outcome if isinstance(outcome, ServiceKey) else None
        key = self.query_one("#key", Flow)
        if isinstance(outcome, ServiceKey):
            key.show(partial(key_lines, outcome))
            self.query_one("#key-line", Flow).show(partial(line_lines, outcome))
        else:
            key.show(lambda width: no_key_lines(file, outcome, exists=found.exists, width=width))
        self.query_one("#make-row").display = self._key is None and not found.exists
        for part in ("#install-row", "#key-line"):
            self.query_one(part).display = self._key is not None
        self.display = True
        self.call_after_refresh(self._put_focus)

    def _put_focus(self) -> None:
        first = first_focusable(self)
        if first is not None:
            first.focus(scroll_visible=False)  # why the key is refused stands above it, and stays in view

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says, after asking where it changes something."""
        event.stop()
        match event.button.id:
            case "make-rsa":
                self._make(KeyType.RSA)
            case "make-ed25519":
                self._make(KeyType.ED25519)
            case "copy" if self._key is not None:
                self.app.copy_to_clipboard(self._key.line)
                self.realms.tell("Public key copied to the clipboard (OSC 52).")
            case "install" if self._key is not None and self._target is not None:
                self._ask(ask_install(self._key, self._target), self._install)

    def _ask(self, question: Question, then: Callable[[], None]) -> None:
        self.app.push_screen(Confirm(question), lambda wanted: then() if wanted else None)

    def _make(self, kind: KeyType) -> None:
        named = self._target.keyfile if self._target is not None else None
        file = named or default_key(kind)

        def job(control: Control) -> ServiceKey:
            with control.step(StepKind.CREATE, f"make {file}"):
                return make_key(file, kind)

        def made(key: ServiceKey) -> None:
            self.realms.tell(f"{key.private}: {key.type} {key.bits}")
            if self.is_mounted:
                self._look()

        def make() -> None:
            self.realms.run_task("make key", str(file), job, made)

        self._ask(ask_make(file, kind), make)

    def _install(self) -> None:
        key, target = self._key, self._target
        if key is None or target is None:
            return
        words = ("keys", "install", "--yes", "--file", str(key.private), "--", self._uri)
        try:
            with self.app.suspend():
                sys.stderr.write(f"installing {one_line(str(key.private))} with ssh {one_line(target.login)}\n")
                sys.stderr.flush()
                code = run_in_foreground((sys.executable, "-P", "-m", "tui", *words))
                if code:
                    run_in_foreground(("sh", "-c", PAUSE))
        except SuspendNotSupported:
            self.realms.tell("Cannot run ssh in this terminal.", "warning", hint="realms keys install URI")
            return
        except OSError as error:
            self.realms.tell(f"cannot start ssh: {error.strerror or error}", "error")
            return
        self.app.refresh(layout=True)
        if code:
            self.realms.tell("The key was not installed.", "warning")
        self.post_message(self.Mended())
