"""The ssh key that hosts know this machine by: whether there is one, its line, and what installing it does."""

from pathlib import Path

from core.errors import RealmsError
from core.operations.ssh.keys import KeyType, ServiceKey
from core.operations.ssh.login import SshTarget
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import hanging
from tui.render.question import Question

Line = tuple[Piece, ...]

KEY_WORDS = {KeyType.RSA: "RSA, 2048 bits", KeyType.ED25519: "Ed25519"}
"""Kinds of key, as one says them."""

_LINE_PART = 400
"""Characters of a key's line that are shown: RSA with 2048 bits has fewer."""


def key_lines(key: ServiceKey, width: int) -> list[Line]:
    """Show a key: where it is, and what tells it from others."""
    where = f"{key.private}: {key.type} {key.bits}, {key.fingerprint}"
    return hanging("Key      ", Tone.STRONG, where, Tone.PLAIN, width)


def line_lines(key: ServiceKey, width: int) -> list[Line]:
    """Show the line for the host's authorized_keys."""
    told = "To allow this key, add the line to ~/.ssh/authorized_keys on the host:"
    return [*hanging("", Tone.PLAIN, told, Tone.MUTED, width), *broken(key.line[:_LINE_PART], width)]


def broken(text: str, width: int) -> list[Line]:
    """Break a text that must stay as it is at the width, wherever that is."""
    return [((text[start : start + width], Tone.PLAIN),) for start in range(0, len(text), max(1, width))]


def no_key_lines(file: Path, error: RealmsError, *, exists: bool, width: int) -> list[Line]:
    """Return the message that there is no key, or that what is there is none."""
    if exists:
        lines = hanging("Key      ", Tone.STRONG, error.message, Tone.BAD, width)
        return lines + (hanging(" " * 9, Tone.PLAIN, error.hint, Tone.MUTED, width) if error.hint else [])
    told = f"none at {file}. Generate one without a passphrase, readable only by you:"
    return hanging("Key      ", Tone.STRONG, told, Tone.PLAIN, width)


def ask_make(file: Path, kind: KeyType) -> Question:
    """Ask before a key is made."""
    lines: tuple[Line, ...] = (
        ((f"{file}", Tone.STRONG), (f"  {KEY_WORDS[kind]}, without a passphrase", Tone.MUTED)),
        ((f"{file}.pub", Tone.STRONG), ("  the public key", Tone.MUTED)),
        (),
        (("Both files are created on this machine; existing files are never overwritten.", Tone.MUTED),),
    )
    return Question("Generate a key?", lines, "Generate")


def ask_install(key: ServiceKey, target: SshTarget) -> Question:
    """Ask before a key is put on a host."""
    lines: tuple[Line, ...] = (
        ((f"ssh {target.login}", Tone.STRONG), ("  appends the public key to ~/.ssh/authorized_keys", Tone.PLAIN)),
        (),
        ((f"Anyone with {key.private} can then log in there.", Tone.WARN),),
        (("ssh takes over the terminal. It may ask for a password, or to confirm the", Tone.MUTED),
         (" host key: check its fingerprint.", Tone.MUTED)),
    )  # fmt: skip
    return Question(f"Install the key on {target.host}?", lines, "Install")
