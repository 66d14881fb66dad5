"""What the pages of the wizard that adds a host have in common: the host that they describe together."""

from dataclasses import dataclass, field

from core.hosts import Host
from core.operations.doctor.contact import Contact
from tui.screens.dialogs.wizard import WizardPage


@dataclass(slots=True)
class HostDraft:
    """A host as far as the pages have described it."""

    host: Host = field(default_factory=lambda: Host(name="", realm="", uri="", profile=""))
    contact: Contact | None = None
    """What the connection's test came to; None where there was none to this URI."""


class HostPage(WizardPage):
    """A page of the wizard that adds a host."""

    def __init__(self, draft: HostDraft) -> None:
        super().__init__()
        self.draft = draft

    def others(self) -> tuple[Host, ...]:
        """Return the hosts that are registered, as shown."""
        fleet = self.realms.fleet
        return tuple(snapshot.host for snapshot in fleet.hosts) if fleet is not None else ()
