"""Prompts: kept with their call, read and searched without what the policy hides, erased when it says so."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.engine import retention
from handrail.engine.models.prompts import LOOKED_THROUGH, prompt_of, search
from handrail.ports import Transaction
from handrail.words.entry import Kind
from handrail.words.errors import NotFound
from handrail.words.model_call import CallFilter, ModelCall, Prompt
from tests.contract.model_things import model_call
from tests.support.models import MODELS, asked, done, gate_of
from tests.support.rail import Desk, opened

CARD, IBAN, PIN = "4111 1111 1111 1111", "DE89370400440532013000", 48213377
KEY = "sk-ant-api03-" + "x" * 40
LONG_AGO = 31 * 24 * 3_600_000


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'handrail.db'}"
    found: str = request.getfixturevalue("postgres_database")
    return found


@pytest.fixture
def desk(url: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path, url, MODELS, keeper=False) as found:
        yield found


def said(text: object, **more: object) -> bytes:
    """A request that says this."""
    return json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}).encode()


def call(desk: Desk, request: bytes, answer: bytes = b"{}", session: str = "s-1") -> ModelCall:
    """A call that was answered."""
    gate = gate_of(desk)
    made = gate.claim(asked(request=request, session=session))
    gate.settle(made, done(1, response=answer))
    return made


def texts(desk: Desk, made: ModelCall) -> str:
    """Request and answer as people see them."""
    _, shown = desk.app.store.read(lambda tx: prompt_of(desk.app.engine, tx, made.id))
    return f"{shown.request}\n{shown.response}"


def stored(desk: Desk) -> str:
    """Everything that stands in the table."""
    rows = desk.sql("select request, response from prompts")
    return "".join(zlib.decompress(bytes(each)).decode() for row in rows for each in row if each)


def found(desk: Desk, text: str, **wanted: object) -> list[str]:
    """The ids of what a search finds."""
    filters = CallFilter(**wanted)  # type: ignore[arg-type]
    got = desk.app.store.read(lambda tx: search(desk.app.engine, tx, filters, text))
    return [each.id for each in got.calls]


def test_what_was_asked_and_answered_is_kept_as_it_was(desk: Desk) -> None:
    made = call(desk, said("Where is order 812?"), b'{"choices": [{"message": {"content": "In Gdansk."}}]}')
    assert "Where is order 812?" in texts(desk, made)
    assert "In Gdansk." in texts(desk, made)
    with pytest.raises(NotFound):
        desk.app.store.read(lambda tx: prompt_of(desk.app.engine, tx, "0" * 28))


def test_a_request_is_there_before_its_answer_comes(desk: Desk) -> None:
    made = gate_of(desk).claim(asked(request=said("Hello")))
    _, shown = desk.app.store.read(lambda tx: prompt_of(desk.app.engine, tx, made.id))
    assert "Hello" in (shown.request or "")
    assert shown.response is None


def test_keys_never_reach_the_store_and_paths_of_prompts_are_hidden_where_the_policy_says(desk: Desk) -> None:
    made = call(
        desk,
        said(f"My key is {KEY}.", metadata={"user": "ann@example.com"}),
        f'{{"output": "you said {KEY}", "metadata": "kept"}}'.encode(),
    )
    assert KEY not in stored(desk)
    assert "ann@example.com" not in stored(desk)
    assert "kept" in texts(desk, made)
    assert "My key is [redacted]" in texts(desk, made)


def test_what_can_not_be_read_is_hidden_whole_where_paths_of_prompts_are(desk: Desk) -> None:
    made = call(desk, b"--boundary\r\nmetadata: ann@example.com")
    assert "ann@example.com" not in stored(desk)
    assert "[redacted]" in texts(desk, made)
    desk.activate(MODELS.replace(", prompts.request.metadata", ""))
    assert "ann@example.com" in texts(desk, call(desk, b"--boundary\r\nmetadata: ann@example.com"))


def test_a_stream_in_pieces_is_hidden_whole_where_paths_of_answers_are(desk: Desk) -> None:
    """Its text stands in other places than that of an answer which came whole."""
    path = "prompts.response.choices.message.content"
    desk.activate(MODELS.replace("prompts.request.metadata", f"prompts.request.metadata, {path}"))
    whole = call(desk, said("Hello"), b'{"id": "c-1", "choices": [{"message": {"content": "secret"}}]}')
    pieces = b"".join(
        b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % piece for piece in (b"sec", b"ret")
    )
    streamed = call(desk, said("Hello"), pieces)
    assert "secret" not in stored(desk)
    assert "c-1" in texts(desk, whole)
    assert texts(desk, streamed).endswith('\n"[redacted]"')
    desk.activate(MODELS)
    assert "secret" in texts(desk, call(desk, said("Hello"), pieces)), "a path of the other side"


def test_what_the_policy_hides_of_a_sessions_actions_is_hidden_in_its_prompts_before_and_after(
    desk: Desk,
) -> None:
    """The model hears of a card before the action that carries it is proposed."""
    before = call(desk, said(f"Charge {CARD} with pin {PIN}."))
    other = call(desk, said(f"Charge {CARD}."), session="s-2")

    @desk.rail.tool
    def look(card: str) -> dict[str, object]:
        return {"secret": {"iban": IBAN, "pin": PIN}, "ok": True}

    with desk.rail.session("support", "t") as session:
        look(card=CARD)
        desk.sql(f"update actions set session = 's-1' where session = '{session.id}'")
    after = call(desk, said({"tool": IBAN, "pin": PIN, "n": [CARD, 7]}))
    for made in (before, after):
        for secret in (CARD, IBAN, str(PIN)):
            assert secret not in texts(desk, made)
    assert CARD in texts(desk, other)
    assert found(desk, "charge", session="s-1") == [before.id]
    assert found(desk, CARD) == [other.id]


def test_hidden_values_leave_the_prompts_for_good_before_their_payload_goes(desk: Desk) -> None:
    desk.activate(MODELS.replace("data:\n", "data:\n  keep: {payloads: 1 day, prompts: 90 days}\n"))
    made = call(desk, said(f"Charge {CARD}, please."))

    @desk.rail.tool
    def look(card: str) -> str:
        return "ok"

    with desk.rail.session("support", "t"):
        look(card=CARD)
    desk.sql(f"update actions set session = 's-1', updated_at = updated_at - {LONG_AGO}")
    assert CARD in stored(desk)
    assert retention.erase(desk.app.engine) == 1
    assert CARD not in stored(desk)
    assert "Charge [redacted], please." in texts(desk, made)


def test_prompts_are_erased_when_their_time_is_over_and_the_journal_says_so(desk: Desk) -> None:
    old, new = call(desk, said("old words")), call(desk, said("new words"))
    assert retention.erase(desk.app.engine) == 0
    desk.activate(MODELS.replace("data:\n", "data:\n  keep: {prompts: 30 days}\n"))
    desk.sql(f"update model_calls set asked_at = asked_at - {LONG_AGO} where id = '{old.id}'")
    assert retention.erase(desk.app.engine) == 1
    assert "new words" in texts(desk, new)
    assert texts(desk, old) == "None\nNone"
    assert found(desk, "words") == [new.id]
    [told] = [json.loads(entry.body) for entry in desk.entries() if entry.kind is Kind.ERASED]
    assert (told["prompts"], told["first"], told["last"]) == (1, old.id, old.id)


def test_a_search_finds_every_word_in_request_or_answer_newest_first(desk: Desk) -> None:
    first = call(desk, said("The Parcel is late"), b'{"content": "sorry, tomorrow"}')
    second = call(desk, said("parcel"), b'{"content": "LATE again"}', session="s-2")
    call(desk, said("an invoice"))
    assert found(desk, "parcel late") == [second.id, first.id]
    assert found(desk, "parcel late", session="s-1") == [first.id]
    assert found(desk, "parcel late", limit=1) == [second.id]
    assert found(desk, "parcel late", before=second.id) == [first.id]
    assert found(desk, "parcel late invoice") == []


def test_a_search_stops_after_so_many_calls_and_says_where_to_go_on(desk: Desk) -> None:
    request = zlib.compress(b'"nothing"')

    def work(tx: Transaction) -> str:
        oldest = model_call(session="s-1", id="0" * 28)
        tx.model_calls.add(oldest)
        tx.prompts.add(Prompt(oldest.id, zlib.compress(b'"a needle"')))
        for number in range(LOOKED_THROUGH):
            each = model_call(session="s-1", id=f"{number + 1:028x}")
            tx.model_calls.add(each)
            tx.prompts.add(Prompt(each.id, request))
        return oldest.id

    from tests.contract.things import write

    oldest = write(desk.app.store, work)
    engine = desk.app.engine
    first = desk.app.store.read(lambda tx: search(engine, tx, CallFilter(), "needle"))
    assert (first.calls, first.next) == ((), f"{1:028x}")
    then = desk.app.store.read(lambda tx: search(engine, tx, CallFilter(before=first.next), "needle"))
    assert ([each.id for each in then.calls], then.next) == ([oldest], None)


def test_a_long_request_is_cut_and_says_so(desk: Desk) -> None:
    made = call(desk, said("word " * 300_000))
    _, shown = desk.app.store.read(lambda tx: prompt_of(desk.app.engine, tx, made.id))
    assert shown.cut
    assert len(shown.request or "") == 1_048_576
