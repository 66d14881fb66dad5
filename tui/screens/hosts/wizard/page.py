"""What the pages of the wizard that adds a host have in common: the host that they describe together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tui.screens.dialogs.wizard import WizardPage

if TYPE_CHECKING:
    from tui.screens.hosts.wizard.wizard import HostWizard


class HostPage(WizardPage):
    """A page of the wizard that adds a host."""

    @property
    def adding(self) -> HostWizard:
        """The wizard, by its own type."""
        return cast("HostWizard", self.screen)
