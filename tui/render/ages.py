"""How old the figures of a host are, and what that makes of them."""

from collections.abc import Mapping
from enum import Enum

from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.realms import STALE_AFTER_POLLS, Realm
from core.units import show_age

DEFAULT_POLL_SECONDS = 5.0
"""Poll period of a host whose realm isn't configured."""

SHOWN_AFTER_POLLS = 2
"""An age is shown from here on: until then it would only make an idle screen busy."""


class Freshness(Enum):
    """What a host's figures are worth."""

    LIVE = "live"
    LATE = "late"
    """Older than two polls, still good enough to place by."""
    STALE = "stale"
    """Older than three polls, or the host doesn't answer: what was seen last, which nobody can vouch for."""
    NEVER = "never"
    """Nothing was seen yet."""
    OFF = "off"
    """Not connected on purpose; figures, if any, are from before."""

    @property
    def is_current(self) -> bool:
        """Whether the figures may be shown as what is."""
        return self in (Freshness.LIVE, Freshness.LATE)


def freshness(snapshot: HostSnapshot, now: float, realms: Mapping[str, Realm]) -> Freshness:
    """Judge a host's figures at a moment."""
    if not snapshot.host.state.connects or snapshot.connection is Connection.OFF:
        return Freshness.OFF
    age = snapshot.age(now)
    if age is None:
        return Freshness.NEVER
    poll = poll_seconds(snapshot, realms)
    if snapshot.connection is not Connection.CONNECTED or age > STALE_AFTER_POLLS * poll:
        return Freshness.STALE
    return Freshness.LATE if age > SHOWN_AFTER_POLLS * poll else Freshness.LIVE


def poll_seconds(snapshot: HostSnapshot, realms: Mapping[str, Realm]) -> float:
    """How often a host is asked, in seconds."""
    realm = realms.get(snapshot.host.realm)
    return DEFAULT_POLL_SECONDS if realm is None else realm.poll_frequency


def shown_ages(fleet: Fleet, realms: Mapping[str, Realm]) -> tuple[str, ...]:
    """Return what the screen says about ages: as long as this stays the same, time alone changes nothing on it."""
    told = []
    for snapshot in fleet.hosts:
        worth = freshness(snapshot, fleet.taken, realms)
        if worth in (Freshness.LATE, Freshness.STALE):
            told.append(f"{worth.value} {show_age(snapshot.age(fleet.taken) or 0.0)}")
        else:
            told.append(worth.value)
    return tuple(told)


def connection_text(snapshot: HostSnapshot, now: float, realms: Mapping[str, Realm]) -> str:
    """Return how the program stands with a host: "live", "no answer 48 s", "not connected"."""
    worth = freshness(snapshot, now, realms)
    age = snapshot.age(now)
    since = f" {show_age(age)}" if age is not None else ""
    match snapshot.connection:
        case _ if worth is Freshness.OFF:
            return "not connected"
        case Connection.CONNECTED if worth is Freshness.LIVE:
            return "live"
        case Connection.CONNECTED if worth is Freshness.NEVER:
            return "asking"
        case Connection.CONNECTED:
            return f"{worth.value}{since}"
        case Connection.CONNECTING:
            return f"connecting{since}"
        case Connection.UNREACHABLE:
            return f"no answer{since}"
        case _:
            return "unknown"
