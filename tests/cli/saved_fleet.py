"""A configuration and a saved fleet that commands run on."""

from __future__ import annotations

GIB = 2**30
PLACES = """
ticrypt.vm {
  cost-functions {
    cpu {
      name: "CPU nodes"
      vms { curve: linear, slope: 1, base: 0 }
      vcpus { curve: hard-soft, soft: 96, hard: 128, softAmt: 48, hardAmt: 480 }
      memory { curve: hard-soft, soft: 800 GiB, hard: 850 GiB, softAmt: 50, hardAmt: 500 }
    }
    gpu {
      vms { curve: linear, slope: 1, base: 0 }
      memory { curve: hard-soft, soft: 800 GiB, hard: 850 GiB, softAmt: 50, hardAmt: 500 }
      devices.a100: { curve: linear, slope: 25, base: 0, max: 2 }
      offset: 100000
      scale: 2
    }
  }
  hardware-profiles {
    cpu-node { cores: 128, memory: 1 TiB, cost-function: cpu }
    gpu-node {
      cores: 128, memory: 1 TiB, cost-function: gpu
      devices: [ { type: a100, addr: "c1:00.0" }, { type: a100, addr: "01:00.0" }, { type: a100, addr: "41:00.0" } ]
    }
  }
  realms {
    main { disabled: false, driver: libvirt, name: Main, drives { lazy-allocation: on } }
    old { disabled: true, driver: libvirt, name: Old, drives { lazy-allocation: on } }
  }
}
"""
HOSTS = [
    {"name": "h1", "realm": "main", "profile": "cpu-node", "state": "enabled"},
    {"name": "h2", "realm": "main", "profile": "cpu-node", "state": "enabled"},
    {"name": "h3", "realm": "main", "profile": "gpu-node", "state": "enabled"},
    {"name": "h4", "realm": "main", "profile": "cpu-node", "state": "no-scheduling", "pools": {}},
    {"name": "h5", "realm": "main", "profile": "cpu-node", "state": "enabled", "connection": "unreachable",
     "age": 48, "error": "refused\x1b[31m"},
    {"name": "h6", "realm": "old", "profile": "cpu-node", "state": "enabled"},
]  # fmt: skip
VMS = [
    {"name": "web", "host": "h1", "vcpus": 40, "memory": 336 * 2**30, "devices": []},
    {"name": "db", "host": "h2", "vcpus": 8, "memory": 846 * 2**30, "devices": []},
    {"name": "ml", "host": "h3", "vcpus": 8, "memory": 64 * 2**30, "devices": ["01:00.0"]},
]
FLEET = {"format": "libvirt-realms-fleet/1", "taken": "2026-11-22T10:00:00Z", "hosts": HOSTS, "vms": VMS}
THREE = [HOSTS[0], HOSTS[1], {**HOSTS[0], "name": "h7"}]
"""Three equal hosts: a VM costs 1, each of its vCPUs 0.5 and each 16 GiB of its memory 1."""


def vm(name: str, host: str, vcpus: int, gib: int, **more: object) -> dict[str, object]:
    """Describe a VM of a saved fleet."""
    return {"name": name, "host": host, "vcpus": vcpus, "memory": gib * GIB, "devices": [], **more}
