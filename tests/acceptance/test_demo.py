"""The whole demo, from an empty folder: its story, its numbers, its second run, and what it leaves behind."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from handrail.app import open_app
from handrail.demo.folder import Folder
from handrail.demo.ledger import Fate, Row
from handrail.demo.people import late_answers
from handrail.demo.run import CANNOT_START
from handrail.engine.questions.votes import vote
from handrail.words.approval import Choice
from handrail.words.person import Role
from tests.support.demo import INBOX, KEYS, Ran, headless
from tests.support.server import served


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        for name in KEYS:
            patch.delenv(name, raising=False)
        yield headless(tmp_path_factory.mktemp("demo") / "handrail-demo")


def _fates(ran: Ran, slug: str, tool: str) -> list[tuple[Fate, tuple[str, ...]]]:
    return [(row.fate, row.rules) for row in ran.rows() if (row.ticket, row.tool) == (INBOX[slug].id, tool)]


def test_every_outcome_appears(ran: Ran) -> None:
    """Alone, after a yes, asked, rejected, refused and on trial: none is missing, and nothing failed."""
    assert ran.code == 0
    counts = Counter(row.fate for row in ran.rows())
    assert {fate for fate in Fate if counts[fate]} == set(Fate) - {Fate.FAILED, Fate.YES, Fate.CHANGED}
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


def test_the_runaway_loop_is_held_by_the_loop_breaker(ran: Ran) -> None:
    """Ten equal look-ups, then refusals; without the rail it makes 41."""
    fates = Counter(_fates(ran, "parcel-in-limbo", "find_order"))
    assert fates == {(Fate.ALONE, ()): 10, (Fate.REFUSED, ("permission",)): 3}
    flat = re.sub(r"\s+", " ", ran.text)
    assert "find_order was called with the same arguments 11 times" in flat


def test_a_budget_of_replies_stops_an_agent_that_writes_again_and_again(ran: Ran) -> None:
    fates = Counter(fate for fate, _ in _fates(ran, "out-of-office", "send_reply"))
    assert fates == {Fate.ALONE: 3, Fate.REFUSED: 3}


def test_every_call_of_a_model_is_one_of_an_agent_in_its_session_and_nothing_real_is_called(ran: Ran) -> None:
    """By the agent's own key, for its ticket, to the stand-in; each with its prompt and a measured cost."""
    calls = ran.store(
        "select distinct c.agent, c.agent = k.agents ->> 0, s.agent = c.agent and s.task = c.task,"
        " c.upstream, c.model, c.state, c.presumed, length(p.request) > 0 and length(p.response) > 0"
        " from model_calls c join keys k on k.id = c.via join sessions s on s.id = c.session"
        " join prompts p on p.call = c.id order by 1"
    )
    measured = (1, 1, "shop", "stand-in", "done", 0, 1)
    assert calls == [("desk", *measured), ("quotes", *measured)]
    assert ran.store("select count(distinct task) from model_calls") == [(len(INBOX),)]
    assert "No real model is called and nothing is spent" in ran.text


def test_what_models_cost_is_the_same_in_the_ledger_the_budget_and_the_summary(ran: Ran) -> None:
    [(calls, cost)] = ran.store("select count(*), sum(cost) from model_calls")
    assert ran.store("select used from budget_windows where budget = 'models'") == [(cost,)]
    assert ran.store("select sum(used) from budget_windows where budget = 'models-for-a-ticket'") == [(cost,)]
    [(said, euros)] = re.findall(
        r"Models: (\d+) calls cost €(\d\.\d\d), each in the ledger to the cent", ran.text
    )
    assert (int(said), euros) == (calls, f"{cost / 1e9:.2f}")
    assert "Nothing of it was spent: the model is a stand-in." in ran.text


def test_a_ticket_that_costs_too_much_is_handed_to_a_person_calmly(ran: Ran) -> None:
    """It writes one answer anew until the ticket's money is spent; all others stay far below."""
    ticket = INBOX["haiku"].id
    spent = dict(ran.store("select task, sum(cost) from model_calls group by task"))
    assert spent.pop(ticket) > 60_000_000
    assert max(spent.values()) < 30_000_000
    assert _fates(ran, "haiku", "send_reply") == []
    assert _fates(ran, "haiku", "escalate_ticket") == [(Fate.ALONE, ())]
    [(note,)] = ran.books(f"select note from ticket_notes where ticket_id = '{ticket}'")
    assert "of €0.10 of the budget models-for-a-ticket are used" in note
    flat = re.sub(r"\s+", " ", ran.text)
    assert "ask the model once more refused" in flat


