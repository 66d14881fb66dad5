"""The exceptions that this package raises on purpose.

RealmsError                     everything below; has a message for an operator, and a hint where one is known
├── UsageError                  the request itself makes no sense: exit code 2
├── UnreadableFile              a file can't be read, or isn't what it should be: exit code 2
│   └── ConfigurationInvalid    the configuration has errors; carries its diagnostics
├── UnwritableFile              a file can't be written: exit code 2
├── HostRefused                 the registry refuses a host as described
│   ├── UnknownHost             no host of that name
│   └── HostChanged             someone else changed the host since it was read
├── ReservationRefused          the VM, or the device, is promised to someone else, or the promise has run out
├── RegistryBusy                another program holds the registry's lock for too long
├── ReadOnly                    a change was asked for in read-only mode
├── Cancelled                   a task was told to end
└── DriverError                 libvirt said no; names the host
    ├── HostUnreachable         no connection to the host
    └── HostTimeout             the host did not answer in time
"""

from collections.abc import Sequence

from core.codes import ErrorCode
from core.diagnostics import Diagnostic


class RealmsError(Exception):
    """An error that an operator can act on. `code` is for programs; `hint` says how to mend it, or is empty."""

    code: ErrorCode = ErrorCode.FAILED
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def bare_message(self) -> str:
        """The message without a host's name in front, for where that stands beside it."""
        return self.message

    @property
    def bare(self) -> str:
        """The bare message with the hint."""
        return f"{self.bare_message} ({self.hint})" if self.hint else self.bare_message

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(RealmsError):
    """The request makes no sense as given."""

    code = ErrorCode.USAGE
    exit_code = 2


class UnreadableFile(RealmsError):
    """A file can't be read, or its content is not what it should be."""

    code = ErrorCode.UNREADABLE_FILE
    exit_code = 2


class ConfigurationInvalid(UnreadableFile):
    """The configuration has errors; `diagnostics` holds all of them, warnings included."""

    code = ErrorCode.INVALID_CONFIGURATION

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)


class UnwritableFile(RealmsError):
    """A file can't be written; what it held before is untouched."""

    code = ErrorCode.UNWRITABLE_FILE
    exit_code = 2


class HostRefused(RealmsError):
    """The registry refuses a host as described: a duplicate name, a bad URI, a clash (specification, section 7)."""

    code = ErrorCode.HOST_REFUSED


class UnknownHost(HostRefused):
    """No host of that name is registered."""

    code = ErrorCode.UNKNOWN_HOST
    exit_code = 2


class HostChanged(HostRefused):
    """The host was changed by someone else since it was read; nothing was written."""

    code = ErrorCode.HOST_CHANGED


class ReservationRefused(RealmsError):
    """A reservation can't be taken or renewed: its VM or device is reserved by someone else, or it has expired."""

    code = ErrorCode.RESERVATION_REFUSED


class RegistryBusy(RealmsError):
    """Another program has held the registry's lock for too long."""

    code = ErrorCode.REGISTRY_BUSY


class RegistryReplaced(RegistryBusy):
    """The registry's file, or its lock, was replaced during a transaction, which has changed nothing."""


class ReadOnly(RealmsError):
    """A change was asked for while the program runs read-only."""

    code = ErrorCode.READ_ONLY
    exit_code = 2


class Cancelled(RealmsError):
    """A task was told to end, and has undone what it did."""

    code = ErrorCode.CANCELLED


class DriverError(RealmsError):
    """Libvirt or the host refused; `host` is the registry's name of the host."""

    code = ErrorCode.LIBVIRT_FAILED

    def __init__(self, host: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{host}: {message}" if host else message, hint=hint)
        self.host = host
        self._bare = message

    @property
    def bare_message(self) -> str:
        """What was refused, without the name of the host."""
        return self._bare


class HostUnreachable(DriverError):
    """There is no connection to the host, and none could be made."""

    code = ErrorCode.HOST_UNREACHABLE


class HostTimeout(DriverError):
    """The host did not answer before the deadline; what it did meanwhile is unknown."""

    code = ErrorCode.HOST_TIMEOUT
