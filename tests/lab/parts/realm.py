"""The lab as a realm: a configuration and a registry of its hosts, for the program itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.reader import load
from core.hosts import Host, StaticAddress
from core.registry.hosts import HostRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from .lab import Lab

_CONFIGURATION = """\
# A realm of the hosts of a lab: real libvirt daemons in namespaces of this machine, guests without acceleration.
ticrypt.vm {
  cost-functions {
    lab {
      description = "Up to 16 small VMs"
      vms { curve: hard-soft, soft: 8, hard: 16 }
      vcpus { curve: hard-soft, soft: 8, hard: 16 }
      memory { curve: hard-soft, soft: 2147483648, hard: 4294967296 }
      devices.gpu { curve: linear, slope: 1, base: 0 }
    }
  }
  hardware-profiles {
    lab {
      cores = 8
      memory = 4 GiB
      devices = [{ type: gpu, addr: "0000:41:00.0" }, { type: gpu, addr: "0000:42:00.0" }]
      cost-function = lab
    }
  }
  realms {
    lab = { include "realms/lab.conf" }
  }
}
"""

_REALM = """\
disabled = false
driver = libvirt
name = "The lab"
poll-frequency = 2 seconds
registration-timeout = 2 minutes
network = default
drives { lazy-allocation = on, min-size = 1 MiB, max-size = 1 GiB }
"""


def write_configuration(folder: Path) -> Path:
    """Write the lab's configuration and give the path of its main file."""
    (folder / "realms").mkdir(parents=True, exist_ok=True)
    (folder / "realms/lab.conf").write_text(_REALM)
    main = folder / "ticrypt-vm.conf"
    main.write_text(_CONFIGURATION)
    return main


def hosts_of(lab: Lab) -> tuple[Host, ...]:
    """Describe the lab's hosts as an administrator would, with static address translation."""
    return tuple(
        Host(
            name=host.name,
            realm="lab",
            uri=host.uri,
            profile="lab",
            static_address=StaticAddress.parse(host.static_address),
        )
        for host in lab.hosts
    )


def write_registry(lab: Lab, configuration: Path, path: Path) -> None:
    """Register all hosts of the lab in a new registry."""
    understood = load(configuration)
    registry = HostRegistry(path)
    for host in hosts_of(lab):
        registry.add(host, understood)
