"""`realms show`: the configuration as understood, every default filled in."""

from pathlib import Path

import click

from core import units
from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import PARAMETERS, Curve, as_mapping
from core.hardware import HardwareProfile
from core.realms import Realm
from tui.cli.config.check import find_file, print_diagnostics
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.output import print_json, say

_DEFAULTS = (("scale", 1.0), ("softAmt", 1.0), ("hardAmt", 10.0))


@click.command("show", cls=RealmsCommand)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@pass_options
def show(options: GlobalOptions, file: Path | None, as_json: bool) -> int:
    """Show the effective configuration: FILE, or the one that other commands use.

    A configuration with errors is not shown: exit code 2, with the errors on standard error.
    """
    from core.config.reader import read

    reading = read(find_file(options, file))
    if reading.configuration is None:
        print_diagnostics(reading.diagnostics, reading.sources)
        say(f"realms: {reading.path} has errors", error=True)
        return 2
    if as_json:
        print_json(_configuration(reading.configuration))
    else:
        _print(reading.configuration)
    return 0


def _configuration(configuration: Configuration) -> dict[str, object]:
    return {
        "cost_functions": {key: _cost_function(value) for key, value in configuration.cost_functions.items()},
        "hardware_profiles": {key: _profile(value) for key, value in configuration.hardware_profiles.items()},
        "realms": {key: _realm(value) for key, value in configuration.realms.items()},
    }


def _curve(curve: Curve | None) -> dict[str, object] | None:
    return None if curve is None else as_mapping(curve)


def _cost_function(function: CostFunction) -> dict[str, object]:
    return {
        "name": function.name,
        "description": function.description,
        "scale": function.scale,
        "offset": function.offset,
        "vms": _curve(function.vms),
        "vcpus": _curve(function.vcpus),
        "memory": _curve(function.memory),
        "devices": {kind: _curve(curve) for kind, curve in function.devices.items()},
    }


def _profile(profile: HardwareProfile) -> dict[str, object]:
    return {
        "name": profile.name,
        "description": profile.description,
        "cores": profile.cores,
        "memory": profile.memory_bytes,
        "devices": [{"type": device.type, "addr": str(device.address)} for device in profile.devices],
        "cost_function": profile.cost_function,
    }


def _realm(realm: Realm) -> dict[str, object]:
    return {
        "name": realm.name,
        "disabled": realm.disabled,
        "driver": realm.driver,
        "volumes_pool": realm.volumes_pool,
        "drives_pool": realm.drives_pool,
        "bricks_pool": realm.bricks_pool,
        "snapshots_pool": realm.snapshots_pool,
        "log_scheduling": realm.log_scheduling,
        "registration_timeout": realm.registration_timeout,
        "poll_frequency": realm.poll_frequency,
        "network_filter": realm.network_filter,
        "network": realm.network,
        "registration_port": realm.registration_port,
        "drives": {
            "lazy_allocation": realm.drives.lazy_allocation,
            "cache": str(realm.drives.cache),
            "min_size": realm.drives.min_size,
            "max_size": realm.drives.max_size,
        },
    }


def _print(configuration: Configuration) -> None:
    for title, members in (
        ("Cost functions", [(key, _describe_function(value)) for key, value in configuration.cost_functions.items()]),
        (
            "Hardware profiles",
            [(key, _describe_profile(value)) for key, value in configuration.hardware_profiles.items()],
        ),
        ("Realms", [(key, _describe_realm(value)) for key, value in configuration.realms.items()]),
    ):
        say(title)
        if not members:
            say("  none")
        for identity, rows in members:
            say(f"  {identity}")
            width = max(len(name) for name, _ in rows)
            for name, value in rows:
                say(f"    {name:<{width}}  {value}".rstrip())
        say()


def _describe_function(function: CostFunction) -> list[tuple[str, str]]:
    curves = [("vms", function.vms), ("vcpus", function.vcpus), ("memory", function.memory)]
    curves += [(f"devices.{kind}", curve) for kind, curve in function.devices.items()]
    return [
        ("name", function.name),
        ("description", function.description or "-"),
        *((name, "none: costs 0" if curve is None else _spell(curve, name == "memory")) for name, curve in curves),
        ("scale", f"{function.scale:g}"),
        ("offset", f"{function.offset:g}"),
    ]


def _spell(curve: Curve, sizes: bool) -> str:
    """Write a curve on one line, inputs that are bytes as sizes where they are whole ones."""
    parts = []
    for key, value in as_mapping(curve).items():
        attribute = getattr(curve, PARAMETERS.get(key, key), None)
        if isinstance(value, dict) and attribute is not None:
            parts.append(f"{key}: {_spell(attribute, sizes)}")
        elif isinstance(value, float) and (key, value) not in _DEFAULTS:
            is_size = sizes and key in ("soft", "hard", "cutoff", "max") and value.is_integer() and abs(value) < 2**63
            parts.append(f"{key}: {units.format_size(int(value)) if is_size else f'{value:g}'}")
        elif isinstance(value, str):
            parts.append(f"{key}: {value}")
    return "{ " + ", ".join(parts) + " }"


def _describe_profile(profile: HardwareProfile) -> list[tuple[str, str]]:
    devices = [
        (f"device {index}", f"{device.type} at {device.address}")
        for index, device in enumerate(profile.devices, start=1)
    ]
    return [
        ("name", profile.name),
        ("description", profile.description or "-"),
        ("cores", str(profile.cores)),
        ("memory", units.format_size(profile.memory_bytes)),
        ("cost function", profile.cost_function),
        *(devices or [("devices", "none")]),
    ]


def _describe_realm(realm: Realm) -> list[tuple[str, str]]:
    drives = realm.drives
    bounds = [("at least", drives.min_size), ("at most", drives.max_size)]
    sizes = ", ".join(f"{word} {units.format_size(size)}" for word, size in bounds if size is not None)
    return [
        ("name", realm.name),
        ("state", "disabled" if realm.disabled else "enabled"),
        ("driver", realm.driver),
        ("volumes pool", realm.volumes_pool),
        ("drives pool", realm.drives_pool),
        ("bricks pool", realm.bricks_pool),
        ("snapshots pool", realm.snapshots_pool),
        ("log scheduling", "on" if realm.log_scheduling else "off"),
        (
            "registration",
            f"within {units.format_duration(realm.registration_timeout)}, at port {realm.registration_port}",
        ),
        ("poll frequency", f"every {units.format_duration(realm.poll_frequency)}"),
        ("network", realm.network),
        ("network filter", realm.network_filter or "none"),
        ("drives", f"{'lazy' if drives.lazy_allocation else 'full'} allocation, cache {drives.cache}"),
        ("drive sizes", sizes or "no bounds"),
    ]
