"""`realms hosts discover`: proposes a hardware profile from a real host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import HostRefused, UnreadableFile, UsageError
from tui.cli.options import WAIT, GlobalOptions, RealmsCommand, json_option, pass_options

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.operations.hardware.discover import Proposal


@click.command("discover", cls=RealmsCommand)
@click.argument("uri", metavar="URI")
@click.option("--id", "profile_id", metavar="ID", help="Id of the profile (default: from the host's name).")
@click.option("--cost-function", "function_id", metavar="ID",
              help="Cost function of the profile; if missing or unsuitable, one is proposed.")  # fmt: skip
@click.option("--timeout", type=WAIT, default=10.0, show_default=True,
              metavar="SECONDS", help="Timeout for the host.")  # fmt: skip
@json_option
@pass_options
def discover(
    options: GlobalOptions, *, uri: str, profile_id: str | None, function_id: str | None, timeout: float, as_json: bool
) -> None:
    """Propose a hardware profile for a host, as text for the configuration. Changes nothing.

    Cores and memory are as reported by libvirt; devices are the accelerators, displays and disks that can be assigned
    to VMs, with objections to each. Needs no configuration; if there is one, its cost functions are used.
    """
    from core.driver.hosts.survey import survey
    from core.operations.hardware.discover import propose
    from core.operations.hardware.profile_hocon import write_hocon
    from core.uris import parse_uri
    from tui.cli.output import print_json

    if options.fleet is not None:
        raise UsageError("a saved fleet has no hosts to ask", hint="leave out --fleet")
    for what, identity in (("--id", profile_id), ("--cost-function", function_id)):
        if identity is not None and not (identity.strip() and identity.isprintable()):
            raise UsageError(f"{what} is not a valid id: {identity!r}", hint="such as gpu-node")
    try:
        accepted = parse_uri(uri)
    except HostRefused as error:
        raise UsageError(error.message, hint=error.hint) from error
    configuration = _configuration(options)
    proposal = propose(survey(accepted.text, timeout), configuration, profile_id=profile_id, function_id=function_id)
    if as_json:
        print_json(document_of(proposal, write_hocon(proposal)))
    else:
        click.echo(write_hocon(proposal), nl=False)


def _configuration(options: GlobalOptions) -> Configuration:
    """Read the configuration where there is one: whoever discovers may only be about to write it."""
    import os

    from core.config.model import Configuration as Empty
    from core.config.places import find_configuration
    from core.config.reader import load

    try:
        path = find_configuration(options.config, os.environ)
    except UnreadableFile:
        return Empty()
    return load(path)


def document_of(proposal: Proposal, hocon: str) -> dict[str, Any]:
    """Return the JSON document: the profile, the proposed cost function, all devices looked at, and the text."""
    from core.curves import as_mapping

    profile, function = proposal.profile, proposal.function
    return {
        "uri": proposal.survey.uri,
        "host_name": proposal.survey.host_name,
        "profile": {
            "id": profile.id,
            "cores": profile.cores,
            "memory": profile.memory_bytes,
            "devices": [{"type": device.type, "addr": str(device.address)} for device in profile.devices],
            "cost_function": profile.cost_function,
        },
        "cost_function": {
            "id": function.id,
            "vms": as_mapping(function.vms) if function.vms else None,
            "vcpus": as_mapping(function.vcpus) if function.vcpus else None,
            "memory": as_mapping(function.memory) if function.memory else None,
            "devices": {kind: as_mapping(curve) for kind, curve in function.devices.items()},
            "offset": function.offset,
        } if function is not None else None,
        "candidates": [
            {
                "type": candidate.type,
                "addr": str(candidate.device.address),
                "name": candidate.device.name,
                "driver": candidate.device.driver or None,
                "iommu_group": candidate.device.iommu_group,
                "proposed": candidate.proposed,
                "why_not": candidate.why or None,
                "warnings": list(candidate.warnings),
            }
            for candidate in proposal.candidates
        ],
        "remarks": list(proposal.remarks),
        "hocon": hocon,
    }  # fmt: skip
