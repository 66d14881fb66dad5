"""The reasons against a host, in the words of an operator (specification, section 8)."""

from collections.abc import Iterator

from core.codes import Why
from core.config.model import Configuration
from core.costs import Cost, CostFunction, Term
from core.fleet.fleet import Connection, HostSnapshot, PoolState
from core.hosts import HostState
from core.placement.engine.request import Request
from core.placement.engine.verdicts import TOTAL, Refusal
from core.realms import Realm
from core.text import one_line
from core.units import show_age, show_size

_GIB = 2**30
_CONNECTION_STATES = {
    Connection.CONNECTED: "connected, but it has not answered yet",
    Connection.CONNECTING: "still connecting",
    Connection.UNREACHABLE: "unreachable",
    Connection.OFF: "not connected",
    Connection.UNKNOWN: "not connected: not tried yet",
}


def by_state(configuration: Configuration, snapshot: HostSnapshot, now: float) -> Iterator[Refusal]:
    """Reasons that hold for any VM: realm, state, connection, age and profile of the host."""
    host = snapshot.host
    realm = configuration.realms.get(host.realm)
    if realm is None:
        yield Refusal(Why.UNKNOWN_REALM, f"realm {host.realm} is not in the configuration")
    elif realm.disabled:
        yield Refusal(Why.REALM_DISABLED, f"realm {realm.id} is disabled")
    if host.state is HostState.DISABLED:
        yield Refusal(Why.HOST_DISABLED, "the host is disabled")
    elif host.state is HostState.NO_SCHEDULING:
        yield Refusal(Why.NO_SCHEDULING, "the host is set to No Scheduling")
    age = snapshot.age(now)
    if snapshot.connection is not Connection.CONNECTED or age is None:
        yield Refusal(Why.NOT_CONNECTED, _no_connection(snapshot, age))
    elif realm is not None and age > realm.stale_after:
        message = f"last answer {show_age(age)} ago: past {realm.stale_after:g} s its data are too old for placement"
        yield Refusal(Why.STALE, message)
    yield from _by_profile(configuration, host.profile)


def _no_connection(snapshot: HostSnapshot, age: float | None) -> str:
    state = _CONNECTION_STATES[snapshot.connection]
    error = f": {one_line(snapshot.error)}" if snapshot.error else ""
    return state + error + ("" if age is None else f"; last seen {show_age(age)} ago")


def _by_profile(configuration: Configuration, profile_id: str) -> Iterator[Refusal]:
    profile = configuration.hardware_profiles.get(profile_id)
    if profile is None:
        yield Refusal(Why.UNKNOWN_PROFILE, f"hardware profile {profile_id} is not in the configuration")
    elif profile.cost_function not in configuration.cost_functions:
        message = f"hardware profile {profile_id} names cost function {profile.cost_function}, which is not defined"
        yield Refusal(Why.UNKNOWN_PROFILE, message)


def no_free_device(kind: str, asked: int, free: int, owned: int) -> Refusal:
    """Too few free devices of a type; `owned` is the number that the host's profile lists."""
    none = ": hosts with this profile have none" if not owned else ""
    message = f"asked for {asked} {kind}, {free} free{none}"
    return Refusal(Why.NO_FREE_DEVICE, message, f"devices.{kind}", asked, free)


def infinite_cost(function: CostFunction, cost: Cost) -> Iterator[Refusal]:
    """One reason for each term that is infinite after placing; `total` where only their sum overflows."""
    if cost.feasible:
        return
    infinite = [term for term in cost.terms if not term.feasible]
    for term in infinite:
        yield _infinite_term(function, term)
    if not infinite:
        detail = "every term is finite, but their sum is too large for a double"
        yield Refusal(Why.COST_INFINITE, f"{TOTAL} infinite: {detail}", TOTAL, detail=detail)


def _infinite_term(function: CostFunction, term: Term) -> Refusal:
    kind = term.attribute.removeprefix("devices.")
    amount = _amount(term.attribute, term.input)
    limit = term.largest_finite_input
    if limit is not None and term.input <= limit:  # the curve allows it, its arithmetic overflows
        limit = None
    joint = ": "
    if kind != term.attribute and kind not in function.devices:
        detail = f"cost function {function.id} has no curve for {kind}"
    elif limit is None:
        joint, detail = " ", f"at {amount} after placing"
    else:
        excess, shown_limit = _excess(term.attribute, term.input - limit), _amount(term.attribute, limit)
        past = "just past" if amount == shown_limit else "past"
        detail = f"{amount} after placing is {past} the limit of {shown_limit}; {excess}"
    message = f"{term.attribute} infinite{joint}{detail}"
    return Refusal(Why.COST_INFINITE, message, term.attribute, term.input, limit, detail)


def _amount(attribute: str, value: int) -> str:
    """Write a number of a term, sizes in GiB so that two of them compare at a glance."""
    if attribute != "memory":
        return str(value)
    if value < _GIB // 10:
        return show_size(value)
    return f"{value / _GIB:.2f}".rstrip("0").rstrip(".") + " GiB"


def _excess(attribute: str, value: int) -> str:
    if attribute == "memory":
        return f"{_amount(attribute, value)} too much"
    return f"{value} too many"


def by_pools(realm: Realm, request: Request, snapshot: HostSnapshot) -> Iterator[Refusal]:
    """Pools of the realm that the VM needs and the host lacks; a host whose pools nobody looked at has them."""
    if snapshot.pools is None:
        return
    needed = [("volumes", realm.volumes_pool)]
    if request.needs_drives_pool:
        needed.append(("drives", realm.drives_pool))
    for purpose, name in needed:
        state = snapshot.pools.get(name, PoolState.MISSING)
        if state is not PoolState.ACTIVE:
            yield Refusal(Why.POOL_MISSING, f"{purpose} pool {name} is {state.value}")
