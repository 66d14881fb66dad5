"""The ssh key that the hosts know the service by: made, shown, and put on hosts (specification, section 1)."""

import base64
import binascii
import os
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import HostUnreachable, RealmsError, UnreadableFile, UnwritableFile
from core.files import make_folder
from core.operations.paths import current_user
from core.operations.ssh.login import SSH_FAILED, Outcome, SshTarget, ask_and_log_in, log_in, run
from core.operations.ssh.messages import SshReason, SshSaid, explain
from core.text import one_line, printable, shell_command

RSA_BITS = 2048
LOGIN_SECONDS = 20.0

_LINE = re.compile(
    r"(?P<kind>ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+|sk-[a-z0-9@.-]+) (?P<blob>[A-Za-z0-9+/]+=*)(?: (?P<comment>.*))?"
)
_LISTED = re.compile(r"(?P<bits>\d+) (?P<print>\S+) .*\((?P<type>[^()]+)\)")

# Runs on the host, in whatever shell its user has: nothing in it varies, the key comes through standard input.
_APPEND = (
    "exec sh -c 'set -eu; umask 077; read -r kind blob rest; cd; mkdir -p .ssh; file=.ssh/authorized_keys; "
    'touch "$file"; chmod 700 .ssh; chmod 600 "$file"; '
    'if grep -v "^[[:space:]]*#" "$file" | grep -qF -- "$blob"; then echo present; else '
    'if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >> "$file"; fi; '
    'printf "%s %s %s\\n" "$kind" "$blob" "$rest" >> "$file"; echo added; fi; '
    'if command -v restorecon > /dev/null 2>&1; then restorecon -F .ssh "$file" || true; fi\''
)


_ASKING_HELPS = ("permission denied", "host key verification failed", "no matching host key")
"""What ssh says without asking where a password, or a yes to the host's key, may open the way."""


class KeyType(StrEnum):
    """Kinds of key that are made. The specification asks for RSA with 2048 bits; hosts take the other as well."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key: its private file, which may be elsewhere, and its public half."""

    private: Path
    kind: str
    blob: str
    """The public key itself, in base64; what tells keys apart."""
    comment: str
    type: str
    """As ssh-keygen says it: RSA, ED25519."""
    bits: int
    fingerprint: str

    @property
    def line(self) -> str:
        """The line for a host's authorized_keys."""
        return " ".join(part for part in (self.kind, self.blob, self.comment) if part)


class Installed(StrEnum):
    """What putting a key on a host came to."""

    ADDED = "added"
    PRESENT = "present"


def default_key(kind: KeyType | None = None) -> Path:
    """Return the file that the ssh program tries by itself; without a kind, the first that exists."""
    folder = Path.home() / ".ssh"
    if kind is not None:
        return folder / f"id_{kind.value}"
    files = [folder / f"id_{each.value}" for each in KeyType]
    return next((file for file in files if os.path.exists(file)), files[0])


def is_tried_by_itself(key: Path) -> bool:
    """Whether the ssh program offers this key where a URI names none."""
    return key in {default_key(kind) for kind in KeyType}


def make_key(private: Path, kind: KeyType) -> ServiceKey:
    """Make a key without a passphrase. Raises UnwritableFile; never touches a file that exists."""
    private = private.expanduser().absolute()
    for file in (private, _public(private)):
        if os.path.lexists(file):
            hint = f"show it with {shell_command('realms keys show --file', private)}, or create another with --file"
            raise UnwritableFile(f"{file} already exists and is not overwritten", hint=hint)
    try:
        make_folder(private.parent)
    except OSError as error:
        raise UnwritableFile(f"{private.parent}: {(error.strerror or str(error)).lower()}") from error
    comment = f"libvirt-realms {current_user()}@{socket.gethostname()}"
    size = ["-b", str(RSA_BITS)] if kind is KeyType.RSA else []
    made = run(["ssh-keygen", "-q", "-t", kind.value, *size, "-N", "", "-C", comment, "-f", str(private)], 120.0)
    if made.code != 0:
        reason = one_line(made.err or made.out) or "ssh-keygen failed"
        raise UnwritableFile(
            f"{private}: {reason}", hint="check that openssh-client is installed and the folder is writable"
        )
    return read_key(private)


