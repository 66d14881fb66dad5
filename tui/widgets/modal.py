"""What every dialog, form, menu and wizard is: a screen above others that gives one answer, once."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType


class AnsweredOnce(Screen[ScreenResultType]):
    """A screen that is closed by its answer. Keys that arrive together may answer it twice: the first answer counts.

    Stands last among the bases of a class: Textual's styles follow the first.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close this screen, and what is above it, with a result; does nothing where it is closed already."""
        if self not in self.app.screen_stack:
            return AwaitComplete()
        while not self.is_current:
            self.app.screen.dismiss()
        return super().dismiss(result)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key may do something: none does once this screen is closed."""
        return self in self.app.screen_stack and super().check_action(action, parameters)


class Modal(ModalScreen[ScreenResultType], AnsweredOnce[ScreenResultType]):
    """A screen above others."""
