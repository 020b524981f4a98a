"""Accounts and keys from the host itself: at a terminal only, shown once, and told in the log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handrail.app import open_store, operator
from handrail.engine.identity import accounts
from handrail.server.auth.keys import KeyRing, digest_of
from handrail.words.person import Person, Role
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import Terminal, piped
from tests.support.server import link_secret

ANNA, BEN = "anna@example.com", "ben@example.com"
COMMANDS = (
    ("admin", "create"),
    ("admin", "reset", ANNA),
    ("people", "invite", BEN),
    ("people", "reset", ANNA),
    ("people", "off", ANNA),
    ("people", "on", ANNA),
    ("people", "role", ANNA, "viewer"),
    ("keys", "make", "--agent", "support", "--name", "n"),
    ("keys", "rotate", "x"),
    ("keys", "revoke", "x"),
)


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    """A shop's folder with a store in it."""
    with shop.desk():
        pass
    return tmp_path


def person(folder: Path, name: str) -> Person:
    """An account as the store has it."""
    store = open_store(f"sqlite:///{folder / 'handrail.db'}")
    try:
        found = store.read(lambda tx: tx.people.get(name))
    finally:
        store.close()
    assert found is not None
    return found


def use(folder: Path, link: str, name: str | None = None) -> None:
    """Use a link, as its page does."""
    store = open_store(f"sqlite:///{folder / 'handrail.db'}")
    try:
        accounts.use_link(operator(store), digest_of(link_secret(link)), "hash", person=name)
    finally:
        store.close()


def answered(folder: Path, *args: str, answer: str = "yes") -> tuple[int, str]:
    """Run a command at a terminal, and answer its question."""
    with Terminal(folder, *args) as terminal:
        code = terminal.answer(answer)
        return code, terminal.seen


def link_in(text: str) -> str:
    """The link that was printed."""
    return next(word for word in text.split() if word.startswith("http"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: " ".join(each[:2]))
def test_nothing_is_changed_by_a_pipe_or_inside_a_session(folder: Path, command: tuple[str, ...]) -> None:
    by_pipe = piped(folder, *command, typed="yes\n")
    assert by_pipe.returncode == 1
    assert "terminal" in by_pipe.stderr
    with Terminal(folder, *command, extra={"HANDRAIL_SESSION": "s"}) as terminal:
        assert terminal.code() == 1
        assert "inside a rail session" in terminal.seen


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: " ".join(each[:2]))
def test_anything_but_yes_changes_nothing(folder: Path, command: tuple[str, ...], run: Run) -> None:
    code, seen = answered(folder, *command, answer="no")
    assert code == 1
    assert "Nothing was changed" in seen
    assert "Nobody has an account yet" in run("people", "list").stdout
    assert "There is no key yet" in run("keys", "list").stdout


def test_the_first_admin_is_made_on_the_host_and_a_lost_one_let_in(folder: Path) -> None:
    code, seen = answered(folder, "admin", "create", "--url", "https://desk.example")
    assert code == 0
    assert link_in(seen).startswith("https://desk.example/set-up?link=")
    use(folder, link_in(seen), ANNA)
    code, seen = answered(folder, "admin", "create")
    assert code == 1
    assert "handrail admin reset" in seen
    code, seen = answered(folder, "admin", "reset", ANNA)
    assert code == 0
    use(folder, link_in(seen))
    assert person(folder, ANNA).role is Role.ADMIN


def test_people_are_invited_switched_and_regraded(folder: Path, run: Run) -> None:
    use(folder, link_in(answered(folder, "admin", "create")[1]), ANNA)
    code, seen = answered(folder, "people", "invite", "Ben@Example.com", "--role", "admin", "--as", ANNA)
    assert code == 0
    assert "invited" in run("people", "list").stdout
    use(folder, link_in(seen))
    assert answered(folder, "people", "role", ANNA, "viewer")[0] == 0
    assert answered(folder, "people", "off", ANNA)[0] == 0
    assert (person(folder, ANNA).role, person(folder, ANNA).active) == (Role.VIEWER, False)
    assert answered(folder, "people", "on", ANNA)[0] == 0
    code, seen = answered(folder, "people", "off", BEN)
    assert code == 1
    assert "last active admin" in seen
    listed = [json.loads(line) for line in run("people", "list", "--json").stdout.splitlines()]
    assert [(each["id"], each["active"]) for each in listed] == [(ANNA, True), (BEN, True)]


