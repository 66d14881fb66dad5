"""Configurations, fleets and requests for property tests: small, but with everything that a real one can have.

Times are whole milliseconds, as saved fleets keep them. Names of VMs are hostile, those of hosts plain and unique.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable
from core.fleet.fleet import IO_ERROR, VM, Connection, Fleet, HostSnapshot, PoolState, VMState
from core.hardware import Device, HardwareProfile, PciAddress
from core.hosts import Host, HostState, StaticAddress
from core.placement.engine.request import Request
from core.realms import Realm
from core.reservations import Reservation

GIB = 2**30
TAKEN = 1_795_341_600.0
"""2026-11-22T10:00:00Z"""

DEVICE_TYPES = ("gpu", "nic", "nvme")
ADDRESSES = tuple(PciAddress(0, 1, slot, 0) for slot in range(8))

device_types = st.sampled_from(DEVICE_TYPES)
addresses = st.sampled_from(ADDRESSES)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
reals = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-100, 100).map(float)
amounts = st.floats(0.0, 1e3, allow_nan=False) | st.integers(0, 40).map(float)
sizes = st.integers(1, 8).map(lambda gib: gib * GIB)


@st.composite
def hard_softs(draw: st.DrawFn, unit: float = 1.0) -> HardSoft:
    """Draw a hard-soft curve whose limits are some tens of `unit`."""
    soft = draw(st.integers(1, 50))
    hard = soft + draw(st.integers(0, 50))
    return HardSoft(soft=soft * unit, hard=hard * unit, soft_amt=draw(amounts), hard_amt=draw(amounts))


@cache
def bounded_curves(unit: float = 1.0) -> st.SearchStrategy[Curve]:
    """Draw curves that are finite from 0 up to a limit (or everywhere) and infinite beyond it."""
    limits = st.none() | st.integers(1, 100).map(lambda count: count * unit)
    return st.one_of(
        st.builds(Linear, slope=amounts.map(lambda slope: slope / unit), base=amounts, max=limits),
        st.builds(Constant, value=amounts, max=limits),
        hard_softs(unit),
        st.builds(
            Piecewise,
            cutoff=st.integers(1, 60).map(lambda count: count * unit),
            low=st.builds(Linear, slope=amounts.map(lambda slope: slope / unit), base=amounts),
            high=st.builds(Linear, slope=st.just(0.0), base=amounts, max=limits) | st.just(Invalid()),
        ),
    )


@cache
def curves(unit: float = 1.0) -> st.SearchStrategy[Curve]:
    """Draw curves of every kind, nested ones too, with inputs of the order of `unit`; many make little sense."""
    leaves = st.one_of(
        bounded_curves(unit),
        st.builds(Linear, slope=reals, base=reals, scale=reals),
        st.builds(Constant, value=reals, scale=reals),
    )
    cutoffs = st.integers(0, 40).map(lambda count: count * unit)
    anything = leaves | st.sampled_from([Invalid(), Unavailable()])
    return leaves | st.builds(Piecewise, cutoff=cutoffs, low=anything, high=anything)


@st.composite
def cost_functions(draw: st.DrawFn, name: str, *, bounded: bool = False) -> CostFunction:
    """Draw a cost function of a given id; `bounded` ones lose no host where less is asked for."""
    kind, rare = (bounded_curves, [Unavailable()]) if bounded else (curves, [Unavailable(), Invalid()])
    return CostFunction(
        id=name,
        name=name,
        vms=draw(st.none() | kind()),
        vcpus=draw(st.none() | kind()),
        memory=draw(st.none() | kind(GIB)),
        devices=draw(st.dictionaries(device_types, kind() | st.sampled_from(rare), max_size=3)),
        scale=draw(st.just(1.0) | (amounts if bounded else reals)),
        offset=draw(st.just(0.0) | reals),
    )


@st.composite
def profiles(draw: st.DrawFn, name: str, cost_function: str) -> HardwareProfile:
    """Draw a hardware profile of a given id; its devices are in no particular order."""
    listed = draw(st.lists(addresses, unique=True, max_size=6))
    return HardwareProfile(
        id=name,
        name=name,
        cores=draw(st.integers(1, 64)),
        memory_bytes=draw(sizes),
        cost_function=cost_function,
        devices=tuple(Device(draw(device_types), address) for address in listed),
    )


@st.composite
def configurations(draw: st.DrawFn, *, bounded: bool = False) -> Configuration:
    """Draw a configuration of two realms, one or two cost functions and as many profiles."""
    ids = draw(st.sampled_from([("cpu",), ("cpu", "gpu")]))
    return Configuration(
        {name: draw(cost_functions(name, bounded=bounded)) for name in ids},
        {name: draw(profiles(name, name)) for name in ids},
        {
            "main": Realm(id="main", name="Main"),
            "other": Realm(id="other", name="Other", disabled=draw(st.booleans())),
        },
    )


def moments(span_ms: int = 100_000) -> st.SearchStrategy[float]:
    """Draw times up to `span_ms` milliseconds before TAKEN."""
    return st.integers(0, span_ms).map(lambda earlier: round(TAKEN - earlier / 1000, 3))


@st.composite
def vms(draw: st.DrawFn, host: str, uuid: str) -> VM:
    """Draw a VM of a host; its devices may be those of another VM, or none of the host's profile."""
    state = draw(st.just(VMState.RUNNING) | st.sampled_from(VMState))
    return VM(
        name=draw(names),
        uuid=uuid,
        host=host,
        realm="main",
        state=state,
        active=state is not VMState.OFF if draw(st.integers(0, 9)) else draw(st.booleans()),
        vcpus=draw(st.integers(1, 8)),
        memory_bytes=draw(sizes),
        devices=tuple(draw(st.lists(addresses, unique=True, max_size=2))),
        managed=draw(st.booleans()),
        address=draw(st.none() | st.just("10.0.0.7")),
        endpoint=draw(st.none() | st.just("203.0.113.7:7007")),
        cpu_percent=draw(st.none() | st.floats(0, 100)),
        started_at=draw(st.none() | moments()),
        state_reason=IO_ERROR if state is VMState.PAUSED and draw(st.booleans()) else "",
    )


