"""Blocks under `cost-functions`, made into cost functions (specification, section 4)."""

from core.codes import DiagnosticCode as Code
from core.config.curve_blocks import read_curve, warn_about_scale
from core.config.parameters import Parameters, name_kind
from core.config.report import DiagnosticReport, Path
from core.config.values import ObjectValue, Value
from core.costs import CostFunction
from core.curves import INFINITY, Curve

_ATTRIBUTES = ("vms", "vcpus", "memory")
_PARAMETERS = ("name", "description", *_ATTRIBUTES, "devices", "scale", "offset")


def read_cost_function(identity: str, value: Value, path: Path, report: DiagnosticReport) -> CostFunction | None:
    """Make a cost function of a block; None where it has errors, which are reported."""
    if not isinstance(value, ObjectValue):
        message = f"the cost function '{identity}' is {name_kind(value)}; expected a block of curves"
        report.error(
            Code.WRONG_TYPE, value.place, path, message, f"write {identity} {{ vms: {{ ... }} }}", via=value.via
        )
        return None
    errors = report.errors
    parameters = Parameters(value, path, report)
    name = parameters.text("name")
    description = parameters.text("description")
    curves: dict[str, Curve] = {}
    restricted = not value.complete
    for attribute in _ATTRIBUTES:
        found = parameters.field(attribute)
        if found is None:
            continue
        restricted = True
        curve = read_curve(found.value, (*path, attribute), report)
        if curve is not None:
            curves[attribute] = curve
    devices = _read_devices(parameters)
    scale = parameters.real("scale")
    if scale is not None:
        warn_about_scale(parameters, scale)
    offset = parameters.real("offset")
    parameters.unknown(_PARAMETERS, "a cost function")
    if not restricted:
        message = (
            f"the cost function '{identity}' has no vms, vcpus or memory curve: VMs without devices are not limited"
        )
        report.warning(Code.NO_LIMIT, value.place, path, message, "add at least one of these curves")
    if report.errors > errors:
        return None
    return CostFunction(
        id=identity,
        name=identity if name is None else name,
        description=description or "",
        devices=devices,
        scale=1.0 if scale is None else scale,
        offset=0.0 if offset is None else offset,
        **curves,
    )


def _read_devices(parameters: Parameters) -> dict[str, Curve]:
    found = parameters.field("devices")
    if found is None:
        return {}
    if not isinstance(found.value, ObjectValue):
        hint = "write devices { nvidia-gpu: { curve: linear, slope: 1, base: 0, max: 4 } }"
        message = f"'devices' of a cost function is {name_kind(found.value)}; expected curves by device type"
        parameters.error(Code.WRONG_TYPE, "devices", message, hint)
        return {}
    if "curve" in found.value.fields:
        message = "'devices' is itself a curve: the device type is missing"
        hint = "write devices.TYPE: { curve: ... }, with a TYPE that the profiles use"
        parameters.report.error(
            Code.WRONG_TYPE, found.value.place, (*parameters.path, "devices"), message, hint, via=found.value.via
        )
        return {}
    devices = {}
    types = Parameters(found.value, (*parameters.path, "devices"), parameters.report)
    for kind in found.value.fields:
        given = types.field(kind)
        if given is None:
            continue
        path = (*parameters.path, "devices", kind)
        curve = read_curve(given.value, path, parameters.report)
        if curve is not None:
            devices[kind] = curve
            _check_at_zero(kind, curve, types)
    return devices


def _check_at_zero(kind: str, curve: Curve, types: Parameters) -> None:
    """Warn about a device curve that costs something while no such device is used: it is evaluated at 0 too."""
    cost = curve.cost(0)
    if cost == INFINITY:
        message = (
            f"the curve of device '{kind}' is infinite at 0: this cost function refuses every VM, even one "
            "without such a device"
        )
        types.warning(Code.DEVICE_INFINITE_AT_ZERO, kind, message, "did you mean { curve: unavailable }?")
    elif cost != 0:
        message = (
            f"the curve of device '{kind}' costs {cost:g} at 0: every VM pays that, even one without such a device"
        )
        types.warning(Code.DEVICE_COST_AT_ZERO, kind, message, "make it 0 at 0, or use the function's offset")
