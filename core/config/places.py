"""Where the main file is looked for (`--config`, REALMS_CONFIG, the working folder, /etc)."""

import os
from collections.abc import Mapping
from pathlib import Path

from core.errors import UnreadableFile

VARIABLE = "REALMS_CONFIG"
DEFAULT_PLACES = (Path("ticrypt-vm.conf"), Path("/etc/ticrypt/ticrypt-vm.conf"))


def find_configuration(
    explicit: Path | None, environment: Mapping[str, str], places: tuple[Path, ...] = DEFAULT_PLACES
) -> Path:
    """Give the main file: the one named, else the first place that has one; raises UnreadableFile with what was tried.

    A file that is named, by option or variable, is taken even where it does not exist: its reader then says so.
    """
    if explicit is not None:
        return explicit
    if named := environment.get(VARIABLE):
        return Path(named)
    for place in places:
        try:
            if os.path.isfile(place):
                return place
        except OSError:  # a folder on the way that may not be entered
            continue
    tried = ", ".join(str(place) if place.is_absolute() else f"./{place}" for place in places)
    message = f"no configuration found: looked for {tried}"
    raise UnreadableFile(message, hint=f"set one with --config FILE or {VARIABLE}")