def test_a_key_is_shown_once_rotated_and_revoked(folder: Path, run: Run) -> None:
    made = answered(folder, "keys", "make", "--agent", "support", "--name", "desk", "--days", "30")
    old = next(word for word in made[1].split() if word.startswith("hr_a_"))
    [listed] = [json.loads(line) for line in run("keys", "list", "--json").stdout.splitlines()]
    assert (listed["name"], listed["agents"]) == ("desk", ["support"])
    assert old not in run("keys", "list").stdout
    rotated = answered(folder, "keys", "rotate", listed["id"], "--hours", "1")
    new = next(word for word in rotated[1].split() if word.startswith("hr_a_"))
    store = open_store(f"sqlite:///{folder / 'handrail.db'}")
    try:
        ring = KeyRing(operator(store))
        assert ring.find(old) is not None
        assert ring.find(new) is not None
        assert answered(folder, "keys", "revoke", listed["id"])[0] == 0
        assert ring.find(old) is None
        assert ring.find(new) is not None
    finally:
        store.close()
    assert "revoked" in run("keys", "list").stdout


@pytest.mark.parametrize("agent", ["suport", "support"])
def test_a_key_for_an_agent_that_the_policy_does_not_know_is_made_with_a_warning(
    folder: Path, run: Run, agent: str
) -> None:
    with Terminal(folder, "keys", "make", "--agent", agent, "--name", "n") as terminal:
        assert terminal.answer("yes") == 0
        assert "hr_a_" in terminal.seen
        assert ("did you mean 'support'?" in terminal.seen) is (agent == "suport")
    assert len(run("keys", "list", "--json").stdout.splitlines()) == 1


@pytest.mark.parametrize("args", [(), ("--url", "https://desk.example.com")])
def test_a_link_to_an_address_that_nobody_gave_comes_with_a_warning(
    folder: Path, args: tuple[str, ...]
) -> None:
    with Terminal(folder, "people", "invite", BEN, *args) as terminal:
        assert terminal.answer("yes") == 0
        assert ("address is a guess" in terminal.seen) is (not args)
        assert f"{args[1] if args else 'http://127.0.0.1:8765'}/set-up?link=" in terminal.seen


def test_a_services_key_may_be_for_several_agents(folder: Path, run: Run) -> None:
    code, seen = answered(
        folder, "keys", "make", "--service", "--agent", "support", "--agent", "sales", "--name", "web"
    )
    assert code == 0
    assert "hr_s_" in seen
    assert "support, sales" in run("keys", "list").stdout
    assert answered(folder, "keys", "make", "--agent", "a", "--agent", "b", "--name", "x")[0] != 0


def test_serving_is_refused_inside_a_session(folder: Path) -> None:
    refused = piped(folder, "serve", extra={"HANDRAIL_SESSION": "s"})
    assert refused.returncode == 1
    assert "inside a rail session" in refused.stderr


@pytest.mark.parametrize("beside", [("--policy", "handrail.yaml"), ("--database", "memory:")])
def test_an_application_and_another_policy_or_store_exclude_each_other(
    run: Run, beside: tuple[str, str]
) -> None:
    refused = run("serve", "--app", "no_such_module:rail", *beside)
    assert refused.exit_code == 1
    assert f"{beside[0]} and --app exclude each other" in refused.stderr
    alone = run("serve", "--app", "no_such_module:rail")
    assert "there is no module 'no_such_module'" in alone.stderr
