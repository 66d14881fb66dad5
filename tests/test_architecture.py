"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "core").rglob("*.py"), *(ROOT / "tui").rglob("*.py")])
BIN = Path(sys.executable).parent

HEAVY = ("textual", "rich", "libvirt", "pyhocon", "pyparsing", "tinydb", "hypothesis", "numpy", "asyncio")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of the environment in the project's folder."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)


def test_layers_import_only_what_is_below_them() -> None:
    """The contracts stand in pyproject.toml."""
    outcome = run(BIN / "lint-imports", "--no-cache")
    assert outcome.returncode == 0, outcome.stdout


def imports_a_test(node: ast.AST) -> bool:
    """Return whether a statement imports a test module, or something from one."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        names = [module, *(names if node.level or module.partition(".")[0] == "tests" else [])]
    return any(part.startswith("test_") for name in names for part in name.split("."))


def test_what_tests_share_is_in_no_test_module() -> None:
    """So that a test module can be moved, split or deleted alone."""
    modules = sorted((ROOT / "tests").rglob("*.py"))
    found = [path for path in modules if any(map(imports_a_test, ast.walk(ast.parse(path.read_text()))))]
    assert [str(path.relative_to(ROOT)) for path in found] == []


LONG_FILES = {"tui/app/app.py", "tui/widgets/grid.py"}
"""Files of more than 400 lines: they are to become shorter, and no other joins them."""


def test_a_file_holds_one_idea() -> None:
    """In 400 lines as a rule, in 450 always."""
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path for path, count in lines.items() if count > 450} == set()
    assert {path for path, count in lines.items() if count > 400} == LONG_FILES


WAITS = {"pause", "sleep"}


def waits_for_time(node: ast.AST) -> bool:
    """Tell whether a statement sleeps, or lets a pilot pause: for a time, or until the processor rests."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in WAITS


def test_tests_of_the_screens_wait_for_events() -> None:
    """On a busy machine every fixed time is too short once; driving.py has what to wait with."""
    modules = [path for path in sorted((ROOT / "tests" / "tui").rglob("*.py")) if path.name != "driving.py"]
    found = [path for path in modules if any(map(waits_for_time, ast.walk(ast.parse(path.read_text()))))]
    assert [str(path.relative_to(ROOT)) for path in found] == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["hosts", "--help"], ["place", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """A command that only prints its usage starts at once."""
    program = (
        "import sys; sys.argv = ['realms', *sys.argv[1:]]\n"
        "from tui.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    outcome = run(sys.executable, "-c", program, *arguments)
    loaded = set(outcome.stdout.rpartition("LOADED")[2].split())
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_the_first_picture_waits_for_nothing_heavy() -> None:
    """The session and the application load what talks to hosts, reads files and counts only when that is wanted."""
    program = (
        "import sys, core.operations.session, tui.app.app\nprint(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = set(run(sys.executable, "-c", program).stdout.split())
    assert "textual" in loaded
    assert not loaded & {"libvirt", "pyhocon", "pyparsing", "tinydb", "numpy"}


def swallows(node: ast.AST) -> bool:
    """Return whether a handler takes every exception and doesn't raise it again after cleaning up."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    takes_all = node.type is None or (
        isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
    )
    last = node.body[-1]
    return takes_all and not (isinstance(last, ast.Raise) and last.exc is None)


def test_only_outer_loops_swallow_every_exception() -> None:
    """Those of a lane, a task, and the program itself; others are `guarded`."""
    places = {
        str(path.relative_to(ROOT)) for path in SOURCES if any(map(swallows, ast.walk(ast.parse(path.read_text()))))
    }
    assert places <= {"core/guard.py", "core/driver/lanes/lane.py", "core/operations/tasks/task.py", "tui/__main__.py"}


COMMAND = re.compile(
    r"(?:^|[(:;,] ?|run |with )(?:realms|virsh|ssh-keygen|ssh-add|chmod|chgrp|findmnt|fuser|usermod)(?: [a-z0-9-]+)+ $"
)
"""The end of a text that begins a command."""


def continues_a_command(text: ast.JoinedStr) -> bool:
    """Return whether a text puts a value after the first words of a command, as it is."""
    return any(
        isinstance(before, ast.Constant) and COMMAND.search(str(before.value)) and isinstance(value, ast.FormattedValue)
        for before, value in itertools.pairwise(text.values)
    )


def test_commands_in_texts_are_safe_to_paste() -> None:
    """A name in a command is quoted by `shell_command`, and nothing else quotes."""
    places = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        fixed = {id(call.args[0]) for call in calls if ast.unparse(call.func) == "shell_command"}
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and id(node) not in fixed]
        lines = [text.lineno for text in texts if continues_a_command(text)]
        places += [f"{path.relative_to(ROOT)}:{line}" for line in lines]
        if "shlex" in path.read_text() and path.name not in {"text.py", "login.py"}:
            places.append(f"{path.relative_to(ROOT)}: shlex")
    assert not places


def test_every_sample_configuration_is_read_without_errors() -> None:
    """They are what administrators begin with."""
    from core.config.reader import load

    samples = sorted((ROOT / "sample-configs").glob("*/ticrypt-vm.conf"))
    assert len(samples) >= 4
    for sample in samples:
        assert load(sample).cost_functions, sample


def test_no_class_has_the_name_of_another() -> None:
    """Whoever reads a name knows which one is meant."""
    names = Counter(
        node.name
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_styles_name_only_widgets_that_exist() -> None:
    """A class that has another name now would lose its style without a word."""
    import textual.containers
    import textual.screen
    import textual.widgets
    from textual import command
    from textual.widgets import _option_list, _select, _toast, _toggle_button

    classes = {
        node.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    for module in (
        textual.widgets,
        textual.containers,
        textual.screen,
        command,
        _select,
        _option_list,
        _toast,
        _toggle_button,
    ):
        classes |= {*getattr(module, "__all__", ()), *vars(module)}
    sheets = {path: path.read_text() for path in (ROOT / "tui").rglob("*.tcss")}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULT_CSS":
                sheets[path] = node.value.value if isinstance(node.value, ast.Constant) else ""
    named = {
        (path.name, name)
        for path, text in sheets.items()
        for name in re.findall(r"\b[A-Z][A-Za-z]+\b", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    }
    assert {(path, name) for path, name in named if name not in classes} == set()
