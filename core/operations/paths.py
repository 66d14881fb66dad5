"""Where the program keeps what it knows."""

import os
import pwd
from pathlib import Path

_SYSTEM_REGISTRY = Path("/var/lib/libvirt-realms/registry.json")


def default_registry() -> Path:
    """Where the host registry is by default: the system's for root, else in the user's data folder."""
    if os.geteuid() == 0:
        return _SYSTEM_REGISTRY
    import platformdirs

    return platformdirs.user_data_path("libvirt-realms") / "registry.json"


def current_user() -> str:
    """Name of who runs the program, for others to read; the number where the machine knows no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