def test_people_are_told_that_half_of_the_days_money_for_models_is_used(ran: Ran) -> None:
    found = [
        json.loads(body) for (body,) in ran.store("select body from entries where kind = 'budget_alert'")
    ]
    assert ("models", 50) in {(each["budget"], each["percent"]) for each in found}


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


def test_what_a_person_rejects_is_handed_to_people_with_the_reason(ran: Ran) -> None:
    """A look at the books: the ticket is with people, and the note has what Finn wrote."""
    assert _fates(ran, "smaller-pan", "escalate_ticket") == [(Fate.ALONE, ())]
    ticket = INBOX["smaller-pan"].id
    assert ran.books(f"select status from tickets where id = '{ticket}'") == [("with people",)]
    [(note,)] = ran.books(f"select note from ticket_notes where ticket_id = '{ticket}'")
    assert "Used, and the size is on the page." in note


def test_colleagues_know_what_to_say_to_every_question_that_is_left(ran: Ran) -> None:
    left = {(row.ticket, row.tool) for row in ran.rows() if row.fate is Fate.ASKED}
    assert {(given.ticket, given.tool) for given in late_answers(tuple(INBOX.values()))} == left


def test_every_action_went_through_the_server_and_every_answer_was_somebodys(ran: Ran) -> None:
    """Each agent came with a key of its own, and each colleague signed in before they answered."""
    with closing(sqlite3.connect(ran.folder.path / "handrail.db")) as db:
        [unverified] = db.execute("select count(*) from votes where not verified").fetchone()
        [votes] = db.execute("select count(*) from votes").fetchone()
        keys = {agents for (agents,) in db.execute("select agents from keys where used_at is not null")}
        signed = db.execute("select count(distinct person) from sign_ins").fetchone()
    assert (unverified, votes) == (0, 14)
    assert keys == {'["desk"]', '["quotes"]'}
    assert signed == (4,)


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
    folder = ran.folder
    app = open_app(folder.policy, database=folder.store_url, databases={"shop": folder.shop_url})
    try:
        question = app.store.read(lambda tx: tx.approvals.of(row.action))
        assert question is not None
        maeve = "maeve@copperandthyme.example"
        vote(app.engine, question.id, maeve, Choice.APPROVE, "fine", verified=False)
    finally:
        app.close()


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


def test_the_board_shows_the_day_and_runs_what_a_visitor_approves(copied: Ran) -> None:
    """As the last hint says: the server has the desk's tools, so that an answer is seen to take effect."""
    [shop] = re.findall(r"HANDRAIL_DATABASE_SHOP=(\S+)", " ".join(copied.text.split()))
    row = _asked(copied, "island")
    env = {"HANDRAIL_DATABASE_SHOP": shop}
    with served(copied.folder.path, args=("--app", "desk:rail"), env=env) as board:
        maeve = board.signed_in("maeve@copperandthyme.example", Role.ADMIN)
        assert "refunds" in maeve.get("/").text
        action = maeve.get(f"/api/v1/actions/{row.action}").json()
        with board.engine() as engine:
            question = engine.store.read(lambda tx: tx.approvals.of(row.action))
            assert question is not None
        said = {"seen": action["digest"]}
        assert maeve.post(f"/questions/{question.id}/approve", data=said).status_code == 303
        ends, never = time.monotonic() + 60, threading.Event()
        while maeve.get(f"/api/v1/actions/{row.action}").json()["state"] != "done":
            assert time.monotonic() < ends
            never.wait(0.05)


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
    again = headless(ran.folder.path)
    assert again.code == 0
    assert [(row.ticket, row.tool, row.fate, row.rules) for row in again.rows()] == before


def test_a_folder_with_somebodys_files_is_not_touched(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    ran = headless(tmp_path)
    assert ran.code == CANNOT_START
    assert "name another folder with --dir" in re.sub(r"\s+", " ", ran.text)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def _handrail(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "handrail", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


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


def test_the_command_runs_the_whole_day(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = _handrail(tmp_path, "demo", "--headless", "--dir", "here")
    assert done.returncode == 0, done.stderr
    assert f"for {len(INBOX)} tickets" in done.stdout
    assert (tmp_path / "here" / "handrail.yaml").is_file()


def test_the_new_addresses_are_redacted_in_the_journal(ran: Ran) -> None:
    """The policy redacts the arguments street and postcode: no proposal's entry has them."""
    with closing(sqlite3.connect(ran.folder.path / "handrail.db")) as db:
        bodies = [
            json.loads(body) for (body,) in db.execute("select body from entries where kind = 'proposed'")
        ]
    moved = [body["input"] for body in bodies if "country" in body.get("input", {})]
    assert moved
    assert all("Biltstraat" not in str(body) for body in moved)
