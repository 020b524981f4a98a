"""The rules of the house that no linter knows, each from a file's text to what is wrong with it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

MAX_FILE = 400
MAX_FUNCTION = 50

_BARE_IGNORE = re.compile(
    r"#\s*type:\s*ignore(?!\[)|#\s*(?:ruff|flake8):\s*noqa\s*$|#\s*noqa(?!:)", re.IGNORECASE
)
_CLOCKS = frozenset({"now", "utcnow", "today"})
_IO_BUILTINS = frozenset({"open", "print", "input", "breakpoint"})
# In pieces, so that this file does not hold what it looks for.
_HOSTS = ("pypi org", "pypi python", "pythonhosted org", "registry npmjs", "deb debian", "archive ubuntu")
_REGISTRIES = re.compile("|".join(host.replace(" ", r"\.") for host in _HOSTS))
_FOLDERS = ("work main", "work shared", "opt pypi", "opt wheels")
_MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(folder.replace(" ", "/") for folder in _FOLDERS) + r")\b")
_ADDRESS = re.compile(
    r"://|--(?:extra-)?index-url|--find-links|file:|(?<![\w.])/(?:tmp|home|root|Users|opt)/", re.IGNORECASE
)


def file_size(text: str) -> Iterator[str]:
    """A file has at most 400 lines."""
    lines = len(text.splitlines())
    if lines > MAX_FILE:
        yield f"1: {lines} lines, at most {MAX_FILE}: split it by what it is for"


def function_size(text: str) -> Iterator[str]:
    """A function has at most 50 lines, from its def to its end."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION:
                yield f"{node.lineno}: {node.name} has {lines} lines, at most {MAX_FUNCTION}"


def module_docstring(text: str) -> Iterator[str]:
    """A module begins with a sentence that says what it is for."""
    if not (ast.get_docstring(ast.parse(text)) or "").strip():
        yield "1: no module docstring"


def swallowed_exception(text: str) -> Iterator[str]:
    """No error disappears: neither by a bare except, nor by catching everything and passing."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield f"{node.lineno}: bare except catches even KeyboardInterrupt: name what you expect"
            elif _names_everything(node.type) and all(_does_nothing(line) for line in node.body):
                yield f"{node.lineno}: every error disappears here"
        elif (
            isinstance(node, ast.Call)
            and _called(node) == "suppress"
            and any(map(_names_everything, node.args))
        ):
            yield f"{node.lineno}: every error disappears here"


def unexplained_ignore(text: str) -> Iterator[str]:
    """`type: ignore` and `noqa` name the one finding that they silence."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and _BARE_IGNORE.search(token.string):
            yield f"{token.start[0]}: {token.string!r} silences everything: name the code"


def prints(text: str) -> Iterator[str]:
    """A library does not print; only the command line and the demo do."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{node.lineno}: print() outside cli and demo"


def sleeps(text: str) -> Iterator[str]:
    """A test waits for an event, not for time to pass."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute | ast.ImportFrom) and _brings_sleep(node):
            yield f"{node.lineno}: time.sleep in a test: wait for the event"


def impure(text: str) -> Iterator[str]:
    """A pure room opens nothing, prints nothing and asks no clock."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if isinstance(node.func, ast.Name) and name in _IO_BUILTINS:
            yield f"{node.lineno}: {name}() in a pure room"
        elif isinstance(node.func, ast.Attribute) and name in _CLOCKS:
            yield f"{node.lineno}: .{name}() reads a clock: time is a fact that the caller gives"


def foreign_address(text: str) -> Iterator[str]:
    """No package registry's host and no folder of someone's machine stands in the repository."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (_REGISTRIES, _MACHINE):
            if found := pattern.search(line):
                yield f"{number}: {found[0]!r} has no business here"


def lock_address(text: str) -> Iterator[str]:
    """A lock names packages, versions and hashes, and never where they come from."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _ADDRESS.search(line):
            yield f"{number}: {found[0]!r} is an address: make lock writes none"


def lock_hashes(text: str) -> Iterator[str]:
    """Every line of a lock pins one exact version and has its hash."""
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for entry in body.replace("\\\n", " ").splitlines():
        if entry.strip() and not re.match(
            r"[a-z0-9][a-z0-9._-]*(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", entry
        ):
            yield f"{entry.split()[0]}: not an exact version with a SHA-256 hash"


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _names_everything(node: ast.expr) -> bool:
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(ast.unparse(name).rpartition(".")[2] in {"Exception", "BaseException"} for name in names)


def _does_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _brings_sleep(node: ast.Attribute | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) == "time.sleep"
    return node.module == "time" and any(alias.name == "sleep" for alias in node.names)
