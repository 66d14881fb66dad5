"""Tables of hosts for people."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from pathlib import Path

from core.config.model import Configuration
from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.fleet.rows import present_cost
from core.hardware import HardwareProfile
from core.hosts import Host
from core.units import show_age, show_size
from tui.cli.output import Heading, headings, no_answer, print_table, say
from tui.render.figures import cost_text

_NONE = "-"


def print_described(fleet: Fleet, configuration: Configuration, registry: Path | None = None) -> None:
    """Print the hosts as administrators described them; where there are none, the registry that was looked into."""
    if not fleet.hosts:
        place = "" if registry is None else f" in {registry}"
        say(f"no hosts{place}; add one with: realms hosts add NAME --realm ID --uri URI --profile ID")
        return
    columns = [*headings("Host", "Realm", "State", "Profile"), Heading("URI", cut=True), Heading("Translation")]
    print_table(
        columns,
        [
            [host.name, _realm(host, configuration), host.state.label, _profile(host, configuration), host.uri,
             str(host.static_address or _NONE)]
            for host in (snapshot.host for snapshot in fleet.hosts)
        ],
    )  # fmt: skip


def print_seen(fleet: Fleet, configuration: Configuration, waited: float | None = None) -> None:
    """Print the hosts as they answered, how many did, and why the others didn't; `waited` seconds were given them."""
    if not fleet.hosts:
        say("no hosts")
        return
    titles = [
        "Host",
        "Realm",
        "State",
        "Profile",
        "Connection",
        ">VMs",
        ">vCPUs",
        ">Memory",
        "Devices",
        ">Cost",
        ">Age",
    ]
    columns = headings(*titles)
    silent = {each.name for each in fleet.hosts if waited is not None and each.connection is Connection.CONNECTING}
    rows = [_seen(fleet, snapshot, configuration) for snapshot in fleet.hosts]
    for row in rows:
        if row[0] in silent:  # nobody goes on connecting once this has ended
            row[titles.index("Connection")] = "no answer"
    telling = [i for i, column in enumerate(columns) if _tells_something(column, {row[i] for row in rows})]
    print_table([columns[i] for i in telling], [[row[i] for i in telling] for row in rows])
    say(f"{fleet.hosts_answering} of {fleet.hosts_total} hosts answered")
    for snapshot in fleet.hosts:
        if snapshot.host.state.connects and snapshot.error:
            say(f"{snapshot.name}: {snapshot.error}")
        elif snapshot.name in silent:
            say(no_answer(snapshot.name, waited or 0.0))
    _print_twins(fleet)


def _tells_something(column: Heading, cells: AbstractSet[str]) -> bool:
    """Return whether a column is worth its width: not where there is one realm, or no host has devices."""
    if column.title == "Realm":
        return len(cells) > 1
    return column.title != "Devices" or cells != {_NONE}


def _seen(fleet: Fleet, snapshot: HostSnapshot, configuration: Configuration) -> list[str]:
    host = snapshot.host
    described = [
        host.name, _realm(host, configuration), host.state.label, _profile(host, configuration),
        snapshot.connection.value,
    ]  # fmt: skip
    if not snapshot.is_known:
        return [*described, *[_NONE] * 6]
    profile = configuration.hardware_profiles.get(host.profile)
    use = snapshot.use(profile)
    age = fleet.age(snapshot)
    return [
        *described,
        str(use.vms),
        str(use.vcpus) + (f" of {profile.cores}" if profile else ""),
        _memory(use.memory_bytes, profile),
        " ".join(f"{count} {kind}" for kind, count in sorted(use.devices.items())) or _NONE,
        _cost(fleet, snapshot, configuration),
        _NONE if age is None else show_age(age),
    ]


def _memory(used: int, profile: HardwareProfile | None) -> str:
    if profile is None:
        return show_size(used)
    amount, unit = show_size(used).split()
    total = show_size(profile.memory_bytes)
    return f"{amount} of {total}" if used == 0 or total.endswith(f" {unit}") else f"{amount} {unit} of {total}"


def _cost(fleet: Fleet, snapshot: HostSnapshot, configuration: Configuration) -> str:
    cost = present_cost(fleet, snapshot, configuration)
    if cost is None:
        return _NONE
    return cost_text(cost.total)


def _realm(host: Host, configuration: Configuration) -> str:
    realm = configuration.realms.get(host.realm)
    if realm is None:
        return f"{host.realm} (not configured)"
    return f"{host.realm} (disabled)" if realm.disabled else host.realm


def _profile(host: Host, configuration: Configuration) -> str:
    return host.profile if host.profile in configuration.hardware_profiles else f"{host.profile} (not configured)"


def _print_twins(fleet: Fleet) -> None:
    """Warn of machines that are registered twice: their VMs would be counted twice."""
    machines = defaultdict(list)
    for snapshot in fleet.hosts:
        if snapshot.machine_uuid and snapshot.connection is Connection.CONNECTED:
            machines[snapshot.machine_uuid].append(snapshot.name)
    for uuid, names in machines.items():
        if len(names) > 1:
            say(f"warning: {' and '.join(names)} are the same machine ({uuid})", error=True)
