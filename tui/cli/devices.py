"""The option `--device TYPE[=N]`, given once for each type."""

from collections.abc import Iterable
from typing import Any

import click

from core.errors import UsageError

MOST = 2**31 - 1
"""Devices of one type that can be asked for."""


class DeviceType(click.ParamType):  # type: ignore[type-arg]  # older clicks' takes none
    """A device type with a number, 1 if left out: `nvidia-gpu=2`."""

    name = "TYPE[=N]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Split the type from the number, or fail with what would be right."""
        if isinstance(value, tuple):
            return value
        kind, equals, count = value.partition("=")
        kind = kind.strip()
        if not kind:
            self.fail(f"{value!r} is not a device type (such as nvidia-gpu=1)", param, ctx)
        if not equals:
            return kind, 1
        count = count.strip()
        if not (count.isascii() and count.isdigit()) or len(count) > 10 or int(count) > MOST:
            self.fail(f"{count!r} is not a number of devices of type {kind} (such as {kind}=1)", param, ctx)
        return kind, int(count)


device_option = click.option(
    "--device", "devices", type=DeviceType(), multiple=True, metavar="TYPE[=N]",
    help="Devices of a type (N defaults to 1); repeat for other types.",
)  # fmt: skip
"""Its parameter is `devices`: pairs of type and number, to be given to `by_type`."""


def by_type(devices: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Gather the option's values; raises UsageError where a type was given twice."""
    counts: dict[str, int] = {}
    for kind, count in devices:
        if kind in counts:
            hint = f"use --device {kind}={counts[kind] + count} for all of them"
            raise UsageError(f"--device {kind} is given twice", hint=hint)
        counts[kind] = count
    return counts
