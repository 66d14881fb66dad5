"""What stands beside a parameter that is edited: the marks on its curve, the title, what can be typed."""

from core.costs import CostFunction
from core.curves import Curve
from core.errors import UsageError
from core.text import printable
from tui.render.costs.exploration import CloseUp
from tui.render.costs.parameters import Parameter, ParameterKind
from tui.render.costs.plot import Marks
from tui.render.costs.refusals import short_name
from tui.render.figures import cost_text


def complaint(error: UsageError) -> str:
    """Return what is wrong, without the path that stands beside it anyway."""
    return error.bare


def hint(parameter: Parameter, *, typing: bool) -> str:
    """Return what can be done with a parameter, or what can be typed."""
    if not typing:
        return "Enter edit, Del reset" if parameter.kind is ParameterKind.CURVE else "+ - step, Enter edit, Del reset"
    match parameter.kind:
        case ParameterKind.CURVE:
            what = "A whole curve in braces, or none"
        case ParameterKind.SIZE:
            what = "A size, such as 800 GiB"
        case ParameterKind.BYTES:
            what = "Bytes as a plain number, or none"
        case _:
            what = "A number" if parameter.path[-1] != "max" else "A number, or none"
    return f"{what}; Enter apply, Esc cancel"


def curve_of(function: CostFunction, attribute: str | None) -> Curve | None:
    """Return the curve of a term; None where the function has none."""
    match attribute:
        case None:
            return None
        case "vms":
            return function.vms
        case "vcpus":
            return function.vcpus
        case "memory":
            return function.memory
        case _:
            return function.devices.get(attribute.removeprefix("devices."))


def marks_of(close_up: CloseUp | None, attribute: str) -> Marks:
    """Return what to mark on a term's curve: the use of a host before and after, and what the host has."""
    if close_up is None:
        return Marks()
    change = next((each for each in close_up.changes if each.attribute == attribute), None)
    capacity = close_up.capacity(attribute)
    if change is None or change.before is None or change.after is None:
        return Marks(capacity=capacity)
    return Marks(float(change.before.input), float(change.after.input), capacity)


def plot_title(
    attribute: str, curve: Curve | None, was: Curve | None, marks: Marks, *, differs: bool
) -> list[str | tuple[str, str]]:
    """Name a term, what it costs with the VM, and whether the curve is another than the configured one."""
    dash = " \N{BOX DRAWINGS LIGHT HORIZONTAL} "
    parts: list[str | tuple[str, str]] = [(printable(short_name(attribute)), "bold")]
    if marks.after is not None and curve is not None:
        after = cost_text(curve.cost(marks.after))
        if differs and was is not None:
            parts += [
                (f"{dash}costs ", "$muted"),
                cost_text(was.cost(marks.after)),
                (" \N{RIGHTWARDS ARROW} ", "$muted"),
            ]
        else:
            parts.append((f"{dash}costs ", "$muted"))
        parts.append((after, "bold"))
    if curve is None:
        parts.append((f"{dash}curve removed; dashed: configured", "$warning"))
    elif differs and was is not None:
        parts.append((f"{dash}dashed: configured", "$muted"))
    elif differs:
        parts.append((f"{dash}not in the configuration", "$muted"))
    return parts
