"""`realms cost`: one cost, term by term."""

import os

import click

from core.config.model import Configuration
from core.costs import Cost, CostFunction, Term
from core.errors import UsageError
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand, json_option, pass_options

_COUNT = click.IntRange(0, 2**63 - 1)


@click.command("cost", cls=RealmsCommand)
@click.option("--function", "function_id", metavar="ID", help="A cost function.")
@click.option("--profile", "profile_id", metavar="ID", help="A hardware profile, for its cost function.")
@click.option("--vms", type=_COUNT, required=True, metavar="N", help="VMs on the host.")
@click.option("--vcpus", type=_COUNT, required=True, metavar="N", help="Total vCPUs of the VMs.")
@click.option(
    "--memory", type=SIZE, required=True, help="Total memory of the VMs, such as '64 GiB'; a bare number is bytes."
)
@device_option
@json_option
@pass_options
def cost(
    options: GlobalOptions,
    *,
    function_id: str | None,
    profile_id: str | None,
    vms: int,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    as_json: bool,
) -> int:
    """Compute the cost of a host with this usage, term by term.

    Exit code 1 if the cost is infinite: the usage is over a limit.
    """
    from core.config.places import find_configuration
    from core.config.reader import load
    from core.costs import Use
    from tui.cli.json_shapes import cost_document
    from tui.cli.output import print_json

    if (function_id is None) == (profile_id is None):
        message = "use either --function or --profile" + ("" if function_id is None else ", not both")
        raise UsageError(message)
    asked = by_type(devices)
    configuration = load(find_configuration(options.config, os.environ))
    function = _function(configuration, function_id, profile_id)
    use = Use(vms, vcpus, memory, {kind: count for kind, count in asked.items() if count})
    found = function.cost(use, asked)
    if as_json:
        print_json(cost_document(function.id, found))
    else:
        _print(function, found)
    return 0 if found.feasible else 1


def _function(configuration: Configuration, function_id: str | None, profile_id: str | None) -> CostFunction:
    from core.operations.selection import check_known

    check_known("cost function", function_id, configuration.cost_functions)
    check_known("hardware profile", profile_id, configuration.hardware_profiles)
    if function_id is not None:
        return configuration.cost_functions[function_id]
    return configuration.cost_function_of(configuration.hardware_profiles[profile_id or ""])


def _print(function: CostFunction, found: Cost) -> None:
    from core.curves import curve_name
    from tui.cli.output import headings, print_table, say
    from tui.render.figures import cost_text, decimals

    digits = decimals([*(term.cost for term in found.terms), found.total])
    title = function.id if function.name == function.id else f"{function.id} ({function.name})"
    summands = " + ".join(cost_text(term.cost, digits) for term in found.terms)
    say(f"{title}: {cost_text(found.total, digits)} = {found.scale:g} x ({summands}) + {found.offset:g}")
    if not found.feasible:
        infinite = [term.attribute for term in found.terms if not term.feasible]
        say("infinite: " + (", ".join(infinite) or "the sum is too large for a double"))
    say()
    print_table(
        headings("Term", ">Input", ">Limit", "Curve", ">Cost"),
        [
            [
                term.attribute,
                _amount(term, term.input),
                _amount(term, term.largest_finite_input),
                "-" if term.curve is None else curve_name(term.curve),
                cost_text(term.cost, digits),
            ]
            for term in found.terms
        ],
    )  # fmt: skip


def _amount(term: Term, amount: int | None) -> str:
    from core.units import show_size

    if amount is None:
        return "-"
    return show_size(amount) if term.attribute == "memory" else str(amount)
