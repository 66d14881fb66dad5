"""The first page: what the host is called, and where its libvirt is."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from tui.forms.host import Fault, check_host_name, check_uri
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import hanging
from tui.screens.hosts.wizard.page import HostDraft, HostPage
from tui.widgets.flow import Flow
from tui.widgets.host_fields import show_faults, text_field

FIELDS = ("name", "uri")

_FORMS = (
    ("qemu+ssh://root@h9/system", "with your ssh and its keys (usual)"),
    ("qemu+ssh://root@h9:2222/system?keyfile=/root/.ssh/realms", "another port, a separate key"),
    ("qemu+tls://h9/system", "with TLS certificates"),
    ("qemu:///system", "this machine"),
)


class NamePage(HostPage):
    """A name, and a URI that follows it until another is written."""

    title = "Name"

    def __init__(self, draft: HostDraft) -> None:
        super().__init__(draft)
        self._touched: set[str] = set()
        self._uri_follows_name = True
        self._proposed_uri = ""

    def compose(self) -> ComposeResult:
        """Lay out the two fields and the forms that a URI may have."""
        yield from text_field("name", "Name", "", "a descriptive, unique name")
        yield from text_field("uri", "URI", "", "qemu+ssh://root@host/system")
        yield Flow(id="uri-forms", classes="below")

    def on_mount(self) -> None:
        """Show the forms."""
        self.query_one("#uri-forms", Flow).show(_form_lines)

    @on(Input.Changed)
    def check_field(self, event: Input.Changed) -> None:
        """Say at once what is wrong with a field; the URI follows the name."""
        field = event.input.id or ""
        if field == "name" and self._uri_follows_name:
            self._propose_uri(event.value.strip())
        if field == "uri":
            if self._uri_follows_name and event.value == self._proposed_uri:
                return
            self._uri_follows_name = False
        self._touched.add(field)
        show_faults(self, self.faults(), self._touched)

    def _propose_uri(self, name: str) -> None:
        """Write the usual URI for a name, unless something else stands there: word of that may still be on its way."""
        uri = self.query_one("#uri", Input)
        if uri.value != self._proposed_uri:
            self._uri_follows_name = False
            return
        self._proposed_uri = f"qemu+ssh://root@{name}/system" if name else ""
        uri.value = self._proposed_uri
        uri.select_all()  # whatever is typed there takes the proposal's place

    def faults(self) -> dict[str, Fault]:
        """Return what is wrong with the fields as they are, by field."""
        others = self.others()
        uri = self._value("uri")
        checked = {"name": check_host_name(self._value("name"), others), "uri": check_uri(uri)}
        twin = next((other.name for other in others if other.uri == uri), None)
        if checked["uri"] is None and twin is not None:
            checked["uri"] = Fault(f"{twin} already has this URI: its VMs would be counted twice", refused=False)
        return {field: fault for field, fault in checked.items() if fault is not None}

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    def leave(self) -> bool:
        """Take over name and URI, where nothing is wrong with them."""
        faults = self.faults()
        self._touched |= set(FIELDS)
        show_faults(self, faults, FIELDS)
        refused = [field for field in FIELDS if field in faults and faults[field].refused]
        if refused:
            self.query_one(f"#{refused[0]}").focus()
            return False
        self.draft.host = replace(self.draft.host, name=self._value("name"), uri=self._value("uri"))
        return True


def _form_lines(width: int) -> list[tuple[Piece, ...]]:
    lines: list[tuple[Piece, ...]] = [(("URI formats", Tone.MUTED),)]
    for form, what in _FORMS:
        lines += hanging("  ", Tone.PLAIN, form, Tone.PLAIN, width)
        lines += hanging("      ", Tone.PLAIN, what, Tone.MUTED, width)
    return lines
