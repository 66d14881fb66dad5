"""Blocks under `hardware-profiles`, made into hardware profiles (specification, section 5)."""

import math
from collections.abc import Mapping, Sequence

from core import units
from core.codes import DiagnosticCode as Code
from core.config.misplaced import report_misplaced
from core.config.parameters import Parameters, name_kind, shorten
from core.config.report import DiagnosticReport, Path
from core.config.syntax import SourcePlace
from core.config.values import ListValue, ObjectValue, Scalar, Value, list_elements
from core.costs import CostFunction
from core.hardware import Device, HardwareProfile, NotAPciAddress, PciAddress
from core.text import nearest

_PARAMETERS = ("name", "description", "cores", "memory", "devices", "cost-function")


def read_profile(identity: str, value: Value, path: Path, report: DiagnosticReport) -> HardwareProfile | None:
    """Make a hardware profile of a block; None where it has errors, which are reported."""
    if not isinstance(value, ObjectValue):
        message = f"the hardware profile '{identity}' is {name_kind(value)}; expected a block"
        report.error(
            Code.WRONG_TYPE,
            value.place,
            path,
            message,
            f"write {identity} {{ cores: 8, memory: 32 GiB, ... }}",
            via=value.via,
        )
        return None
    errors = report.errors
    parameters = Parameters(value, path, report)
    needed = ("cores", "memory", "cost-function")
    if report_misplaced(parameters, _PARAMETERS, needed, f"the hardware profile '{identity}'"):
        return None
    name = parameters.text("name")
    description = parameters.text("description")
    cores = parameters.integer("cores", 1) if parameters.require("cores", example="8") else None
    memory = parameters.size("memory", least=1) if parameters.require("memory", example="32 GiB") else None
    devices = _read_devices(parameters)
    function = parameters.text("cost-function") if parameters.require("cost-function") else None
    parameters.unknown(_PARAMETERS, "a hardware profile")
    if report.errors > errors or cores is None or memory is None or function is None:
        return None
    return HardwareProfile(
        id=identity,
        name=identity if name is None else name,
        description=description or "",
        cores=cores,
        memory_bytes=memory,
        devices=devices,
        cost_function=function,
    )


def _read_devices(parameters: Parameters) -> tuple[Device, ...]:
    found = parameters.field("devices")
    if found is None:
        return ()
    value = found.value
    path = (*parameters.path, "devices")
    hint = 'write devices: [ { type: "nvidia-gpu", addr: "0000:41:00.0" } ]'
    elements = list_elements(value)
    if isinstance(value, ObjectValue) and elements:
        _warn_of_numeric_keys(value, elements, path, parameters.report, hint)
    elif not isinstance(value, ListValue):
        message = f"'devices' of a hardware profile is {name_kind(value)}; expected a list"
        parameters.report.error(Code.WRONG_TYPE, value.place, path, message, hint, via=value.via)
        return ()
    devices: list[Device] = []
    seen: dict[PciAddress, SourcePlace] = {}
    for number, (element, item) in enumerate(elements, 1):
        if not isinstance(item, ObjectValue):
            message = f"device {number} is {name_kind(item)}; expected type and addr in braces"
            parameters.report.error(Code.WRONG_TYPE, item.place, (*path, element), message, hint, via=item.via)
            continue
        device = _read_device(item, (*path, element), parameters.report, seen)
        if device is not None:
            devices.append(device)
    return tuple(devices)


def _warn_of_numeric_keys(
    value: ObjectValue, elements: Sequence[tuple[int | str, Value]], path: Path, report: DiagnosticReport, hint: str
) -> None:
    message = f"'devices' has numbers as keys: read as a list of {len(elements)}, in the order of the numbers"
    report.warning(Code.WRONG_TYPE, value.place, path, message, hint)
    taken = {element for element, _ in elements}
    for key, found in value.fields.items():
        if key not in taken:
            message = f"'{key}' among the numbered devices has no effect"
            report.warning(Code.UNKNOWN_PARAMETER, found.place, (*path, key), message, hint)


def _read_device(
    item: ObjectValue, path: Path, report: DiagnosticReport, seen: dict[PciAddress, SourcePlace]
) -> Device | None:
    parameters = Parameters(item, path, report)
    kind = parameters.text("type") if parameters.require("type", example='"nvidia-gpu"') else None
    text = parameters.text("addr") if parameters.require("addr", example='"0000:41:00.0"') else None
    parameters.unknown(("type", "addr"), "a device")
    if kind == "":
        parameters.error(Code.EMPTY_NAME, "type", "'type' of a device is empty")
        return None
    if text is None:
        return None
    try:
        address = PciAddress.parse(text)
    except NotAPciAddress as error:
        parameters.error(
            Code.INVALID_PCI_ADDRESS, "addr", f"'addr' {shorten(text)}: {error}", 'quoted, such as "0000:41:00.0"'
        )
        return None
    if address in seen:
        message = f"the PCI address {address} ('addr' {text}) is listed twice: also in line {seen[address].line}"
        parameters.error(Code.DUPLICATE_PCI_ADDRESS, "addr", message, "list each device once")
        return None
    seen[address] = parameters.place("addr")
    return None if kind is None else Device(kind, address)


def check_function_reference(
    value: Value, path: Path, functions: Mapping[str, CostFunction | None], *, complete: bool, report: DiagnosticReport
) -> None:
    """Report a profile whose cost function is not defined; `complete` where all functions are known."""
    if not isinstance(value, ObjectValue):
        return
    parameters = Parameters(value, path, report)
    if (found := parameters.field("cost-function")) is None or isinstance(found.value, ObjectValue | ListValue):
        return
    function = found.value.text
    if function in functions or not complete:
        return
    meant = nearest(function, functions)
    known = f"defined: {', '.join(functions)}" if functions else "no cost function is defined"
    message = f"unknown cost function {shorten(function)}"
    parameters.error(Code.UNKNOWN_COST_FUNCTION, "cost-function", message, f"did you mean {meant}?" if meant else known)


def check_against_function(
    profile: HardwareProfile, value: ObjectValue, path: Path, function: CostFunction, report: DiagnosticReport
) -> None:
    """Warn where a profile has devices without a curve, or its cost function allows more memory than it has."""
    parameters = Parameters(value, path, report)
    limit = function.memory.limit() if function.memory is not None else None
    if limit is not None and limit > profile.memory_bytes:
        allowed = "any amount of memory" if math.isinf(limit) else f"{units.show_size(limit)} of memory"
        own = units.show_size(profile.memory_bytes)
        message = f"cost function '{function.id}' allows {allowed}, more than the {own} of '{profile.id}'"
        parameters.warning(
            Code.MEMORY_OVERCOMMITTED, "memory", message, "end the function's memory curve there (hard or max)"
        )
    listed = value.fields.get("devices")
    for index, item in list_elements(listed.value) if listed is not None else ():
        kind = item.fields.get("type") if isinstance(item, ObjectValue) else None
        if kind is None or not isinstance(kind.value, Scalar):
            continue
        device = kind.value.text
        if device not in function.devices:
            meant = nearest(device, function.devices)
            hint = f"did you mean {meant}?" if meant else f"add a curve devices.{device} to '{function.id}'"
            message = f"cost function '{function.id}' has no curve for device type '{device}': it can never be used"
            report.warning(
                Code.DEVICE_WITHOUT_CURVE,
                kind.value.place,
                (*path, "devices", index, "type"),
                message,
                hint,
                via=kind.value.via,
            )
