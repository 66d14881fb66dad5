"""The one reader of XML from hosts: no document type declaration, so no entities, and a limit for the size."""

from typing import NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

MOST_CHARACTERS = 16 * 1024**2
"""Four times the longest text that libvirt's own protocol carries."""

_FIRST_BITE = 4096
"""Characters that are looked at first for the root element; each next bite is twice as long, so the time is linear."""


class XmlRefused(ValueError):
    """A document is damaged, too large, declares a document type, or is not what was asked for."""


class _RootReached(Exception):
    pass


def parse(text: str, root: str) -> ET.Element:
    """Parse a document from outside whose root has the given name; raises XmlRefused, also for any DTD."""
    if len(text) > MOST_CHARACTERS:
        message = f"larger than {MOST_CHARACTERS // 1024**2} MiB"
        raise XmlRefused(message)
    try:
        _refuse_declarations(text)
        element = ET.fromstring(text)  # noqa: S314 -- no DTD, so no entities to expand or fetch
    except XmlRefused:
        raise
    except (ET.ParseError, expat.ExpatError, ValueError, RecursionError) as error:
        message = f"damaged XML: {error}"
        raise XmlRefused(message) from error
    if element.tag != root:
        message = f"expected <{root}>, not <{element.tag}>"
        raise XmlRefused(message)
    return element


def _refuse_declarations(text: str) -> None:
    """Read up to the root element, before which alone a DTD can stand. Raises XmlRefused, ExpatError."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = _stop
    begin, bite = 0, _FIRST_BITE
    try:
        while begin < len(text):
            parser.Parse(text[begin : begin + bite])
            begin, bite = begin + bite, 2 * bite
    except _RootReached:
        return


def _refuse(*_: object) -> NoReturn:
    message = "a document type declaration"
    raise XmlRefused(message)


def _stop(*_: object) -> NoReturn:
    raise _RootReached
