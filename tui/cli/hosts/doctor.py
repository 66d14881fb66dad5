"""`realms doctor`: checks everything that hosts need."""

import shutil
import sys
import textwrap
from typing import Any

import click

from core.operations.findings import Diagnosis, Finding
from core.text import plural
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options

_INDENT = 11
"""Columns before what was found."""


@click.command("doctor", cls=RealmsCommand)
@click.argument("hosts", metavar="[HOST]...", nargs=-1)
@click.option("--all", "show_all", is_flag=True, help="Show passed checks too.")
@click.option("--timeout", type=click.FloatRange(min=1, max=3600), default=20.0, show_default=True, metavar="SECONDS",
              help="Timeout for each host.")  # fmt: skip
@json_option
@pass_options
def doctor(options: GlobalOptions, hosts: tuple[str, ...], *, show_all: bool, timeout: float, as_json: bool) -> int:
    """Diagnose hosts and show how to fix problems. Changes nothing.

    Checks ssh, libvirt and QEMU, the realm's pools, network and filter, the hardware profile against the machine, and
    the hosts of a realm against each other. Without HOST all hosts that are not disabled are checked in parallel. Exit
    code 1 if an error is found.
    """
    from core.operations.doctor.doctor import diagnose
    from tui.cli.output import print_json

    with options.session() as session:
        diagnosis = diagnose(session, hosts, timeout)
    if as_json:
        print_json(document_of(diagnosis))
    else:
        _print(diagnosis, show_all=show_all)
    return 0 if diagnosis.ok else 1


def document_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """Give the JSON document. `host` is null for what is about this machine, `mend` where nothing needs to be done."""
    return {
        "findings": [
            {
                "host": finding.host or None,
                "severity": finding.severity.value,
                "check": finding.check,
                "what": finding.what,
                "mend": finding.mend or None,
            }
            for finding in diagnosis.findings
        ],
        "hosts_total": diagnosis.hosts_total,
        "hosts_answering": diagnosis.hosts_answering,
        "ok": diagnosis.ok,
    }


def _print(diagnosis: Diagnosis, *, show_all: bool) -> None:
    from core.diagnostics import Severity
    from tui.cli.output import say

    for host in diagnosis.hosts:
        found = list(diagnosis.of(host))
        shown = [finding for finding in found if show_all or finding.severity is not Severity.OK]
        well = sum(finding.severity is Severity.OK for finding in found)
        label = host or "This machine"
        if not shown:
            say(f"{label}: OK ({well} checks passed)")
            continue
        say(label)
        for finding in shown:
            _print_finding(finding)
    if diagnosis.hosts:
        say()
    errors, warnings = diagnosis.count(Severity.ERROR), diagnosis.count(Severity.WARNING)
    say(
        f"{diagnosis.hosts_answering} of {diagnosis.hosts_total} hosts answered; {plural(errors, 'error')}, "
        f"{plural(warnings, 'warning')}"
    )


def _print_finding(finding: Finding) -> None:
    from core.text import printable

    severity = printable(finding.severity.value)
    colour = {"error": "red", "warning": "yellow", "ok": "green"}.get(severity)
    text = f"{printable(finding.check)}: {printable(finding.what)}"
    if sys.stdout.isatty():  # folded for reading; commands never are, so that they can be copied
        width = max(50, shutil.get_terminal_size().columns) - _INDENT
        text = f"\n{' ' * _INDENT}".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))
    click.echo(f"  {click.style(f'{severity:<7}', fg=colour)}  {text}")
    if finding.mend:
        click.echo(f"{' ' * _INDENT}-> {printable(finding.mend)}")
