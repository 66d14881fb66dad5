"""`realms demo`: the full-screen application on a built-in fleet."""

import click

from tui.cli.options import RealmsCommand


@click.command("demo", cls=RealmsCommand)
@click.option("--hosts", type=click.IntRange(1, 1000), default=8, show_default=True, metavar="N", help="Hosts.")
@click.option("--vms", type=click.IntRange(0, 20_000), default=40, show_default=True, metavar="N", help="VMs on them.")
@click.option("--still", is_flag=True, help="Freeze the demo (no random VM starts or stops).")
def demo(hosts: int, vms: int, *, still: bool) -> int:
    """Open the full-screen application on a built-in fleet.

    The hosts are libvirt's embedded test driver inside this process: no daemon, root or configuration is needed. One
    host is set to No Scheduling, one is disabled and one is unreachable.
    """
    from tui.cli.screen import run_demo
    from tui.terminal.capabilities import check_terminal

    check_terminal()
    return run_demo(hosts=hosts, vms=vms, still=still)
