"""The frame of a wizard: pages that are gone through forth and back; nothing happens before the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, ContentSwitcher, Input, Static

from core.fleet.fleet import Fleet
from core.operations.tasks.task import TaskView
from core.text import printable
from tui.context import WithContext
from tui.widgets.modal import Modal

T = TypeVar("T")


def first_focusable(part: Widget) -> Widget | None:
    """Return the first widget within a part of the screen that can have the focus now, hidden ones left out."""
    return next((widget for widget in part.query("*") if widget.focusable and _is_displayed(widget)), None)


def _is_displayed(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


class WizardPage(VerticalScroll, WithContext, can_focus=False):
    """A page of a wizard. Subclasses compose their fields, and say what may be gone on with.

    `verb` stands on the button that goes on; `may_go_back` says whether the page before can still be returned to.
    """

    title: ClassVar[str] = ""
    verb: ClassVar[str] = "Next"
    may_go_back: bool = True

    @property
    def words(self) -> str:
        """What stands on the button that goes on just now; `verb`, unless a page says otherwise."""
        return self.verb

    @property
    def may_go_on(self) -> bool:
        """Whether the button that goes on works just now."""
        return True

    @property
    def wizard(self) -> Wizard[object]:
        """The wizard that the page is part of."""
        return cast("Wizard[object]", self.screen)

    def enter(self) -> None:
        """Show what follows from the pages before; called each time that the page comes to the front."""

    def withdraw(self) -> None:
        """Give up what the page waits for; called when another page comes to the front, whichever way."""

    def leave(self) -> bool:
        """Check the page, say what is wrong with it and put the focus there; True where the wizard may go on."""
        return True

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show the tasks as they stand now; called while the page is in front."""

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the newest fleet; called while the page is in front."""


class Wizard(Modal[T | None], WithContext):
    """Goes through pages. Subclasses give `heading`, `make_pages` and `outcome`, which the last page's button ends in.

    Escape goes back a page, and from the first one leaves.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "back", "Back"),
        Binding("ctrl+s", "next", "Next"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "scroll_page(-1)", show=False),
        Binding("pagedown", "scroll_page(1)", show=False),
    ]
    CSS_PATH: ClassVar = ["dialogs.tcss", "wizard.tcss"]

    heading: str = ""

    def __init__(self) -> None:
        super().__init__()
        self.pages: tuple[WizardPage, ...] = ()
        self.at = 0
        """The number of the page in front, from 0."""

    @property
    def page(self) -> WizardPage:
        """The page in front."""
        return self.pages[self.at]

    def make_pages(self) -> Sequence[WizardPage]:
        """Return the pages, in their order."""
        return ()

    def outcome(self) -> T | None:
        """Return what the wizard is left with once its last page allowed it."""
        return None

    def compose(self) -> ComposeResult:
        """Lay out the line of pages, the page in front, and the buttons."""
        self.pages = tuple(self.make_pages())
        with Vertical(classes="dialog wizard") as dialog:
            dialog.border_title = Content(printable(self.heading))
            dialog.border_subtitle = Content("Ctrl+S next, Esc back")
            yield Static(id="pages")
            with ContentSwitcher(id="page"):
                for number, page in enumerate(self.pages):
                    page.id = f"page-{number}"
                    yield page
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Back", id="back", compact=True)
                yield Button("Next", id="next", compact=True)

    def on_mount(self) -> None:
        """Begin at the first page."""
        self.go_to_page(0)

    def go_to_page(self, number: int) -> None:
        """Bring a page to the front and put the focus into it."""
        if self.at != number:
            self.page.withdraw()
        self.at = number
        self.query_one("#page", ContentSwitcher).current = f"page-{number}"
        self.page.enter()
        self.page.scroll_home(animate=False)
        self.show_buttons()
        self._show_pages()
        self._focus_page()

    def show_buttons(self) -> None:
        """Let the buttons say what the page in front allows; called by a page when that changes."""
        page = self.page
        self.query_one("#back", Button).disabled = self.at == 0 or not page.may_go_back
        going_on = self.query_one("#next", Button)
        going_on.label = Content(page.words)
        going_on.disabled = not page.may_go_on
        going_on.refresh(layout=True)
        self.query_one("#cancel", Button).display = page.may_go_back

    def _focus_page(self) -> None:
        within = first_focusable(self.page)
        (within or self.query_one("#next")).focus(scroll_visible=False)

    def _show_pages(self) -> None:
        pieces: list[Content | str | tuple[str, str]] = []
        for number, page in enumerate(self.pages):
            style = "$muted" if number < self.at else "bold $accent" if number == self.at else "$faint"
            pieces += [("  \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}  ", "$faint")] if pieces else []
            pieces.append((f"{number + 1} {page.title}", style))
        self.query_one("#pages", Static).update(Content.assemble(*pieces))

    def action_next(self) -> None:
        """Go to the next page, or end after the last, where the page in front has nothing against it."""
        if self.query_one("#next", Button).disabled or not self.page.leave():
            return
        if self.at + 1 < len(self.pages):
            self.go_to_page(self.at + 1)
        else:
            self.dismiss(self.outcome())

    def action_back(self) -> None:
        """Go to the page before; from the first, leave."""
        if self.at == 0:
            self.dismiss(None)
        elif self.page.may_go_back:
            self.go_to_page(self.at - 1)

    @on(Button.Pressed, "#cancel, #back, #next")
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "next":
                self.action_next()
            case "back":
                self.action_back()
            case _:
                self.dismiss(None)

    def action_scroll_page(self, direction: int) -> None:
        """Scroll the page in front, where it is longer than the wizard."""
        self.page.scroll_relative(y=direction * max(1, self.page.size.height - 1), animate=False)

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Go to the next field on Enter, after the last to the button that goes on."""
        following = self.focus_next()
        if following is None or self.page not in following.ancestors:
            self.query_one("#next").focus()

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Let the page in front show the tasks."""
        self.page.show_tasks(views)

    def show_fleet(self, fleet: Fleet) -> None:
        """Let the page in front show the fleet."""
        self.page.show_fleet(fleet)
