"""Narrows a fleet down to what an administrator named."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.config.model import Configuration


def check_known(kind: str, wanted: str | None, known: Iterable[str]) -> None:
    """Raise UsageError for a name that doesn't exist, saying which was probably meant; None is fine."""
    names = list(known)
    if wanted is None or wanted in names:
        return
    near = difflib.get_close_matches(wanted, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names)) or 'none'}"
    message = f"no {kind} {wanted!r}"
    raise UsageError(message, hint=hint)


def only(fleet: Fleet, configuration: Configuration, *, realm: str | None = None, host: str | None = None) -> Fleet:
    """Keep the hosts of one realm, or one host; raises UsageError for a name that doesn't exist."""
    check_known("realm", realm, configuration.realms)
    check_known("host", host, (snapshot.name for snapshot in fleet.hosts))
    return Fleet(
        fleet.taken,
        tuple(
            snapshot
            for snapshot in fleet.hosts
            if realm in (None, snapshot.host.realm) and host in (None, snapshot.name)
        ),
    )
