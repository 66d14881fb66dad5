"""Who but its administrators could change the registry: where others may write, or somebody else owns it."""

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.text import shell_command
from core.units import whole_number


@dataclass(frozen=True, slots=True)
class Exposure:
    """A file or folder that somebody could change who should not: what is wrong, and a command that mends it."""

    what: str
    mend: str


def exposures(registry: Path) -> Iterator[Exposure]:
    """Return who could change the registry besides its owner and its group; nothing where it doesn't exist.

    Whoever can change it decides which hosts are connected to, and by which URI.
    """
    for path in (registry, registry.parent):
        try:
            about = path.stat()
        except OSError:  # there is none yet, or it can't be looked at: opening it says so
            continue
        is_sticky = stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX
        if about.st_mode & stat.S_IWOTH and not is_sticky:
            yield Exposure(f"{path} is writable by every user", shell_command("chmod o-w", path))
        if about.st_uid not in _trusted() and not _is_shared_with_us(about):
            yield Exposure(
                f"{path} belongs to {_name(about.st_uid)}, who can change every host",
                shell_command(f"chown {_name(os.geteuid())}", path),
            )


def _trusted() -> set[int]:
    """Return who may own it: root, this user, and the one behind sudo."""
    behind = whole_number(os.environ.get("SUDO_UID"))
    return {0, os.geteuid(), *(() if behind is None else (behind,))}


def _is_shared_with_us(about: os.stat_result) -> bool:
    return bool(about.st_mode & stat.S_IWGRP) and about.st_gid in {os.getegid(), *os.getgroups()}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}" if uid != os.geteuid() else str(uid)
