"""A configuration written as HOCON, for people and for other readers of the same file."""

from collections.abc import Iterable

from core import units
from core.config.model import Configuration
from core.config.syntax import quote, render_path
from core.costs import CostFunction
from core.curves import format_curve
from core.hardware import HardwareProfile
from core.realms import Realm


def format_configuration(configuration: Configuration) -> str:
    """Write a configuration as one file without includes; reading it back gives an equal configuration."""
    sections = (
        ("cost-functions", [_cost_function(function) for function in configuration.cost_functions.values()]),
        ("hardware-profiles", [_profile(profile) for profile in configuration.hardware_profiles.values()]),
        ("realms", [_realm(realm) for realm in configuration.realms.values()]),
    )
    body = "\n\n".join(_block(name, blocks) for name, blocks in sections if blocks)
    return _block("ticrypt.vm", [body] if body else []) + "\n"


def _block(name: str, parts: Iterable[str]) -> str:
    inner = "\n".join(parts)
    indented = "\n".join(f"  {line}" if line else "" for line in inner.split("\n"))
    return f"{name} {{\n{indented}\n}}" if inner else f"{name} {{ }}"


def _entries(identity: str, entries: Iterable[tuple[str, str]]) -> str:
    return _block(render_path((identity,)), [f"{key}: {value}" for key, value in entries])


def _cost_function(function: CostFunction) -> str:
    entries = [("name", quote(function.name))]
    if function.description:
        entries.append(("description", quote(function.description)))
    for attribute, curve in (("vms", function.vms), ("vcpus", function.vcpus), ("memory", function.memory)):
        if curve is not None:
            entries.append((attribute, format_curve(curve)))
    entries += [(f"devices.{render_path((kind,))}", format_curve(curve)) for kind, curve in function.devices.items()]
    if function.scale != 1.0:
        entries.append(("scale", repr(function.scale)))
    if function.offset != 0.0:
        entries.append(("offset", repr(function.offset)))
    return _entries(function.id, entries)


def _profile(profile: HardwareProfile) -> str:
    entries = [("name", quote(profile.name))]
    if profile.description:
        entries.append(("description", quote(profile.description)))
    entries += [
        ("cores", str(profile.cores)),
        ("memory", units.format_size(profile.memory_bytes)),
        ("cost-function", quote(profile.cost_function)),
    ]
    if profile.devices:
        devices = [
            f"  {{ type: {quote(device.type)}, addr: {quote(str(device.address))} }}" for device in profile.devices
        ]
        entries.append(("devices", "\n".join(("[", *devices, "]"))))
    return _entries(profile.id, entries)


def _realm(realm: Realm) -> str:
    entries = [
        ("disabled", _switch(realm.disabled)),
        ("driver", realm.driver),
        ("name", quote(realm.name)),
        ("volumes-pool", quote(realm.volumes_pool)),
        ("drives-pool", quote(realm.drives_pool)),
        ("bricks-pool", quote(realm.bricks_pool)),
        ("snapshots-pool", quote(realm.snapshots_pool)),
        ("log-scheduling", _switch(realm.log_scheduling)),
        ("registration-timeout", units.format_duration(realm.registration_timeout)),
        ("poll-frequency", units.format_duration(realm.poll_frequency)),
    ]
    if realm.network_filter is not None:
        entries.append(("network-filter", quote(realm.network_filter)))
    entries += [
        ("network", quote(realm.network)),
        ("registration-port", str(realm.registration_port)),
        ("drives.lazy-allocation", "on" if realm.drives.lazy_allocation else "off"),
        ("drives.cache", quote(realm.drives.cache)),
    ]
    for key, size in (("min-size", realm.drives.min_size), ("max-size", realm.drives.max_size)):
        if size is not None:
            entries.append((f"drives.{key}", units.format_size(size)))
    return _entries(realm.id, entries)


def _switch(value: bool) -> str:
    return "true" if value else "false"
