"""What QEMU wrote before it ended, taken out of the error in which libvirt quotes it."""

import json
import re

# libvirt writes a time before each line of QEMU's; the program has other names and a path in some distributions.
_PROGRAM = (
    r"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|\+0000)?:? )?"
    r"(?:(?:/[^\s:]*/)?(?:qemu-system-[a-z0-9_]+|qemu-kvm)|/[^\s:]*/kvm): "
)
_FIRST_LINE = re.compile(rf"(?:^|(?<=: )|\n){_PROGRAM}")
_NEXT_LINE = re.compile(rf"\n{_PROGRAM}")
_JSON_OPTION = re.compile(r"-[a-z][a-z0-9-]* (?=\{)")


def qemu_words(text: str) -> str | None:
    """Return what QEMU says in an error of libvirt, without the JSON argument of the option that it complains of.

    None where libvirt quotes no QEMU. Empty where libvirt cut the error inside the argument, before the reason.
    Warnings are left out where there is anything else.
    """
    first = _FIRST_LINE.search(text)
    if first is None:
        return None
    lines = [_without_argument(line.strip()) for line in _NEXT_LINE.split(text[first.end() :])]
    lines = [line for line in lines if line]
    return "\n".join([line for line in lines if not line.startswith("warning: ")] or lines)


def _without_argument(line: str) -> str:
    option = _JSON_OPTION.match(line)
    if option is None:
        return line
    try:
        _, end = json.JSONDecoder().raw_decode(line, option.end())
    except (ValueError, RecursionError):
        return line.rpartition("}: ")[2] if "}: " in line else ""
    return line[end:].removeprefix(":").strip()
