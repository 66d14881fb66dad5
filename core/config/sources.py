"""The files of a configuration: read once, as strict UTF-8, with their names relative to the main file's folder."""

import codecs
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from core.codes import DiagnosticCode as Code
from core.config.places import DEFAULT_PLACES
from core.config.scanner import Scan, scan
from core.config.syntax import Block, SourcePlace, SyntaxMistake
from core.errors import UnreadableFile
from core.inputs import open_regular
from core.text import nearest

MAX_BYTES = 16 * 1024**2
"""Larger files are no configuration."""

EXTENSIONS = (".conf", ".json", ".properties")
"""What an include without extension tries, as the reference reader does."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file as read; `text` is empty where it could not be decoded, which `scan` then reports."""

    name: str
    path: Path
    text: str
    scan: Scan


class IncludeRefused(Exception):
    """A file can't be included; the message says why, `hint` how to mend it."""

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(slots=True)
class Sources:
    """All files read so far, by real path, so that a file included twice is read once."""

    folder: Path
    by_path: dict[Path, Source] = field(default_factory=dict)

    def read_main(self, path: Path) -> Source:
        """Read the main file; raises UnreadableFile."""
        try:
            path.stat()
            if os.path.isdir(path):
                raise UnreadableFile(f"{path} is a folder", hint=_main_in(path))
            return self._read(path.resolve(), path.name)
        except OSError as error:
            message = f"{path} can't be read: {(error.strerror or str(error)).lower()}"
            raise UnreadableFile(message, hint=_near(path) if isinstance(error, FileNotFoundError) else "") from error
        except ValueError as error:
            raise UnreadableFile(f"{path}: {error}") from error
        except IncludeRefused as error:
            raise UnreadableFile(str(error), hint=error.hint) from error

    def read_included(self, target: str, including: Path) -> Source:
        """Read a file that another one includes, relative to that one; raises IncludeRefused."""
        if not target:
            raise IncludeRefused(Code.INVALID_INCLUDE, "an include without a file name")
        if "\0" in target:
            raise IncludeRefused(Code.INVALID_INCLUDE, "a NUL character in the name of an included file")
        path = self._find(including.parent / target, target)
        name = os.path.relpath(path, self.folder)
        return self._read(Path(os.path.realpath(path)), name)

    def _find(self, path: Path, target: str) -> Path:
        if path.suffix in EXTENSIONS:
            if path.suffix == ".properties":
                raise IncludeRefused(
                    Code.INCLUDE_UNSUPPORTED,
                    f"{target} is a properties file, which is not supported",
                    "convert it to a .conf file",
                )
            return path
        found = [candidate for end in EXTENSIONS if os.path.isfile(candidate := path.with_name(path.name + end))]
        if len(found) > 1:
            names = " and ".join(candidate.name for candidate in found)
            raise IncludeRefused(
                Code.INCLUDE_AMBIGUOUS, f"include of {target} merges {names}", "name one file, with its extension"
            )
        if found:
            return self._find(found[0], target + found[0].suffix)
        if os.path.isdir(path):
            raise IncludeRefused(Code.INCLUDE_UNREADABLE, f"{target} is a folder, not a file")
        if os.path.exists(path):
            message = f"{target} ends in neither .conf nor .json: other HOCON parsers include nothing there"
            raise IncludeRefused(Code.INCLUDE_UNSUPPORTED, message, f"rename it to {Path(target).name}.conf")
        return path.with_name(path.name + ".conf")

    def _read(self, path: Path, name: str) -> Source:
        if path in self.by_path:
            return self.by_path[path]
        source = self._scan(path, name, _read_bytes(path, name))
        self.by_path[path] = source
        return source

    def _scan(self, path: Path, name: str, content: bytes) -> Source:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line = before.count(b"\n") + 1
            column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
            hint = "save it as UTF-8"
            if content.startswith(_UTF16):
                hint = "this looks like UTF-16: save it as UTF-8"
            message = f"not UTF-8: the byte 0x{content[error.start]:02x}"
            return Source(
                name,
                path,
                content.decode("utf-8", "replace"),
                _failed(Code.NOT_UTF8, SourcePlace(name, line, column), message, hint),
            )
        if path.suffix == ".json":
            try:
                json.loads(text.removeprefix("\ufeff"))
            except json.JSONDecodeError as error:
                failed = _failed(
                    Code.INVALID_JSON,
                    SourcePlace(name, error.lineno, error.colno),
                    f"not JSON: {error.msg}",
                    "or rename it to .conf",
                )
                return Source(name, path, text, failed)
        return Source(name, path, text, scan(name, text))


def _failed(code: Code, place: SourcePlace, message: str, hint: str) -> Scan:
    mistake = SyntaxMistake(code, place, message, hint)
    return Scan(Block(SourcePlace(place.file, 1, 1), (), complete=False), mistake)


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise IncludeRefused(Code.INCLUDE_NOT_FOUND, f"no such file: {name}", _near(path)) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise IncludeRefused(Code.INCLUDE_UNREADABLE, f"{name} can't be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise IncludeRefused(Code.INCLUDE_UNREADABLE, f"{name} is larger than {MAX_BYTES // 1024**2} MiB")
    return content


def _main_in(folder: Path) -> str:
    usual = folder / DEFAULT_PLACES[0].name
    return f"did you mean {usual}?" if os.path.isfile(usual) else f"name the main file in it, usually {usual.name}"


def _near(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        parent = path.parent
        return f"the folder {parent} does not exist either" if not os.path.exists(parent) else ""
    if near := nearest(path.name, names):
        return f"did you mean {near}?"
    others = sorted(name for name in names if name.endswith((".conf", ".json")))
    return f"the folder contains {', '.join(others[:5])}" if others else ""
