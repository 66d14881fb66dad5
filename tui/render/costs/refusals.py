"""Why a host does not take a VM, in two or three words."""

from core.codes import Why
from core.placement.engine.verdicts import Refusal

_WHY_WORDS = {
    Why.UNKNOWN_REALM: "unknown realm",
    Why.REALM_DISABLED: "realm disabled",
    Why.HOST_DISABLED: "disabled",
    Why.NO_SCHEDULING: "no scheduling",
    Why.NOT_CONNECTED: "not connected",
    Why.STALE: "data too old",
    Why.UNKNOWN_PROFILE: "unknown profile",
    Why.NO_FREE_DEVICE: "no free device",
    Why.POOL_MISSING: "pool missing",
}


def short_name(attribute: str) -> str:
    """Name an attribute without the prefix of device types."""
    return attribute.removeprefix("devices.")


def why(refusal: Refusal) -> str:
    """Name a reason in two or three words: `memory infinite`, `no free a100`."""
    term = short_name(refusal.term or "")
    if refusal.why is Why.COST_INFINITE:
        return f"{term} infinite"
    if refusal.why is Why.NO_FREE_DEVICE:
        return f"no free {term}"
    return _WHY_WORDS[refusal.why]
