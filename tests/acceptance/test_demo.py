"""The whole demo, from an empty folder: its story, its numbers, its second run, and what it leaves behind."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from handrail.app import open_app
from handrail.demo.company import tickets
from handrail.demo.folder import Folder
from handrail.demo.ledger import Fate, Row, everything
from handrail.demo.office import answer, opened
from handrail.demo.people import Answer
from handrail.demo.run import CANNOT_START, run
from tests.unit.demo.stubs import KEY, anthropic, openai, serving

INBOX = {ticket.slug: ticket for ticket in tickets()}
KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENAI_BASE_URL",
    "ANTHROPIC_BASE_URL",
    "HANDRAIL_DATABASE_URL",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the demo: what it printed, and its folder."""

    code: int
    text: str
    folder: Folder

    def rows(self) -> list[Row]:
        """Every action in the journal it left."""
        app = open_app(
            None, database=f"sqlite:///{self.folder.path / 'handrail.db'}", databases={"shop": "sqlite:///"}
        )
        try:
            return everything(app.store)
        finally:
            app.close()

    def books(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the company's books."""
        with closing(sqlite3.connect(self.folder.database)) as db:
            return db.execute(sql).fetchall()


def _run(path: Path) -> Ran:
    out = io.StringIO()
    code = run(path, headless=True, console=Console(file=out, width=200))
    return Ran(code, out.getvalue(), Folder(path))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        for name in KEYS:
            patch.delenv(name, raising=False)
        yield _run(tmp_path_factory.mktemp("demo") / "handrail-demo")


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _fates(ran: Ran, slug: str, tool: str) -> list[tuple[Fate, tuple[str, ...]]]:
    return [(row.fate, row.rules) for row in ran.rows() if (row.ticket, row.tool) == (INBOX[slug].id, tool)]


def test_every_outcome_appears(ran: Ran) -> None:
    """Alone, after a yes, asked, rejected, refused and on trial: none is missing, and nothing failed."""
    assert ran.code == 0
    counts = Counter(row.fate for row in ran.rows())
    assert {fate for fate in Fate if counts[fate]} == set(Fate) - {Fate.FAILED, Fate.YES}
    assert counts[Fate.ALONE] > sum(counts.values()) / 2
    assert counts[Fate.ASKED] >= 20
    assert counts[Fate.REFUSED] >= 20


def test_every_ticket_of_the_inbox_was_worked_on(ran: Ran) -> None:
    assert {row.ticket for row in ran.rows()} == {ticket.id for ticket in INBOX.values()}


def test_every_number_of_the_summary_is_the_journals(ran: Ran) -> None:
    """Counted anew, with SQL of our own, straight from the store's tables."""
    with closing(sqlite3.connect(ran.folder.path / "handrail.db")) as db:
        states = dict(db.execute("select state, count(*) from actions group by state"))
        [(whole, tasks)] = db.execute("select count(*), count(distinct task) from actions").fetchall()
    assert f"{whole} actions of 2 agents for {tasks} tickets" in ran.text
    for state, words in (("held", "asks a person"), ("denied", "refused"), ("shadowed", "on trial, not run")):
        assert re.search(rf"^ *{states[state]} +[\d.]+ % +{words} ", ran.text, re.MULTILINE), state
    alone = re.search(r"^ *(\d+) +[\d.]+ % +ran alone ", ran.text, re.MULTILINE)
    after = re.search(r"^ *(\d+) +[\d.]+ % +ran after a yes ", ran.text, re.MULTILINE)
    assert alone is not None
    assert after is not None
    assert int(alone[1]) + int(after[1]) == states["done"]


def test_the_money_in_the_journal_is_the_money_in_the_books(ran: Ran) -> None:
    """What the journal says was paid by refund is what the company's books say was paid."""
    paid = sum(
        row.amount or 0
        for row in ran.rows()
        if row.tool == "issue_refund" and row.fate in (Fate.ALONE, Fate.AFTER_YES)
    )
    [(cents,)] = ran.books("select sum(amount_cents) from refunds where made_at >= date('now', '-1 day')")
    assert paid == cents * 10_000_000


def test_every_mail_in_the_outbox_is_an_action_that_ran(ran: Ran) -> None:
    sent = [row for row in ran.rows() if row.tool in {"send_reply", "send_offer", "send_invoice_copy"}]
    ran_ = [row for row in sent if row.fate in (Fate.ALONE, Fate.AFTER_YES)]
    assert len(list(ran.folder.outbox.glob("*.eml"))) == len(ran_)


def test_the_prompt_injection_gets_nothing(ran: Ran) -> None:
    """Five different calls, five refusals, each by another measure; the customer is still there."""
    found = [row for row in ran.rows() if row.ticket == INBOX["order-note"].id and row.fate is Fate.REFUSED]
    assert [row.rules for row in found] == [
        ("method",),
        ("more-than-paid",),
        ("someone-else",),
        ("permission",),
        ("wrong-address",),
    ]
    assert ran.books("select count(*) from refunds where order_id = 'o-5401'") == [(0,)]
    assert ran.books("select count(*) from customers where id = 'c-101'") == [(1,)]
    assert not any("quickmail" in path.name for path in ran.folder.outbox.glob("*archive*"))


def test_the_runaway_loop_is_stopped_by_the_budget(ran: Ran) -> None:
    """Fifteen actions for the ticket, then refusals; without the rail it makes 41 look-ups."""
    fates = Counter(_fates(ran, "parcel-in-limbo", "find_order"))
    assert fates == {(Fate.ALONE, ()): 14, (Fate.REFUSED, ("one-ticket",)): 3}


def test_the_same_refund_is_paid_once(ran: Ran) -> None:
    assert _fates(ran, "cafe-jars-first", "issue_refund") == [(Fate.ALONE, ())]
    assert _fates(ran, "cafe-jars-again", "issue_refund") == [(Fate.REFUSED, ("one-refund-an-order",))]


@pytest.mark.parametrize(
    ("slug", "tool", "fate", "rule"),
    [
        ("broken-mugs", "issue_refund", Fate.ALONE, None),
        ("unopened-mixer", "issue_refund", Fate.ASKED, "big-refund"),
        ("hotel-teapots", "issue_refund", Fate.ASKED, "vip-money"),
        ("hidden-lawyer", "give_voucher", Fate.ASKED, "lawyer"),
        ("moka-seal", "issue_refund", Fate.ASKED, "unsure"),
        ("slipped-point", "issue_refund", Fate.REFUSED, "more-than-paid"),
        ("to-america", "update_address", Fate.REFUSED, "country"),
        ("moved-house", "update_address", Fate.ALONE, None),
        ("pushy", "send_offer", Fate.ASKED, "pushy-words"),
        ("long-terms", "send_offer", Fate.REFUSED, "offer-terms"),
        ("half-price", "send_offer", Fate.REFUSED, "discount"),
        ("one-euro-boards", "send_offer", Fate.REFUSED, "binding-price"),
        ("jam-society", "send_offer", Fate.REFUSED, "offers"),
        ("new-bank-details", "send_reply", Fate.REFUSED, "account-numbers"),
        ("cancel-in-time", "cancel_order", Fate.ALONE, None),
        ("cancel-packed", "cancel_order", Fate.ASKED, "preapproved"),
        ("forget-me", "delete_customer", Fate.ASKED, "sensitive"),
        ("forget-me-open-order", "delete_customer", Fate.REFUSED, "open-orders"),
        ("new-lid", "send_replacement", Fate.TRIAL, None),
        ("bakery-mixer", "issue_refund", Fate.AFTER_YES, None),
        ("smaller-pan", "issue_refund", Fate.NO, "unsure"),
    ],
)
def test_each_measure_does_its_work(ran: Ran, slug: str, tool: str, fate: Fate, rule: str | None) -> None:
    [(found, rules)] = _fates(ran, slug, tool)
    assert found is fate
    assert rule in rules if rule else rules == ()


def test_a_customer_hears_of_a_refund_only_when_it_was_paid(ran: Ran) -> None:
    """The approved one was answered; of the one that still waits nobody was told."""
    assert [fate for fate, _ in _fates(ran, "bakery-mixer", "send_reply")] == [Fate.ALONE]
    assert _fates(ran, "unopened-mixer", "send_reply") == []


def test_the_table_says_why_in_plain_words(ran: Ran) -> None:
    flat = re.sub(r"\s+", " ", ran.text)
    for words in (
        "ran alone",
        "asks a person",
        "refused",
        "on trial",
        "Refunds above EUR 100 need",
        "Maeve says yes",
    ):
        assert words in flat


def test_the_hints_name_a_question_that_is_open(ran: Ran) -> None:
    [(short, person)] = re.findall(r"approve ([0-9a-z]+) --as (\S+)", ran.text)
    [action] = re.findall(r"desk\.py ([0-9a-z]+)", ran.text)
    [row] = [row for row in ran.rows() if row.action.endswith(short)]
    assert (row.action, row.fate, person) == (action, Fate.ASKED, "maeve@copperandthyme.example")


@pytest.fixture
def copied(ran: Ran, tmp_path: Path) -> Ran:
    """The folder of the run, somewhere else, to be gone on with."""
    shutil.copytree(ran.folder.path, tmp_path / "copied")
    return Ran(ran.code, ran.text, Folder(tmp_path / "copied"))


def _desk(ran: Ran, action: str) -> str:
    command = [sys.executable, "desk.py", action]
    return subprocess.run(command, cwd=ran.folder.path, capture_output=True, text=True, check=True).stdout


def _approve(ran: Ran, row: Row) -> None:
    with opened(ran.folder) as desk:
        question = desk.engine.store.read(lambda tx: tx.approvals.of(row.action))
        assert question is not None
        given = Answer(row.ticket, row.tool, "maeve@copperandthyme.example", approve=True, note="fine")
        answer(desk, question.id, given)


def _asked(ran: Ran, slug: str) -> Row:
    [row] = [row for row in ran.rows() if row.ticket == INBOX[slug].id and row.fate is Fate.ASKED]
    return row


def test_the_desk_runs_what_a_person_approves_later(copied: Ran) -> None:
    """In another process, on another day: the refund is in the books."""
    row = _asked(copied, "unopened-mixer")
    _approve(copied, row)
    assert _desk(copied, row.action) == "EUR 419.00 paid back for o-5105 (original).\n"
    assert copied.books("select amount_cents from refunds where order_id = 'o-5105'") == [(41_900,)]


def test_the_desk_does_not_run_what_nobody_approved(copied: Ran) -> None:
    row = _asked(copied, "unopened-mixer")
    assert "paid back" not in _desk(copied, row.action)
    assert copied.books("select count(*) from refunds where order_id = 'o-5105'") == [(0,)]


def test_the_desks_next_mail_does_not_overwrite_the_sent_ones(copied: Ran) -> None:
    before = {path.name: path.read_bytes() for path in copied.folder.outbox.iterdir()}
    row = _asked(copied, "island")
    _approve(copied, row)
    _desk(copied, row.action)
    after = {path.name: path.read_bytes() for path in copied.folder.outbox.iterdir()}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


def test_a_second_run_starts_afresh_and_tells_the_same_story(ran: Ran, no_keys: pytest.MonkeyPatch) -> None:
    before = [(row.ticket, row.tool, row.fate, row.rules) for row in ran.rows()]
    again = _run(ran.folder.path)
    assert again.code == 0
    assert [(row.ticket, row.tool, row.fate, row.rules) for row in again.rows()] == before


def test_a_folder_with_somebodys_files_is_not_touched(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    ran = _run(tmp_path)
    assert ran.code == CANNOT_START
    assert "name another folder with --dir" in re.sub(r"\s+", " ", ran.text)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def _handrail(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "handrail", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_line_finds_what_the_demo_left(ran: Ran, no_keys: pytest.MonkeyPatch) -> None:
    """From inside the folder, with no option: the actions, their export and the log's proof."""
    rows = ran.rows()
    listed = _handrail(ran.folder.path, "actions", "list", "--json", "--limit", str(10 * len(rows)))
    assert Counter(json.loads(line)["state"] for line in listed.stdout.splitlines()) == Counter(_states(ran))
    exported = _handrail(ran.folder.path, "log", "export").stdout.splitlines()
    assert len(exported) == len(rows)
    assert Counter(json.loads(line)["action"] for line in exported) == Counter(row.tool for row in rows)
    verified = _handrail(ran.folder.path, "log", "verify")
    assert verified.stdout.startswith("Consistent")


def _states(ran: Ran) -> list[str]:
    with closing(sqlite3.connect(ran.folder.path / "handrail.db")) as db:
        return [state for (state,) in db.execute("select state from actions")]


def test_the_command_takes_less_than_a_minute(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = _handrail(tmp_path, "demo", "--headless", "--dir", "here")
    assert done.returncode == 0, done.stderr
    assert f"for {len(INBOX)} tickets" in done.stdout
    assert (tmp_path / "here" / "handrail.yaml").is_file()


SURE = {"confidence": 0.95, "rationale": "It is plain."}
SCRIPT = [
    [{"name": "find_customer", "args": {"email": "aoife.brennan@mailbox.example", **SURE}}],
    [{"name": "escalate_ticket", "args": {"ticket_id": "t-101", "team": "support", "note": "hm", **SURE}}],
]
BOTH = pytest.mark.parametrize(
    ("api", "key", "base", "path"),
    [
        (openai, "OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        (anthropic, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
    ],
    ids=["openai", "anthropic"],
)


@BOTH
def test_a_real_model_plays_the_agents_when_a_key_is_set(
    no_keys: pytest.MonkeyPatch, tmp_path: Path, api: Callable[..., Any], key: str, base: str, path: str
) -> None:
    """Every ticket goes through the model and the rail; its calls for another ticket are refused."""
    no_keys.setenv(key, KEY)
    with serving(api(SCRIPT)) as address:
        no_keys.setenv(base, address + path)
        ran = _run(tmp_path / "demo")
    assert ran.code == 0
    rows = ran.rows()
    assert len(rows) == 2 * len(INBOX)
    escalated = Counter((row.fate, row.rules) for row in rows if row.tool == "escalate_ticket")
    assert escalated == {(Fate.ALONE, ()): 1, (Fate.REFUSED, ("other-ticket",)): len(INBOX) - 1}
    assert "played by OpenAI's" in ran.text or "played by Anthropic's" in ran.text


def test_a_model_that_fails_is_replaced_out_loud(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a wrong key the demo says what the provider said, and that the script takes over."""
    no_keys.setenv("OPENAI_API_KEY", "sk-wrong")
    with serving(openai(SCRIPT)) as address:
        no_keys.setenv("OPENAI_BASE_URL", f"{address}/v1")
        ran = _run(tmp_path / "demo")
    assert ran.code == 0
    flat = re.sub(r"\s+", " ", ran.text)
    assert "answered 401" in flat
    assert "The scripted agent takes over from here" in flat
    assert "sk-wrong" not in ran.text
    assert {row.fate for row in ran.rows()} >= {Fate.ALONE, Fate.ASKED, Fate.REFUSED}


def test_the_new_addresses_are_redacted_in_the_journal(ran: Ran) -> None:
    """The policy redacts the arguments street and postcode: no proposal's entry has them."""
    with closing(sqlite3.connect(ran.folder.path / "handrail.db")) as db:
        bodies = [
            json.loads(body) for (body,) in db.execute("select body from entries where kind = 'proposed'")
        ]
    moved = [body["input"] for body in bodies if "country" in body.get("input", {})]
    assert moved
    assert all("Biltstraat" not in str(body) for body in moved)