def read_key(private: Path) -> ServiceKey:
    """Read a key by its private file or its public one; raises UnreadableFile where it is none."""
    private = private.expanduser().absolute()
    public = _public(private)
    private = public.with_suffix("") if private.suffix == ".pub" else private
    try:
        text = public.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        text = run(["ssh-keygen", "-y", "-P", "", "-f", str(private)], 10.0).out if os.path.exists(private) else ""
        if not text:
            message = f"{public}: {(error.strerror or str(error)).lower()}"
            write = f"{shell_command('ssh-keygen -y -f', private)} {shell_command('>', public)}"
            hint = write if os.path.exists(private) else "create a key: realms keys make"
            raise UnreadableFile(message, hint=hint) from error
    return _parse(private, public, text)


def _parse(private: Path, public: Path, text: str) -> ServiceKey:
    lines = [line for line in text.splitlines() if line.strip()]
    match = _LINE.fullmatch(lines[0].strip()) if len(lines) == 1 else None
    if match is None or not _is_blob_of(match["kind"], match["blob"]):
        raise UnreadableFile(f"{public} is not a public ssh key", hint="expected one line: ssh-rsa AAAA... comment")
    listed = _LISTED.search(run(["ssh-keygen", "-l", "-f", "-"], 10.0, stdin=lines[0] + "\n").out)
    if listed is None:
        raise UnreadableFile(f"{public} is not an ssh key known to ssh-keygen", hint="create one: realms keys make")
    comment = printable(match["comment"] or "").strip()
    return ServiceKey(
        private, match["kind"], match["blob"], comment, listed["type"], int(listed["bits"]), listed["print"]
    )


def _is_blob_of(kind: str, blob: str) -> bool:
    """Return a public key, which begins with its own kind, from any other base64."""
    try:
        decoded = base64.b64decode(blob, validate=True)
    except binascii.Error:
        return False
    return decoded[4 : 4 + len(kind)] == kind.encode() and int.from_bytes(decoded[:4], "big") == len(kind)


def _public(private: Path) -> Path:
    return private if private.suffix == ".pub" else private.with_name(private.name + ".pub")


# On hosts ----------------------------------------------------------------------------------------------------------


def opens(key: ServiceKey, target: SshTarget) -> bool:
    """Return whether a host lets this key in already, and no other is needed."""
    if not os.path.exists(key.private):
        return False
    return log_in(target.with_key(key.private), "true", LOGIN_SECONDS, only_key=True).code == 0


def install(key: ServiceKey, target: SshTarget, *, may_ask: bool) -> Installed:
    """Append a key to a host's authorized keys where it isn't there yet, by a login of the user's own.

    With `may_ask` the ssh program asks for a password on the terminal. Raises HostUnreachable with what ssh said.
    """
    if opens(key, target):
        return Installed.PRESENT
    own = target.with_key(None) if target.keyfile == key.private else target  # another key there is a way in
    stdin = key.line + "\n"
    outcome = log_in(own, _APPEND, LOGIN_SECONDS, stdin=stdin)
    if may_ask and outcome.code == SSH_FAILED and any(reason in outcome.err.lower() for reason in _ASKING_HELPS):
        outcome = ask_and_log_in(own, _APPEND, stdin=stdin)
    said = outcome.out.split()[-1:]
    if outcome.code != 0 or said not in (["added"], ["present"]):
        raise _failure(outcome, target)
    if _needs_no_passphrase(key) and not opens(key, target):
        message = f"{target.login}: the key is in ~/.ssh/authorized_keys, but the login fails"
        raise RealmsError(
            message, hint="see sshd's log there (journalctl -u ssh); check PermitRootLogin and AuthorizedKeysFile"
        )
    return Installed(said[0])


def _needs_no_passphrase(key: ServiceKey) -> bool:
    return os.path.exists(key.private) and run(["ssh-keygen", "-y", "-P", "", "-f", str(key.private)], 10.0).code == 0


def _failure(outcome: Outcome, target: SshTarget) -> RealmsError:
    if outcome.code is None:
        return HostUnreachable(
            "", f"{target.login}: no answer in {LOGIN_SECONDS:g} s", hint="check that the host is up"
        )
    if outcome.code == SSH_FAILED:
        unheard = SshSaid("the login failed", "see ssh's message above")
        what, mend, reason = explain(outcome.err, "", target) if outcome.err else unheard
        if reason is SshReason.KEYS_REFUSED:
            mend = "log in there another way, with a password or a known key: run this in a terminal"
        return HostUnreachable("", f"{target.login}: {what}", hint=mend)
    said = one_line(outcome.err) or f"exit code {outcome.code}"
    return RealmsError(
        f"{target.login}: the key could not be added: {said}", hint="add the line from realms keys show manually"
    )
