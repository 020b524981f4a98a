"""The shape of the house: sizes, habits, imports, locks, public names; each rule shows that it can fail."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import shape

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "src" / "handrail"
PURE = ("words", "policy", "gate", "undo", "journal", "learn", "monitor", "prove")
MAY_PRINT = ("cli", "demo")

# The public names of `handrail`. Adding or removing one is a promise: sign it here, and in CHANGELOG.md.
SIGNED: tuple[str, ...] = (
    "Action",
    "BadArguments",
    "BudgetExhausted",
    "Conflict",
    "Decision",
    "Denied",
    "HandrailError",
    "Held",
    "InProgress",
    "NoSession",
    "NotDone",
    "NotFound",
    "NotRun",
    "Outcome",
    "OutcomeUnrecorded",
    "PolicyError",
    "Rail",
    "Refused",
    "Shadowed",
    "Step",
    "StoreError",
    "ToolFailed",
    "Verdict",
    "connect",
)

Rule = Callable[[str], Iterator[str]]


def _python(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _quiet_rooms() -> list[Path]:
    return [path for path in _python("src") if path.relative_to(HOUSE).parts[0] not in MAY_PRINT]


def _pure_rooms() -> list[Path]:
    return [path for path in _python("src") if path.relative_to(HOUSE).parts[0] in PURE]


def _locks() -> list[Path]:
    return sorted((ROOT / "requirements").glob("*.lock"))


def _texts() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8_000]]


def _ours() -> list[Path]:
    return _python("src", "tests", "benchmarks", "evals")


LONG = "def f() -> None:\n" + "    x = 1\n" * 50
PIN = "six==1.0 \\\n    --hash=sha256:" + "a" * 64

# rule, the files it holds for, a text that breaks it, its twin that does not
RULES: list[tuple[Rule, Callable[[], list[Path]], str, str]] = [
    (shape.file_size, _ours, "x = 1\n" * 401, "x = 1\n" * 400),
    (shape.function_size, _ours, LONG, LONG.removesuffix("    x = 1\n")),
    (shape.module_docstring, _ours, "x = 1\n", '"""Says what it is for."""\n'),
    (
        shape.swallowed_exception,
        _ours,
        "try:\n    f()\nexcept:\n    raise\n",
        "try:\n    f()\nexcept OSError:\n    pass\n",
    ),
    (
        shape.swallowed_exception,
        _ours,
        "try:\n    f()\nexcept (OSError, Exception):\n    ...\n",
        "try:\n    f()\nexcept Exception as error:\n    deny(error)\n",
    ),
    (
        shape.swallowed_exception,
        _ours,
        "with contextlib.suppress(Exception):\n    f()\n",
        "with contextlib.suppress(KeyError):\n    f()\n",
    ),
    (shape.unexplained_ignore, _ours, "x = 1  # type: " + "ignore\n", "x = 1  # type: " + "ignore[misc]\n"),
    (shape.unexplained_ignore, _ours, "x = 1  # no" + "qa\n", "x = 1  # no" + "qa: BLE001\n"),
    (shape.prints, _quiet_rooms, "print(1)\n", "console.print(1)\n"),
    (shape.sleeps, lambda: _python("tests"), "time.sleep(1)\n", "event.wait(1)\n"),
    (shape.sleeps, lambda: _python("tests"), "from time import sleep\n", "from time import monotonic\n"),
    (shape.impure, _pure_rooms, "open('x')\n", "valve.open('x')\n"),
    (shape.impure, _pure_rooms, "datetime.now(UTC)\n", "datetime.fromtimestamp(facts.now, UTC)\n"),
    (
        shape.foreign_address,
        _texts,
        "index = https://{}.org/simple\n".format("pypi"),
        "see https://peps.python.org\n",
    ),
    (shape.foreign_address, _texts, "cd /{}/main\n".format("work"), "cd examples/work/main\n"),
    (shape.lock_address, _locks, PIN + "\n--find-links /tmp/wheels\n", PIN + "\n    # via handrail\n"),
    (shape.lock_address, _locks, "six @ https://example.com/six.whl\n", PIN),
    (shape.lock_hashes, _locks, "six==1.0\n", PIN),
    (shape.lock_hashes, _locks, PIN.replace("==", ">="), PIN.replace(" \\", " ; python_version < '3.12' \\")),
]
NAMES = [f"{rule.__name__}-{index}" for index, (rule, *_) in enumerate(RULES)]
ONCE = list({rule: (rule, files) for rule, files, _, _ in RULES}.values())


@pytest.mark.parametrize(("rule", "files"), ONCE, ids=[rule.__name__ for rule, _ in ONCE])
def test_every_file_keeps_the_rule(rule: Rule, files: Callable[[], list[Path]]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{found}" for path in files() for found in rule(path.read_text("utf-8"))
    ]
    assert not wrong, f"{rule.__doc__}\n" + "\n".join(wrong)


@pytest.mark.parametrize(("rule", "files", "bad", "good"), RULES, ids=NAMES)
def test_each_rule_finds_what_breaks_it_and_spares_its_twin(
    rule: Rule, files: Callable[[], list[Path]], bad: str, good: str
) -> None:
    assert list(rule(bad)), bad
    assert not list(rule(good)), good
    assert files(), "a rule without files holds nothing"


def _exported(text: str) -> tuple[str, ...]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return tuple(ast.literal_eval(node.value))
    return ()


def test_the_public_names_are_the_signed_ones() -> None:
    assert sorted(_exported((HOUSE / "__init__.py").read_text("utf-8"))) == sorted(SIGNED)


def test_an_unsigned_public_name_is_noticed() -> None:
    assert _exported('__all__ = ["connect", "sneaked_in"]\n') == ("connect", "sneaked_in")


def _unlisted_pure_rooms(house: Path, contract: str) -> list[str]:
    parser = configparser.ConfigParser()
    parser.read_string(contract)
    listed = parser["importlinter:contract:pure"]["source_modules"].split()
    return [room for room in PURE if any((house / room).glob("*.py")) and f"handrail.{room}" not in listed]


def test_every_pure_room_is_under_the_contract_of_purity() -> None:
    assert not _unlisted_pure_rooms(HOUSE, (ROOT / ".importlinter").read_text("utf-8"))


def test_a_new_pure_room_without_the_contract_is_noticed(tmp_path: Path) -> None:
    for room in ("words", "learn"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    contract = "[importlinter:contract:pure]\nsource_modules =\n    handrail.words\n"
    assert _unlisted_pure_rooms(tmp_path, contract) == ["learn"]


def _asked(text: str) -> set[str]:
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {_plain(re.split(r"[\[<>=~!; ]", line)[0]) for line in lines if line}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_NOT_MEASURED = frozenset({"oidc", "queue", "slack", "notify"})
LEFT_OUT = {"bench": _NOT_MEASURED, "eval": _NOT_MEASURED}
"""Extras that a lock does without (scripts/lock says why)."""


def _asked_by_the_package(lock: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["optional-dependencies"].items()
    extras = [name for extra, names in wanted if extra not in LEFT_OUT.get(lock, ()) for name in names]
    return _asked("\n".join(project["dependencies"] + extras))


@pytest.mark.parametrize("lock", ["build", "runtime", "dev", "bench", "eval"])
def test_the_lock_holds_all_that_is_asked_for(lock: str) -> None:
    source = ROOT / "requirements" / f"{lock}.in"
    asked = _asked(source.read_text("utf-8")) if source.exists() else set()
    if lock != "build":
        asked |= _asked_by_the_package(lock)
    pinned = _asked(
        "\n".join(
            re.findall(r"^\S+==", (ROOT / f"requirements/{lock}.lock").read_text("utf-8"), re.MULTILINE)
        )
    )
    assert asked, "nothing asked is nothing tested"
    assert asked <= pinned, f"run make lock: {sorted(asked - pinned)}"
