"""Starts a lab and keeps it until Ctrl-C: `make lab`, or `python -m tests.lab --hosts N --guests N`."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from core.errors import RealmsError

from .parts.lab import MOST_HOSTS, Lab
from .parts.realm import write_configuration, write_registry
from .parts.requirements import BRICK, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> int:
    """Run a lab in the foreground; exit code 1 where none can be started."""
    parser = argparse.ArgumentParser(prog="tests.lab", description="real libvirt hosts on this machine, until Ctrl-C")
    parser.add_argument("--hosts", type=int, default=3, metavar="N", choices=range(1, MOST_HOSTS + 1))
    parser.add_argument("--guests", type=int, default=1, metavar="N", help="guests to start on each host")
    wanted = parser.parse_args()
    reason = why_not()
    if reason is not None:
        sys.stderr.write(f"{reason}\n")
        return 1
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs begin with the first one ignored
        signal.signal(ending, signal.default_int_handler)
    try:
        with Lab.start(wanted.hosts) as lab:
            _start_guests(lab, wanted.guests)
            sys.stdout.write("\n".join(directions(lab)))
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("\nthe lab has ended\n")
    except RealmsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _start_guests(lab: Lab, each: int) -> None:
    for host in lab.hosts:
        for number in range(1, each + 1):
            name = f"{host.name}-guest{number}"
            host.define_guest(name)
            host.start_guest(name)


def directions(lab: Lab) -> Iterator[str]:
    """Describe the lab's realm in its folder, and say in lines how it is used."""
    configuration, registry = write_configuration(lab.folder), lab.folder / "registry.json"
    write_registry(lab, configuration, registry)
    for host in lab.hosts:
        yield f"{host.name}  {host.uri}"
        yield f"    translated addresses {host.static_address}, local {host.local_uri}"
    yield ""
    yield "In another terminal, as root:"
    yield f"    export REALMS_CONFIG={configuration} REALMS_REGISTRY={registry}"
    yield "    export REALMS_VIRTUALIZATION=qemu    # guests without acceleration, as these hosts have no /dev/kvm"
    yield "    .venv/bin/realms"
    yield ""
    yield f"The guests' image is {BRICK}, and brick lab-guest.qcow2 in the pool."
    yield f"Shared storage: {lab.shared} on the hosts, {lab.shared_from_outside} on this machine."
    yield "Networks default (NAT) and lab (bridged). Ctrl-C ends all of it."
    yield ""


if __name__ == "__main__":
    sys.exit(main())
