"""The third page: realm and hardware profile, held against what the host is."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Select

from core.config.model import Configuration
from core.driver.hosts.survey import HostSurvey
from core.operations.hardware.profile_match import Fit, rank_profiles
from tui.render.hosts.profiles import answers_to, fit_lines, profile_words, size_of
from tui.screens.hosts.wizard.page import HostDraft, HostPage
from tui.screens.hosts.wizard.profile_proposal import ProposalDialog
from tui.widgets.flow import Flow
from tui.widgets.host_fields import choice_field, options_of


class ProfilePage(HostPage):
    """The best fitting profile is chosen, until the user chooses another."""

    title = "Profile"

    def __init__(self, draft: HostDraft) -> None:
        super().__init__(draft)
        self._fits: tuple[Fit, ...] = ()
        self._judged: HostSurvey | None = None
        self._chosen_by_user = False
        self._proposed = ""

    def compose(self) -> ComposeResult:
        """Lay out the choices, what differs, and the way to a proposal."""
        configuration = self.realms.session.configuration
        realms = sorted(configuration.realms.values(), key=lambda realm: realm.disabled)
        named = [(realm.id, f"{realm.id} (disabled)" if realm.disabled else realm.id) for realm in realms]
        yield from choice_field("realm", "Realm", named, None)
        profiles = [(each.id, f"{each.id}  {size_of(each)}") for each in configuration.hardware_profiles.values()]
        yield from choice_field("profile", "Profile", profiles, None)
        yield Flow(id="fit", classes="below")
        with Horizontal(classes="actions", id="propose-row"):
            yield Button("Propose a profile\N{HORIZONTAL ELLIPSIS}", id="propose", compact=True)

    @property
    def _configuration(self) -> Configuration:
        return self.realms.session.configuration

    @property
    def _survey(self) -> HostSurvey | None:
        contact = self.draft.contact
        return contact.survey if contact is not None else None

    def enter(self) -> None:
        """Sort the profiles by how well they fit, and choose the best."""
        survey = self._survey
        self.query_one("#propose-row").display = survey is not None
        if survey is not None and survey is not self._judged and self._configuration.hardware_profiles:
            self._judged = survey
            self._fits = rank_profiles(self._configuration, survey)
            select = self.query_one("#profile", Select)
            before = str(select.value)
            self._proposed = before if self._chosen_by_user else self._fits[0].profile.id
            with select.prevent(Select.Changed):
                select.set_options([("", "")])  # a value that stays keeps its old words
                select.set_options(options_of((fit.profile.id, profile_words(fit)) for fit in self._fits))
                select.value = self._proposed
        elif survey is None:
            self._fits, self._judged = (), None
        self._compare()

    @on(Select.Changed)
    def choose(self, event: Select.Changed) -> None:
        """Compare what was chosen."""
        if event.select.id == "profile" and self._proposed and event.value != self._proposed:
            self._chosen_by_user = True
        self._compare()

    def _chosen(self, field: str) -> str:
        value = self.query_one(f"#{field}", Select).value
        return value if isinstance(value, str) else ""

    def _compare(self) -> None:
        survey, fits = self._survey, self._fits
        name, realm, profile = self.draft.host.name, self._chosen("realm"), self._chosen("profile")
        findings = answers_to(name, realm, profile, self._configuration, survey) if survey is not None else []
        self.query_one("#fit", Flow).show(lambda width: fit_lines(fits, findings, survey, width))

    def leave(self) -> bool:
        """Take over realm and profile; there must be one of each."""
        realm, profile = self._chosen("realm"), self._chosen("profile")
        if realm not in self._configuration.realms or profile not in self._configuration.hardware_profiles:
            lacking = "realm" if realm not in self._configuration.realms else "hardware profile"
            self.realms.tell(f"No {lacking} configured: cannot add a host without one.", "warning")
            return False
        self.draft.host = replace(self.draft.host, realm=realm, profile=profile)
        return True

    @on(Button.Pressed, "#propose")
    def propose(self, event: Button.Pressed) -> None:
        """Show a profile made of what the host is."""
        event.stop()
        survey = self._survey
        if survey is not None:
            self.app.push_screen(ProposalDialog(survey))
