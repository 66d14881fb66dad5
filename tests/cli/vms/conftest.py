"""The realm of the operations' tests, for the commands that change it."""

from tests.operations.conftest import door, realm, silent  # noqa: F401 - fixtures
