"""`realms keys`: the ssh key for the hosts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import HostRefused, ReadOnly, RealmsError, UsageError
from core.text import shell_command
from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options, yes_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.operations.ssh.keys import ServiceKey
    from core.operations.ssh.login import SshTarget


@click.group("keys", cls=LazyGroup)
def keys() -> None:
    """Create, show and install the ssh key for hosts."""


_file_option = click.option(
    "--file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Private key (default: ~/.ssh/id_rsa, which ssh tries by default).",
)  # fmt: skip


@keys.command("make", cls=RealmsCommand)
@click.option("--type", "kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True,
              help="Key type; RSA keys have 2048 bits, which every host accepts.")  # fmt: skip
@_file_option
@pass_options
def make(options: GlobalOptions, kind: str, file: Path | None) -> None:
    """Create a key without a passphrase, readable only by you. An existing key is never overwritten."""
    _check_may_change(options, "no key was created")
    from core.operations.ssh.keys import KeyType, default_key, make_key
    from tui.cli.output import say

    made = make_key(file or default_key(KeyType(kind)), KeyType(kind))
    say(f"{made.private}: {made.type} {made.bits}, {made.fingerprint}")
    _print_what_next(made)


@keys.command("show", cls=RealmsCommand)
@_file_option
@json_option
def show(file: Path | None, *, as_json: bool) -> None:
    """Show the key: the authorized_keys line on standard output, instructions on standard error."""
    from core.operations.ssh.keys import default_key, is_tried_by_itself, read_key
    from tui.cli.output import print_json, say

    key = read_key(file or default_key())
    if as_json:
        print_json(
            {
                "file": str(key.private),
                "type": key.type.lower(),
                "bits": key.bits,
                "fingerprint": key.fingerprint,
                "line": key.line,
                "default": is_tried_by_itself(key.private),
            }
        )
        return
    say(key.line)
    say(f"{key.private}: {key.type} {key.bits}, {key.fingerprint}", error=True)
    _print_what_next(key, error=True)


def _print_what_next(key: ServiceKey, *, error: bool = False) -> None:
    from urllib.parse import quote

    from core.operations.ssh.keys import is_tried_by_itself
    from tui.cli.output import say

    tried = is_tried_by_itself(key.private)
    file = "" if tried else shell_command(" --file", key.private)
    say(f"install it on hosts with: realms keys install HOST...{file}", error=error)
    if not tried:
        say(f"or use it in host URIs: qemu+ssh://root@HOST/system?keyfile={quote(str(key.private))}", error=error)


@keys.command("install", cls=RealmsCommand)
@click.argument("subjects", metavar="HOST|URI...", nargs=-1, required=True)
@_file_option
@yes_option
@pass_options
def install(options: GlobalOptions, subjects: tuple[str, ...], file: Path | None, *, yes: bool) -> int:
    """Install the key on hosts, registered or given by URI.

    Appends its line to ~/.ssh/authorized_keys if it is missing, using your own ssh login: ssh may ask for a password.
    The key is --file, or the one in the URI. Exit code 1 if a host failed.
    """
    _check_may_change(options, "no key was installed")
    from core.operations.ssh.keys import default_key, read_key
    from tui.cli.output import say

    targets = _targets(options, tuple(dict.fromkeys(subjects)))
    wanted = [(name, target, read_key(file or target.keyfile or default_key())) for name, target in targets]
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and on_terminal and not _is_confirmed(wanted):
        say("nothing was installed", error=True)
        return 1
    failed = [name for name, target, key in wanted if not _install(name, target, key, may_ask=on_terminal)]
    return 1 if failed else 0


def _install(name: str, target: SshTarget, key: ServiceKey, *, may_ask: bool) -> bool:
    from core.operations.ssh.keys import Installed
    from core.operations.ssh.keys import install as install_key
    from tui.cli.output import say

    try:
        outcome = install_key(key, target, may_ask=may_ask)
    except RealmsError as error:
        say(error.message if target.login == name else f"{name}: {error.message}", error=True)
        if error.hint:
            say(f"  {error.hint}", error=True)
        return False
    done = "key installed" if outcome is Installed.ADDED else "key already installed"
    say(f"{name}: {done} ({key.fingerprint})")
    return True


def _is_confirmed(wanted: Sequence[tuple[str, SshTarget, ServiceKey]]) -> bool:
    from core.text import printable
    from tui.cli.output import say

    for key in dict.fromkeys(key for _, _, key in wanted):
        logins = ", ".join(target.login for _, target, each in wanted if each == key)
        say(f"{key.type} key {key.fingerprint} ({key.private}) for {logins}", error=True)
    names = ", ".join(name for name, _, _ in wanted)
    question = f"Allow logins with this key on {names}?"
    return click.confirm(printable(question), default=False, err=True)


def _targets(options: GlobalOptions, subjects: Sequence[str]) -> list[tuple[str, SshTarget]]:
    """Find where each login goes; a configuration is needed only for hosts by their name."""
    from core.operations.ssh.login import SshTarget
    from core.uris import parse_uri

    registry = None
    if any("://" not in subject for subject in subjects):
        registry = options.changing_session().require_writable()
    targets = []
    for subject in subjects:
        text = registry.host(subject).uri if registry is not None and "://" not in subject else subject
        try:
            uri = parse_uri(text)
        except HostRefused as error:
            raise UsageError(error.message, hint=error.hint) from error
        target = SshTarget.of(uri)
        if target is None:
            message = f"{subject}: libvirt does not use ssh for {text}"
            raise UsageError(message, hint="only hosts with qemu+ssh://... need this key")
        targets.append((subject if "://" not in subject else target.login, target))
    return targets


def _check_may_change(options: GlobalOptions, nothing: str) -> None:
    if options.fleet is not None:
        raise ReadOnly(f"{nothing}: a saved fleet can't be changed", hint="leave out --fleet")
    if options.read_only:
        raise ReadOnly(f"{nothing}: read-only mode", hint="leave out --read-only")
