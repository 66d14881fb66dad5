"""Blocks that describe curves, made into curves (specification, section 3)."""

from core.codes import DiagnosticCode as Code
from core.config.parameters import SMALL_MEMORY, Parameters, name_kind, shorten
from core.config.report import DiagnosticReport, Path
from core.config.values import ObjectValue, Scalar, Value
from core.curves import CURVE_NAMES, PARAMETERS, Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable
from core.text import nearest

_OWN_PARAMETERS: dict[type[Curve], tuple[str, ...]] = {
    Constant: ("value",),
    Invalid: (),
    Linear: ("slope", "base"),
    HardSoft: ("soft", "hard", "softAmt", "hardAmt"),
    Unavailable: (),
    Piecewise: ("cutoff", "low", "high"),
}
_SHARED = ("curve", "scale", "max")
_OTHER_NAMES = {
    "const": "constant", "fixed": "constant", "flat": "constant", "infinite": "invalid", "infinity": "invalid",
    "none": "unavailable", "proportional": "linear", "step": "piecewise", "softhard": "soft-hard",
}  # fmt: skip


def read_curve(value: Value, path: Path, report: DiagnosticReport) -> Curve | None:
    """Make a curve of a value; None where it has errors, which are reported."""
    if not isinstance(value, ObjectValue):
        hint = "such as { curve: linear, slope: 1, base: 0 }"
        if isinstance(value, Scalar):
            kind = CURVE_NAMES.get(value.text)
            if kind is not None:
                hint = (
                    f"write {{ curve: {', '.join((value.text, *(f'{name}: ...' for name in _OWN_PARAMETERS[kind])))} }}"
                )
            elif value.text.replace(".", "", 1).isdigit():
                hint = f"write {{ curve: constant, value: {value.text} }}"
        report.error(
            Code.WRONG_TYPE,
            value.place,
            path,
            f"'{path[-1]}' is {name_kind(value)}; expected a curve",
            hint,
            via=value.via,
        )
        return None
    parameters = Parameters(value, path, report)
    kind = _read_kind(parameters)
    if kind is None:
        return None
    errors = report.errors
    curve = _read_shape(kind, parameters)
    parameters.unknown((*_OWN_PARAMETERS[kind], *_SHARED), f"a curve '{parameters.text('curve')}'")
    return curve if report.errors == errors else None


def _read_kind(parameters: Parameters) -> type[Curve] | None:
    if parameters.require("curve") is None:
        return None
    name = parameters.text("curve")
    if name is None:
        return None
    kind = CURVE_NAMES.get(name)
    if kind is None:
        meant = nearest(name, CURVE_NAMES) or _OTHER_NAMES.get(name.lower(), "")
        hint = f"did you mean {meant}?" if meant else f"valid curves: {', '.join(CURVE_NAMES)}"
        parameters.error(Code.UNKNOWN_CURVE, "curve", f"unknown curve {shorten(name)}", hint)
    return kind


def _read_shape(kind: type[Curve], parameters: Parameters) -> Curve | None:
    shared = _read_shared(parameters)
    if kind is Constant:
        value = _required_real(parameters, "value", "1.0")
        return None if value is None else Constant(value=value, **shared)
    if kind is Linear:
        slope = _required_coefficient(parameters, "slope", "1")
        base = _required_coefficient(parameters, "base", "0")
        return None if slope is None or base is None else Linear(slope=slope, base=base, **shared)
    if kind is HardSoft:
        return _read_hard_soft(parameters, shared)
    if kind is Piecewise:
        return _read_piecewise(parameters, shared)
    return Invalid(**shared) if kind is Invalid else Unavailable(**shared)


def _read_shared(parameters: Parameters) -> dict[str, float]:
    shared = {}
    scale = parameters.real("scale")
    if scale is not None:
        shared["scale"] = scale
        warn_about_scale(parameters, scale)
    limit = parameters.real("max")
    if limit is not None:
        shared["max"] = limit
        if limit < 0:
            parameters.warning(
                Code.NEGATIVE_MAX,
                "max",
                f"'max' is {limit:g}: every use has an infinite cost",
                "usage is never negative",
            )
        else:
            _check_unit(parameters, "max", limit, is_size=False)
    return shared


def warn_about_scale(parameters: Parameters, scale: float) -> None:
    """Warn where a scale turns costs around or makes them vanish."""
    if scale == 0:
        parameters.warning(Code.ZERO_SCALE, "scale", "'scale' is 0: every finite cost becomes 0", "omit it for 1.0")
    elif scale < 0:
        parameters.warning(
            Code.NEGATIVE_SCALE, "scale", f"'scale' is {scale:g}: higher usage lowers the cost", "a positive number"
        )


