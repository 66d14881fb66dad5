"""Parameters of a block that stand one or more blocks deeper, as in a realm's file that names the realm again."""

from collections.abc import Collection

from core.codes import DiagnosticCode as Code
from core.config.parameters import Parameters
from core.config.values import Field, ObjectValue

_DEEPEST = 6
"""Blocks that are looked into, one inside the other: `ticrypt.vm.realms.ID` are four."""


def report_misplaced(parameters: Parameters, known: Collection[str], needed: Collection[str], what: str) -> bool:
    """Report a section that has the parameters of its block, an error; return whether there is one.

    It has some of the parameters `needed`, of which the block has none; `what` says what the block is.
    """
    block = parameters.block
    if any(name in block.fields for name in needed):
        return False
    found = _section(block, known, needed, _DEEPEST)
    if found is None:
        return False
    path, section = found
    where = ".".join(path)
    assert isinstance(section.value, ObjectValue)  # noqa: S101 - else it has no parameters
    names = ", ".join(name for name in section.value.fields if name in known)
    message = f"the parameters of {what} ({names}) are inside a section '{where}'"
    hint = f"take them out of it: remove '{where} {{' and its closing brace"
    parameters.report.error(Code.MISPLACED_SECTION, section.place, (*parameters.path, *path), message, hint)
    return True


def _section(
    block: ObjectValue, known: Collection[str], needed: Collection[str], depth: int
) -> tuple[tuple[str, ...], Field] | None:
    for key, found in block.fields.items():
        if key in known or not isinstance(found.value, ObjectValue) or not depth:
            continue
        if any(name in found.value.fields for name in needed):
            return (key,), found
        deeper = _section(found.value, known, needed, depth - 1)
        if deeper is not None:
            return (key, *deeper[0]), deeper[1]
    return None
