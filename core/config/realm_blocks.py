"""Blocks under `realms`, made into realms with every default (specification, section 6)."""

from typing import Any

from core.codes import DiagnosticCode as Code
from core.config.misplaced import report_misplaced
from core.config.parameters import Parameters, name_kind, shorten
from core.config.report import DiagnosticReport, Path
from core.config.values import ObjectValue, Value
from core.realms import CacheMode, DriveSettings, Realm
from core.text import nearest

SHORT_TIMEOUT = 60.0
"""Seconds; some VMs need longer than this to start and register."""

_DRIVER = "libvirt"
_OTHER_DRIVERS = ("nutanix",)
_NAMES = ("volumes-pool", "drives-pool", "bricks-pool", "snapshots-pool", "network-filter", "network")
_DRIVES = ("lazy-allocation", "cache", "min-size", "max-size")
_RESERVED = ("uploads", "scaling")
_PARAMETERS = (
    "disabled", "driver", "name", *_NAMES, "log-scheduling", "registration-timeout", "poll-frequency",
    "registration-port", "drives", *_RESERVED,
)  # fmt: skip


def read_realm(identity: str, value: Value, path: Path, report: DiagnosticReport) -> Realm | None:
    """Make a realm of a block; None where it has errors, which are reported."""
    if not isinstance(value, ObjectValue):
        hint = f'write {identity} = {{ include "realms/{identity}.conf" }}'
        message = f"the realm '{identity}' is {name_kind(value)}; expected a block"
        report.error(Code.WRONG_TYPE, value.place, path, message, hint, via=value.via)
        return None
    errors = report.errors
    parameters = Parameters(value, path, report)
    if report_misplaced(parameters, _PARAMETERS, ("driver", "name"), f"the realm '{identity}'"):
        return None
    disabled = _switch(parameters, "disabled", default=False)
    _check_driver(parameters)
    name = parameters.text("name") if parameters.require("name", example='"Main"') else None
    if name is not None and not name.strip():
        parameters.error(Code.EMPTY_NAME, "name", "'name' of the realm is empty")
    given: dict[str, Any] = {key.replace("-", "_"): _name(parameters, key) for key in _NAMES}
    if given["snapshots_pool"] is None and given["volumes_pool"] is not None:
        given["snapshots_pool"] = given["volumes_pool"] + "-snapshots"
    given["log_scheduling"] = parameters.boolean("log-scheduling")
    given["registration_timeout"] = timeout = parameters.duration("registration-timeout")
    if timeout is not None and timeout < SHORT_TIMEOUT:
        message = f"'registration-timeout' is {parameters.text('registration-timeout')}: less than 60 seconds"
        parameters.warning(
            Code.SHORT_REGISTRATION_TIMEOUT,
            "registration-timeout",
            message,
            "a VM that takes longer to start and register is stopped",
        )
    given["poll_frequency"] = parameters.duration("poll-frequency")
    given["registration_port"] = parameters.integer("registration-port", 1, 65535)
    drives = _read_drives(parameters)
    for reserved in _RESERVED:
        parameters.field(reserved)
    parameters.unknown(_PARAMETERS, "a realm")
    if report.errors > errors or name is None:
        return None
    given = {key: value for key, value in given.items() if value is not None}
    return Realm(id=identity, name=name, disabled=disabled, drives=drives, **given)


def _switch(parameters: Parameters, key: str, *, default: bool) -> bool:
    """Take a Boolean whose absence is worth a warning."""
    if parameters.field(key) is None:
        word = "on" if default else "false"
        _warn_missing(parameters, parameters.block, (*parameters.path, key), key, word)
        return default
    value = parameters.boolean(key)
    return default if value is None else value


def _warn_missing(parameters: Parameters, block: ObjectValue, path: Path, key: str, word: str) -> None:
    if block.complete:
        message = f"'{key}' is missing: using {word}"
        parameters.report.warning(Code.ASSUMED_DEFAULT, block.place, path, message, f"write {key}: {word}")


def _check_driver(parameters: Parameters) -> None:
    if parameters.require("driver", example=_DRIVER) is None:
        return
    driver = parameters.text("driver")
    if driver is None or driver == _DRIVER:
        return
    message = f"unknown driver {shorten(driver)}"
    hint = f"write driver: {_DRIVER}"
    if driver.lower() in _OTHER_DRIVERS:
        message = f"the driver {shorten(driver)} is for another kind of realm, which is not supported"
    elif meant := nearest(driver, (_DRIVER, "kvm", "qemu")):
        hint = f"did you mean {_DRIVER}?" if meant == _DRIVER else f"for KVM and QEMU write driver: {_DRIVER}"
    parameters.error(Code.UNKNOWN_DRIVER, "driver", message, hint)


def _name(parameters: Parameters, key: str) -> str | None:
    name = parameters.text(key)
    if name is not None and (not name or name != name.strip() or "/" in name):
        parameters.error(
            Code.INVALID_NAME, key, f"'{key}' is {shorten(name)}, which is not a valid libvirt name", "omit it for none"
        )
    return name


def _read_drives(realm: Parameters) -> DriveSettings:
    path = (*realm.path, "drives")
    found = realm.field("drives")
    if found is None:
        _warn_missing(realm, realm.block, (*path, "lazy-allocation"), "drives.lazy-allocation", "on")
        return DriveSettings()
    if not isinstance(found.value, ObjectValue):
        message = f"'drives' is {name_kind(found.value)}; expected a block"
        realm.error(Code.WRONG_TYPE, "drives", message, "write drives.lazy-allocation: on, or drives { ... }")
        return DriveSettings()
    parameters = Parameters(found.value, path, realm.report)
    if parameters.field("lazy-allocation") is None:
        # With dotted keys (drives.cache: ...) the block that lacks the key is the realm's.
        dotted = any(field.place == found.value.place for field in found.value.fields.values())
        block = realm.block if dotted else found.value
        _warn_missing(realm, block, (*path, "lazy-allocation"), "drives.lazy-allocation", "on")
        lazy: bool | None = True
    else:
        lazy = parameters.boolean("lazy-allocation")
    cache = _read_cache(parameters)
    least = parameters.size("min-size", least=0)
    most = parameters.size("max-size", least=1)
    if least is not None and most is not None and least > most:
        message = f"'min-size' ({parameters.text('min-size')}) is more than 'max-size' ({parameters.text('max-size')})"
        parameters.error(Code.MIN_ABOVE_MAX, "min-size", message, "are they swapped?")
    parameters.unknown(_DRIVES, "drives")
    return DriveSettings(lazy_allocation=bool(lazy), cache=cache, min_size=least, max_size=most)


def _read_cache(parameters: Parameters) -> CacheMode:
    text = parameters.text("cache")
    if text is None:
        return CacheMode.DEFAULT
    modes = [mode.value for mode in CacheMode]
    if text in modes:
        return CacheMode(text)
    meant = nearest(text, modes)
    others = {"directsync", "unsafe"}
    hint = f"did you mean {meant}?" if meant else f"valid modes: {', '.join(modes)}"
    if text.lower() in others:
        hint = f"QEMU supports it, but realms use only {', '.join(modes)}"
    parameters.error(Code.UNKNOWN_CACHE_MODE, "cache", f"unknown cache mode {shorten(text)}", hint)
    return CacheMode.DEFAULT
