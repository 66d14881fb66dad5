"""What the lab needs of the machine, and one plain line that says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("REALMS_LAB_CACHE", "/var/cache/libvirt-realms-lab"))
"""Where `make lab-setup` leaves the guest: kernel, initramfs, brick."""

KERNEL = CACHE / "vmlinuz"
INITRAMFS = CACHE / "initrd"
BRICK = CACHE / "brick.qcow2"

_PROGRAMS = (
    "libvirtd", "virtlogd", "virsh", "qemu-system-x86_64", "qemu-img", "sshd", "ssh", "ssh-keygen", "dnsmasq", "ip",
    "nft", "iptables", "nc", "mkfs.ext4", "mount", "unshare", "nsenter",
)  # fmt: skip

SBIN = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
"""The search path of everything the lab starts: daemons live where a user's path doesn't look."""


def why_not() -> str | None:
    """Return in one line why no lab can be started here; None where one can."""
    if os.geteuid() != 0:
        return "the lab's namespaces need root (run `make lab-setup` once, then the tests, both as root)"
    missing = [program for program in _PROGRAMS if shutil.which(program, path=SBIN) is None]
    if missing:
        return f"the lab needs {', '.join(missing)}: run `make lab-setup`"
    if not all(part.is_file() for part in (KERNEL, INITRAMFS, BRICK)):
        return f"the lab's guest is not in {CACHE}: run `make lab-setup`"
    probe = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode != 0:
        return f"this machine allows no namespaces, which `make lab-setup` can't mend: {probe.stderr.strip()}"
    return None
