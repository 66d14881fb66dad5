"""The parameters of a cost function as lines that can be edited: path, value, and the next round value."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum

from core.config.syntax import render_path
from core.costs import CostFunction
from core.curves import PARAMETERS, Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable, curve_name
from core.units import NotAQuantity, format_size, parse_size

SECTION = "cost-functions"
NONE = "none"
"""What stands for a curve or a parameter that is not set; typing it unsets one."""

EXAMPLE = "{ curve: linear, slope: 1, base: 0 }"

_GIB = 2**30
_MIB = 2**20
_OPTIONAL = ("scale", "max")
_DEFAULTS = {"scale": "1", "max": NONE, "softAmt": "1", "hardAmt": "10"}
_LEAST_POWER = -9
"""Numbers below this power of ten have steps as large as it has."""
_INPUTS = ("soft", "hard", "cutoff", "max")
"""Parameters that are inputs of their curve, of which most are whole numbers."""


class ParameterKind(Enum):
    """What a parameter holds."""

    NUMBER = "number"
    AMOUNT = "amount"
    """A number of VMs, vCPUs or devices."""
    SIZE = "size"
    """Bytes, which may be written with a unit."""
    BYTES = "bytes"
    """Bytes, which have to be written as a plain number."""
    CURVE = "curve"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a cost function.

    `path` counts from `ticrypt.vm`; `attribute` is the term that it belongs to, empty for scale and offset; `text` is
    the value as one would write it, `shown` in a word.
    """

    path: tuple[str, ...]
    attribute: str
    kind: ParameterKind
    text: str
    shown: str

    @property
    def name(self) -> str:
        """The path within its cost function."""
        return render_path(self.path[2:])

    def next(self, direction: int) -> str | None:
        """Return the next larger (1) or smaller (-1) round value; None for a curve, which has none."""
        if self.kind is ParameterKind.CURVE:
            return None
        if self.kind in (ParameterKind.SIZE, ParameterKind.BYTES):
            return self._next_size(direction)
        try:
            value = Decimal(self.text)
        except InvalidOperation:  # not set: no maximum, from which there is no next one
            return None
        return _plain(_next(value, direction, whole=self.kind is ParameterKind.AMOUNT))

    def _next_size(self, direction: int) -> str | None:
        try:
            size = parse_size(self.text)
        except NotAQuantity:
            return None
        below = size if direction > 0 else size - 1
        step = max(_MIB, (1 << max(0, below.bit_length() - 1)) // 8)
        after = (size // step + 1) * step if direction > 0 else ((size - 1) // step) * step
        after = max(_MIB, after)
        return size_text(after) if self.kind is ParameterKind.SIZE else str(after)


def parameters(function: CostFunction) -> tuple[Parameter, ...]:
    """List every parameter of a function: curve by curve in the order of the terms, then scale and offset."""
    listed: list[Parameter] = []
    for attribute, curve in (("vms", function.vms), ("vcpus", function.vcpus), ("memory", function.memory)):
        listed += _curve((SECTION, function.id, attribute), attribute, curve)
    for kind in sorted(function.devices):
        listed += _curve((SECTION, function.id, "devices", kind), f"devices.{kind}", function.devices[kind])
    for name, value in (("scale", function.scale), ("offset", function.offset)):
        text = number_text(value)
        listed.append(Parameter((SECTION, function.id, name), "", ParameterKind.NUMBER, text, text))
    return tuple(listed)


def _curve(path: tuple[str, ...], attribute: str, curve: Curve | None) -> Iterator[Parameter]:
    is_memory = attribute == "memory"
    if curve is None:
        yield Parameter(path, attribute, ParameterKind.CURVE, NONE, NONE)
        return
    yield Parameter(path, attribute, ParameterKind.CURVE, curve_text(curve, memory=is_memory), curve_name(curve))
    for name in _names(curve):
        value = getattr(curve, PARAMETERS[name])
        if isinstance(value, Constant | HardSoft | Invalid | Linear | Piecewise | Unavailable):
            yield from _curve((*path, name), attribute, value)
        else:
            kind = _kind(name, memory=is_memory)
            text = _text(name, value, memory=is_memory)
            yield Parameter((*path, name), attribute, kind, text, _shown(kind, text, value))


def _names(curve: Curve) -> Iterator[str]:
    """Return the names of a curve's parameters; those that only would hide it are left out."""
    hidden = _OPTIONAL if isinstance(curve, Invalid | Unavailable) else ()
    return (name for name, attribute in PARAMETERS.items() if hasattr(curve, attribute) and name not in hidden)


def _kind(name: str, *, memory: bool) -> ParameterKind:
    if name not in _INPUTS:
        return ParameterKind.NUMBER
    if not memory:
        return ParameterKind.AMOUNT
    return ParameterKind.BYTES if name == "max" else ParameterKind.SIZE


def _text(name: str, value: float | None, *, memory: bool) -> str:
    if value is None:
        return NONE
    if memory and name in _INPUTS and name != "max" and value >= _MIB and float(value).is_integer():
        return size_text(int(value))
    return number_text(value)


def _shown(kind: ParameterKind, text: str, value: float | None) -> str:
    if kind is ParameterKind.BYTES and value is not None and value >= _MIB and float(value).is_integer():
        return f"{size_text(int(value))} in bytes"
    return text


def curve_text(curve: Curve, *, memory: bool) -> str:
    """Write a curve as HOCON on one line, with units where they are allowed; defaults are left out."""
    parts = [f"curve: {curve_name(curve)}"]
    for name, attribute in PARAMETERS.items():
        if not hasattr(curve, attribute):
            continue
        value = getattr(curve, attribute)
        text = curve_text(value, memory=memory) if name in ("low", "high") else _text(name, value, memory=memory)
        if _DEFAULTS.get(name) != text:
            parts.append(f"{name}: {text}")
    return "{ " + ", ".join(parts) + " }"


def size_text(size: int) -> str:
    """Write a size in GiB where that is exact, else in what divides it."""
    short = f"{size / _GIB:.10g} GiB"
    return short if parse_size(short) == size else format_size(size)


def number_text(value: float) -> str:
    """Write a number exactly, without a fraction that is nothing."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def written(typed: str) -> str:
    """Return what is typed as a setting has it: `none`, or nothing, unsets."""
    return "null" if typed.strip() in ("", NONE) else typed.strip()


def _next(value: Decimal, direction: int, *, whole: bool) -> Decimal:
    """Go to the next multiple of a tenth of the power of ten below, so that going back gives the same values."""
    towards_zero = value and (value > 0) != (direction > 0)
    size = abs(value)
    power = max(size.adjusted(), _LEAST_POWER) if size else 0
    if towards_zero and size == Decimal(1).scaleb(power):
        power -= 1
    step = Decimal(1).scaleb(power - 1) if size else Decimal(1)
    if whole:
        step = max(step, Decimal(1))
    count = value / step
    floor = Decimal(math.floor(count))
    after = (floor + 1) * step if direction > 0 else (Decimal(math.ceil(count)) - 1) * step
    return max(Decimal(0), after) if whole else after


def _plain(value: Decimal) -> str:
    return number_text(float(value))
