"""Real libvirt hosts on one machine: the lab that the tests of this folder run on.

Each host lives in network, mount, PID and UTS namespaces of its own, with its own libvirtd, virtlogd and sshd; QEMU
runs without hardware virtualization. A lab's hosts share a bridge and a folder, as hosts of a realm share a network
and a distributed file system. Nothing of it touches the machine's own libvirt. It needs root and `make lab-setup`.
"""

from __future__ import annotations

from .parts.guests import Boot
from .parts.host import LabHost
from .parts.lab import Lab
from .parts.requirements import why_not

__all__ = ["Boot", "Lab", "LabHost", "why_not"]
