"""A network file system that a host of the lab serves: GlusterFS, which the kernel needs no module of its own for."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .requirements import SBIN
from .waiting import eventually

if TYPE_CHECKING:
    from .host import LabHost

VOLUME = "shared"
_BRICK = "/var/lib/libvirt/served"
"""Where the served files lie on the host."""


def why_no_server() -> str | None:
    """Return in one line why no host can serve one; None where one can."""
    missing = [name for name in ("glusterd", "gluster", "mount.glusterfs") if shutil.which(name, path=SBIN) is None]
    return f"no {', '.join(missing)}: run `make lab-setup`" if missing else None


def serve(host: LabHost, *folders: str) -> str:
    """Have a host serve a volume with these folders in it; gives its source as a pool names it, HOST:/VOLUME."""
    host.run(
        "sh", "-e", "-c",
        "mkdir -p /var/lib/glusterd /var/log/glusterfs /run/gluster; mount -t tmpfs tmpfs /var/lib/glusterd;"
        f"mount -t tmpfs tmpfs /var/log/glusterfs; mkdir {_BRICK}; cd {_BRICK}; mkdir {' '.join(folders)};"
        "glusterd --pid-file /run/gluster/glusterd.pid",
    )  # fmt: skip
    gluster = ("gluster", "--mode=script")
    eventually(lambda: host.run(*gluster, "pool", "list", check=False).strip(), "glusterd")
    host.run(*gluster, "volume", "create", VOLUME, f"{host.address}:{_BRICK}", "force")
    host.run(*gluster, "volume", "start", VOLUME)
    return f"{host.address}:/{VOLUME}"


def is_serving(host: LabHost) -> bool:
    """Return whether the server's processes run."""
    return bool(host.run("sh", "-c", "pidof glusterfsd || true").strip())


def stop_serving(host: LabHost) -> None:
    """End the server at once, and remove what it served."""
    host.run("sh", "-c", "kill -KILL $(pidof glusterfsd glusterd) 2> /dev/null", check=False)
    eventually(lambda: not is_serving(host), "the end of the server")
    mounts = "/var/lib/glusterd /var/log/glusterfs"
    host.run("sh", "-c", f"rm -rf {_BRICK}; for each in {mounts}; do umount -l $each 2> /dev/null; done", check=False)


def mounts_of(host: LabHost, kind: str) -> dict[str, str]:
    """Return what a host has mounted of a kind of file system: source by folder."""
    rows = (line.split() for line in host.run("cat", "/proc/mounts").splitlines())
    return {row[1]: row[0] for row in rows if row[2] == kind}
