"""The request of the cost explorer as it is typed: its fields, how they are read, and how a key changes them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from core.config.model import Configuration
from core.errors import UsageError
from core.placement.engine.request import Request
from core.text import one_line
from core.units import NotAQuantity, format_size, parse_size

MOST_VMS = 10_000
"""VMs that are placed at once: more take seconds, and say nothing more."""

ALL_REALMS = "all"

_DEVICES = "devices."
_GIB = 2**30
_CERTAINLY_BYTES = 1e6
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_LEAST_MEMORY_STEP = 2**28


class FieldKind(Enum):
    """How a field is read."""

    NUMBER = "number"
    SIZE = "size"
    REALM = "realm"


@dataclass(frozen=True, slots=True)
class RequestField:
    """One value of the request. `least` and `most` bound the numbers that make sense."""

    key: str
    label: str
    kind: FieldKind
    start: str
    least: int = 0
    most: int = 2**31 - 1
    choices: tuple[str, ...] = ()


class FieldRefused(ValueError):
    """What is typed in a field can't be asked for; `what` says what can, and the message with the field's name."""

    def __init__(self, what: str, label: str = "") -> None:
        super().__init__(f"{label}: {what}" if label else what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and how many such VMs."""

    request: Request
    count: int


def fields_for(configuration: Configuration) -> tuple[RequestField, ...]:
    """Return the fields: vCPUs, memory, every device type that a profile or a cost function knows, count, realm."""
    kinds = {kind for function in configuration.cost_functions.values() for kind in function.devices}
    kinds.update(kind for profile in configuration.hardware_profiles.values() for kind in profile.device_types)
    realms = tuple(configuration.realms)
    return (
        RequestField("vcpus", "vCPUs", FieldKind.NUMBER, "4", 1),
        RequestField("memory", "Memory", FieldKind.SIZE, "8 GiB", 1),
        *(RequestField(_DEVICES + kind, kind, FieldKind.NUMBER, "0") for kind in sorted(kinds)),
        RequestField("count", "Count", FieldKind.NUMBER, "1", 1, MOST_VMS),
        *((RequestField("realm", "Realm", FieldKind.REALM, ALL_REALMS, choices=realms),) if len(realms) > 1 else ()),
    )


def read(fields: Iterable[RequestField], typed: Mapping[str, str]) -> Asked:
    """Make a request of what is typed; raises FieldRefused for the first field that can't be read."""
    values = {field.key: read_field(field, typed.get(field.key, field.start)) for field in fields}
    devices = {
        key.removeprefix(_DEVICES): value
        for key, value in values.items()
        if key.startswith(_DEVICES) and isinstance(value, int)
    }
    vcpus, memory, count, realm = (values.get(key) for key in ("vcpus", "memory", "count", "realm"))
    if not isinstance(vcpus, int) or not isinstance(memory, int) or not isinstance(count, int):
        message = "vCPUs, memory and count are required"
        raise TypeError(message)
    try:
        return Asked(Request(vcpus, memory, devices, realm if isinstance(realm, str) else None), count)
    except UsageError as error:
        raise FieldRefused(str(error)) from error


def read_field(field: RequestField, text: str) -> int | str | None:
    """Read one field: a number, bytes, or a realm (None: all); raises FieldRefused."""
    match field.kind:
        case FieldKind.SIZE:
            return _size(field, text)
        case FieldKind.REALM:
            return _realm(field, text)
        case FieldKind.NUMBER:
            return _number(field, text)
        case _:
            assert_never(field.kind)


def _number(field: RequestField, text: str) -> int:
    digits = text.strip()
    if not digits:
        if field.least == 0:
            return 0
        message = "a number is required"
        raise FieldRefused(message, field.label)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        message = f"must be a whole number, not {one_line(text, 20)!r}"
        raise FieldRefused(message, field.label)
    if not field.least <= int(digits) <= field.most:
        bound = f"{field.least} or more" if int(digits) < field.least else f"at most {field.most}"
        message = f"must be {bound}"
        raise FieldRefused(message, field.label)
    return int(digits)


def _size(field: RequestField, text: str) -> int:
    """Read a size; a bare number is meant in GiB, unless it is so large that it must be bytes."""
    if not text.strip():
        message = "a size is required, such as 8 GiB"
        raise FieldRefused(message, field.label)
    if not text.isascii():
        message = f"{one_line(text, 20)!r} is not a size (such as 64 GiB)"
        raise FieldRefused(message, field.label)
    try:
        bare = _NUMBER.fullmatch(text.strip()) is not None
        size = parse_size(f"{text} GiB") if bare and float(text) < _CERTAINLY_BYTES else parse_size(text)
    except NotAQuantity as error:
        message = f"{one_line(str(error), 60)}" + (f" ({error.hint})" if error.hint else "")
        raise FieldRefused(message, field.label) from error
    if size < field.least:
        message = "must be more than 0, such as 8 GiB"
        raise FieldRefused(message, field.label)
    return size


def _realm(field: RequestField, text: str) -> str | None:
    wanted = text.strip()
    if wanted in ("", ALL_REALMS):
        return None
    if wanted not in field.choices:
        message = f"{ALL_REALMS} or one of {', '.join(field.choices)}"
        raise FieldRefused(message, field.label)
    return wanted


def stepped(field: RequestField, text: str, direction: int) -> str:
    """Return the field's next larger (1) or smaller (-1) round value; what can't be read starts over."""
    if field.kind is FieldKind.REALM:
        choices = (ALL_REALMS, *field.choices)
        position = choices.index(text.strip()) if text.strip() in choices else 0
        return choices[(position + direction) % len(choices)]
    try:
        value = _size(field, text) if field.kind is FieldKind.SIZE else _number(field, text)
    except FieldRefused:
        return field.start
    if field.kind is FieldKind.SIZE:
        return show_exactly(max(_LEAST_MEMORY_STEP, _next(value, direction, _LEAST_MEMORY_STEP)))
    following = value + direction if field.key.startswith(_DEVICES) else _next(value, direction, 1)
    return str(max(field.least, min(following, field.most)))


def _next(value: int, direction: int, least_step: int) -> int:
    """Go to the next multiple of a quarter of the power of two below, so that going back gives the same values."""
    below = value if direction > 0 else value - 1
    step = max(least_step, (1 << max(0, below.bit_length() - 1)) // 4)
    return (value // step + 1) * step if direction > 0 else ((value - 1) // step) * step


def show_exactly(size: int) -> str:
    """Write a size in GiB where that is exact, else as bytes divide: reading it gives the same number."""
    short = f"{size / _GIB:.10g} GiB"
    return short if parse_size(short) == size else format_size(size)
