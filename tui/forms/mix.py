"""A mix of sizes as it is typed, line by line."""

from collections.abc import Mapping

from core.errors import UsageError
from core.placement.engine.request import Request
from core.text import one_line
from tui.forms.request import ALL_REALMS, MOST_VMS, FieldRefused, RequestField, read_field

Mix = tuple[tuple[Request, int], ...]

MOST_SIZES = 6
"""Lines of the form."""

_DEVICES = "devices."


def typed_devices(devices: Mapping[str, int]) -> str:
    """Write devices as they are typed: `a100=1, l40s=2`."""
    return ", ".join(f"{kind}={count}" for kind, count in devices.items())


def read_mix(fields: Mapping[str, RequestField], typed: Mapping[str, str]) -> Mix:
    """Make requests of what is typed in `count-0`, `vcpus-0` and so on; raises FieldRefused, naming the line.

    `fields` are those of the cost explorer's request, by key. A line without a number of VMs is left out.
    """
    wanted = typed.get("realm", ALL_REALMS)
    realm = None if wanted == ALL_REALMS else wanted
    mix = []
    for number in range(MOST_SIZES):
        line = {
            key: typed.get(f"{key}-{number}", "").strip() for key in ("count", "vcpus", "memory", "devices")
        }  # fmt: skip
        if line["count"] in ("", "0"):
            continue
        try:
            count, vcpus, memory = (read_field(fields[key], line[key]) for key in ("count", "vcpus", "memory"))
            request = Request(_int(vcpus), _int(memory), _devices(fields, line["devices"]), realm)
        except (FieldRefused, UsageError) as error:
            message = f"Line {number + 1}: {error}"
            raise FieldRefused(message) from error
        mix.append((request, _int(count)))
    if not mix:
        message = "A mix needs at least 1 VM"
        raise FieldRefused(message)
    if sum(count for _, count in mix) > MOST_VMS:
        message = f"A mix has at most {MOST_VMS} VMs"
        raise FieldRefused(message)
    return tuple(mix)


def _int(value: int | str | None) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _devices(fields: Mapping[str, RequestField], text: str) -> dict[str, int]:
    """Read `a100=1, l40s`; a type alone is one device."""
    devices: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        kind, equals, count = (each.strip() for each in part.partition("="))
        field = fields.get(_DEVICES + kind)
        if field is None:
            known = ", ".join(key.removeprefix(_DEVICES) for key in fields if key.startswith(_DEVICES))
            message = f"unknown device type {one_line(kind, 20)!r}; known: {one_line(known, 60)}"
            raise FieldRefused(message)
        devices[kind] = devices.get(kind, 0) + (_int(read_field(field, count)) if equals else 1)
    return devices
