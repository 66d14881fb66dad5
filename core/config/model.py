"""The configuration as understood: what the files say, typed and with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.costs import CostFunction
from core.hardware import HardwareProfile
from core.realms import Realm


@dataclass(frozen=True, slots=True)
class Configuration:
    """Cost functions, hardware profiles and realms by id, in the order in which the files define them.

    Valid by construction when it comes from the reader: every profile's cost function exists.
    """

    cost_functions: Mapping[str, CostFunction] = field(default_factory=dict)
    hardware_profiles: Mapping[str, HardwareProfile] = field(default_factory=dict)
    realms: Mapping[str, Realm] = field(default_factory=dict)

    def cost_function_of(self, profile: HardwareProfile) -> CostFunction:
        """Return the cost function that a profile names."""
        return self.cost_functions[profile.cost_function]