def _required_real(parameters: Parameters, key: str, example: str) -> float | None:
    return parameters.real(key) if parameters.require(key, example=example) is not None else None


def _required_input(parameters: Parameters, key: str) -> float | None:
    """Take a point on the axis of inputs: a size where the curve is one of memory, else a number."""
    if parameters.require(key, example="16 GiB" if _is_of_memory(parameters) else "16") is None:
        return None
    found = parameters.real_or_bytes(key)
    if found is not None:
        _check_unit(parameters, key, found[0], is_size=found[1])
    return None if found is None else found[0]


def _is_of_memory(parameters: Parameters) -> bool:
    """Whether a curve's input is bytes; its path is `ticrypt.vm.cost-functions.ID.memory` and what is inside."""
    return parameters.path[4:5] == ("memory",)


def _check_unit(parameters: Parameters, key: str, amount: float, *, is_size: bool) -> None:
    """Warn about bytes without a unit where memory is meant, and about a size where things are counted."""
    written = parameters.text(key)
    if _is_of_memory(parameters):
        if not is_size and 0 < amount < SMALL_MEMORY:
            hint = (
                f"write {int(amount) * 1024**3}" if key == "max" else f"write {written} GiB, or {written} B for bytes"
            )
            parameters.warning(
                Code.MISSING_UNIT, key, f"'{key}' of a memory curve is {written} bytes: a unit is missing", hint
            )
    elif is_size:
        message = f"'{key}' is a size, {written}, but the curve counts {parameters.path[-1]}"
        parameters.warning(Code.UNEXPECTED_UNIT, key, message, f"it counts as {amount:.0f}, its number of bytes")


def _required_coefficient(parameters: Parameters, key: str, example: str) -> float | None:
    if parameters.require(key, example=example) is None:
        return None
    found = parameters.real_or_bytes(key)
    if found is None:
        return None
    amount, is_size = found
    if is_size:
        written = parameters.text(key)
        message = f"'{key}' is a size, {written}: it counts as {amount:.0f}, its number of bytes"
        parameters.warning(Code.UNEXPECTED_UNIT, key, message, f"write {amount:.0f} if that is intended")
    return amount


def _read_hard_soft(parameters: Parameters, shared: dict[str, float]) -> Curve | None:
    soft = _required_input(parameters, "soft")
    hard = _required_input(parameters, "hard")
    amounts = {}
    for key in ("softAmt", "hardAmt"):
        amount = parameters.real(key)
        if amount is not None:
            amounts[PARAMETERS[key]] = amount
    if soft is not None and soft <= 0:
        message = f"'soft' is {parameters.text('soft')}; it must be more than 0"
        parameters.error(Code.OUT_OF_RANGE, "soft", message, "for a limit at 0 use { curve: unavailable }")
        return None
    if soft is None or hard is None:
        return None
    if hard < soft:
        message = f"'hard' ({parameters.text('hard')}) is below 'soft' ({parameters.text('soft')})"
        both = f"soft: {parameters.text('hard')}, hard: {parameters.text('soft')}"
        parameters.error(
            Code.HARD_BELOW_SOFT, "hard", message, f"hard must be at least soft; are they swapped: {both}?"
        )
        return None
    if hard == soft:
        message = f"'hard' and 'soft' are both {parameters.text('hard')}: there is no range between them"
        parameters.warning(Code.HARD_EQUALS_SOFT, "hard", message, "the cost is softAmt at soft, and infinite above it")
    curve = HardSoft(soft=soft, hard=hard, **amounts, **shared)
    if curve.soft_amt > curve.hard_amt:
        key = "hardAmt" if "softAmt" not in parameters.block.fields else "softAmt"
        message = f"'softAmt' ({curve.soft_amt:g}) is above 'hardAmt' ({curve.hard_amt:g}): the cost falls past soft"
        default = "hardAmt defaults to 10" if "hardAmt" not in parameters.block.fields else ""
        parameters.warning(Code.FALLING_COST, key, message, default or "are they swapped?")
    return curve


def _read_piecewise(parameters: Parameters, shared: dict[str, float]) -> Curve | None:
    cutoff = _required_input(parameters, "cutoff")
    halves: dict[str, Curve] = {}
    for key in ("low", "high"):
        found = parameters.require(key, example="{ curve: invalid }")
        if found is None:
            continue
        half = read_curve(found.value, (*parameters.path, key), parameters.report)
        if half is not None:
            halves[key] = half
    if cutoff is None or len(halves) < 2:
        return None
    return Piecewise(cutoff=cutoff, low=halves["low"], high=halves["high"], **shared)