@st.composite
def reservations(draw: st.DrawFn, host: str, uuids: tuple[str, ...]) -> Reservation:
    """Draw a reservation, for a VM that the host has or for one that it doesn't."""
    return Reservation(
        uuid=draw(st.sampled_from((*uuids, "reserved-1", "reserved-2"))),
        vm=draw(names),
        host=host,
        vcpus=draw(st.integers(1, 8)),
        memory_bytes=draw(sizes),
        devices=tuple(draw(st.lists(addresses, unique=True, max_size=2))),
        taken_at=draw(moments()),
        expires_at=round(TAKEN + draw(st.integers(1, 100_000)) / 1000, 3),
        owner=draw(st.just("") | names),
    )


@st.composite
def snapshots(draw: st.DrawFn, name: str, *, healthy: bool = False) -> HostSnapshot:
    """Draw a host with VMs; unless `healthy`, of unknown realm or profile, disabled, silent or stale at times."""
    listed = [draw(vms(name, f"{name}-{index}")) for index in range(draw(st.integers(0, 3)))]
    ids = tuple(vm.uuid for vm in listed)
    rarely = not healthy and draw(st.integers(0, 2)) == 0
    return HostSnapshot(
        host=Host(
            name=name,
            realm=draw(st.sampled_from(("main", "other", "gone"))) if rarely else "main",
            uri=f"qemu+ssh://root@{name}/system",
            profile=draw(st.sampled_from(("cpu", "gpu", "gone"))) if rarely else "cpu",
            state=draw(st.sampled_from(HostState)) if rarely else HostState.ENABLED,
            static_address=draw(st.none() | st.just(StaticAddress("203.0.113.7", 7000))),
            version=draw(st.integers(0, 5)),
        ),
        connection=draw(st.sampled_from(Connection)) if rarely else Connection.CONNECTED,
        observed_at=draw(st.none() | moments()) if rarely else TAKEN,
        vms=tuple(listed),
        pools=draw(_pools) if rarely else None,
        reservations=tuple(draw(st.lists(reservations(name, ids), max_size=2))),
        error=draw(st.just("") | names) if rarely else "",
        machine_uuid=draw(st.none() | st.just("4c4c4544-0042-3510-8051-b7c04f4a3232")),
    )


_pools = st.none() | st.dictionaries(
    st.sampled_from(("ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks")), st.sampled_from(PoolState)
)


@st.composite
def fleets(draw: st.DrawFn, *, healthy: bool = False, max_hosts: int = 4) -> Fleet:
    """Draw a fleet of up to `max_hosts` hosts, in no particular order."""
    hosts = draw(st.permutations([f"h{index}" for index in range(draw(st.integers(0, max_hosts)))]))
    return Fleet(TAKEN, tuple(draw(snapshots(name, healthy=healthy)) for name in hosts))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request, for VMs that a host of these fleets can take as often as not."""
    return Request(
        vcpus=draw(st.integers(1, 8)),
        memory_bytes=draw(sizes),
        devices=draw(st.just({}) | st.just({}) | st.dictionaries(device_types, st.integers(0, 2), max_size=2)),
        realm=draw(st.none() | st.sampled_from(("main", "main", "other"))),
        needs_drives_pool=draw(st.booleans()),
    )
