"""Fields of the dialogs about VMs, how they are read, and what is wrong with them."""

import math
from collections.abc import Collection, Mapping

from core.errors import UsageError
from core.realms import DriveSettings
from core.units import NotAQuantity, format_duration, parse_duration
from tui.forms.fields import FormField
from tui.forms.host import Fault

LONGEST_PATIENCE = 86_400.0
_DEFAULT_PATIENCE = 120.0


def patience_field() -> FormField:
    """Return the field that says how long guests have to shut themselves down."""
    return FormField(key="timeout", label="Within", value=format_duration(_DEFAULT_PATIENCE), hint="e.g. 2 minutes")


def patience_of(values: Mapping[str, str]) -> float:
    """Read how long guests have, in seconds; raises NotAQuantity."""
    return read_seconds(values["timeout"])


def read_seconds(text: str) -> float:
    """Read a duration; a bare number is seconds, as on a command line. Raises NotAQuantity."""
    stripped = text.strip()
    if stripped.replace(".", "", 1).isdigit() and stripped.isascii():
        stripped += " s"
    seconds = parse_duration(stripped)
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST_PATIENCE:
        message = "more than 0, at most 1 day"
        raise NotAQuantity(message, "")
    return seconds


def check_patience(values: Mapping[str, str]) -> Mapping[str, Fault]:
    """Return what is wrong with how long guests have."""
    try:
        patience_of(values)
    except NotAQuantity as error:
        return {"timeout": Fault(error.hint or str(error))}
    return {}


def check_snapshot(values: Mapping[str, str]) -> Mapping[str, Fault]:
    """Return what is wrong with the name of a snapshot; none is fine, the time is taken then."""
    from core.operations.vms.snapshots import check_snapshot_name

    name = values["name"].strip()
    try:
        if name:
            check_snapshot_name(name)
    except UsageError as error:
        return {"name": Fault(error.hint)}
    return {}


def check_new_drive(values: Mapping[str, str], settings: DriveSettings, taken: Collection[str]) -> Mapping[str, Fault]:
    """Return what is wrong with the name and the size of a new drive."""
    from core.operations.storage.images import check_drive_size, check_name
    from tui.forms.vm_spec import read_size

    faults: dict[str, Fault] = {}
    name = values["name"].strip()
    try:
        check_name(name)
    except UsageError as error:
        faults["name"] = Fault(error.hint or error.message)
    if name in taken:
        faults["name"] = Fault("a drive of that name exists")
    size = read_size(values["size"])
    if size is None:
        faults["size"] = Fault("a size, e.g. 100 GiB")
        return faults
    try:
        check_drive_size(size, settings)
    except UsageError as error:
        faults["size"] = Fault(error.message)
    return faults
