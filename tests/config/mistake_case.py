"""A right configuration, and what makes a mistake in one of its fragments; `@@` marks the line of the mistake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARK = "@@"
FUNCTION = """\
vms: { curve: linear, slope: 1, base: 0 }
memory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB }
"""
PROFILE = """\
cores: 8
memory: 32 GiB
cost-function: simple
"""
REALM = """\
disabled: false
driver: libvirt
name: "Main"
drives.lazy-allocation: on
"""
MAIN = """\
{before}
ticrypt.vm {{
  cost-functions {{
    simple {{
{function}
    }}
  }}
  hardware-profiles {{
    standard {{
{profile}
    }}
  }}
  realms {{
    main = {{ include "realm.conf" }}
  }}
}}
{after}
"""


@dataclass(frozen=True)
class Case:
    """One mistake: fragments that differ from the right configuration, the severity, and a word of the message."""

    name: str
    severity: str
    keyword: str
    function: str = FUNCTION
    profile: str = PROFILE
    realm: str = REALM
    before: str = ""
    after: str = ""
    main: str = ""
    files: dict[str, str] = field(default_factory=dict)
    alone: bool = True
    """Whether this is the only diagnostic."""

    def write(self, folder: Path) -> tuple[Path, str, int]:
        """Write the files; gives the main file, and file and line of the mark."""
        main = self.main or MAIN.format(
            function=self.function, profile=self.profile, before=self.before, after=self.after
        )
        place = ("", 0)
        for name, text in {"ticrypt-vm.conf": main, "realm.conf": self.realm, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            for number, line in enumerate(text.split("\n"), start=1):
                if MARK in line:
                    place = (name, number)
            path.write_text(text.replace(MARK, ""), encoding="utf-8", newline="")
        return folder / "ticrypt-vm.conf", *place


def function(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the cost function; what it does not mention stays right."""
    if "memory" not in body:
        body += "\nmemory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB }"
    return Case(name, severity, keyword, function=body, alone=alone)


def profile(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the hardware profile; what it does not mention stays right."""
    lines = [line for line in PROFILE.splitlines() if line.split(":")[0] not in body.replace(MARK, "")]
    return Case(name, severity, keyword, profile="\n".join((body, *lines)), alone=alone)


def realm(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the realm; what it does not mention stays right."""
    lines = [line for line in REALM.splitlines() if line.split(":")[0] not in body.replace(MARK, "")]
    return Case(name, severity, keyword, realm="\n".join((body, *lines)), alone=alone)


def device_function(name: str, severity: str, keyword: str, curve: str) -> Case:
    """Make a mistake in the curve of a device."""
    return function(name, severity, keyword, f"{FUNCTION}devices.gpu: {curve}")


def devices(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in a profile's devices; gpu has a curve."""
    curve = f"{FUNCTION}devices.gpu: {{ curve: linear, slope: 1, base: 0 }}"
    return Case(name, severity, keyword, function=curve, profile=f"{PROFILE}{body}", alone=alone)
