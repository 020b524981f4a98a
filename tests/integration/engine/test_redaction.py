"""What the policy hides stays hidden in errors too: they come from foreign code, and entries are for ever."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from handrail.engine.record import Recorder
from handrail.words.entry import Kind
from handrail.words.errors import Denied, NotDone
from tests.support.rail import Desk, opened

CARD = 'pm_1N "x"\n42'
POLICY = """
handrail: 1
agents: {support: {may: [charge]}}
tools: {charge: {does: pay, starts: bounded, at_most: bounded}}
facts: {card: {python: "json:loads", with: {number: args.card}}}
rules: [{id: stolen, tools: charge, when: "card.stolen", deny: "Stolen."}]
data: {redact: [args.card, args.holder.pin]}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that hides card numbers and pins."""
    with opened(tmp_path, f"sqlite:///{tmp_path / 'handrail.db'}", POLICY) as found:
        found.rail.fact("card")(lambda number: {"stolen": number == "stolen"})
        yield found


@pytest.mark.parametrize("error", [ValueError, NotDone])
@pytest.mark.parametrize("spell", [str, repr], ids=["str", "repr"])
def test_a_tools_error_is_recorded_without_hidden_arguments(
    desk: Desk, error: type[Exception], spell: type[str]
) -> None:
    """The caller gets the error as it is; entry and action do not."""

    @desk.rail.tool
    def charge(card: str, cents: int) -> None:
        raise error(f"{spell(card)} declined for {cents}")

    with desk.rail.session(agent="support"), pytest.raises(error, match="pm_1N"):
        charge(CARD, 19900)
    action = desk.actions()[-1]
    told = desk.body(action.id, Kind.FAILED)["error"]
    assert "pm_1N" not in told
    assert told == action.error
    assert "[redacted]" in told
    assert "declined for 19900" in told


def test_a_sources_error_is_recorded_without_what_it_was_given(desk: Desk) -> None:
    """A database likes to repeat the value that it did not understand."""

    @desk.rail.tool
    def charge(card: str) -> str:
        return "charged"

    def card(number: str) -> dict[str, bool]:
        if number != "fine":
            raise LookupError(f"no such card: {number}")
        return {"stolen": False}

    desk.rail.fact("card")(card)
    with desk.rail.session(agent="support"):
        with pytest.raises(Denied, match=r"no such card: .redacted.") as raised:
            charge(CARD)
        assert charge("fine") == "charged"
    assert "pm_1N" not in str(raised.value)
    refused = desk.actions()[0]
    assert all("pm_1N" not in entry.body.decode() for entry in desk.entries(refused.id))


@pytest.mark.parametrize(
    ("args", "text", "kept"),
    [
        ({"holder": {"pin": 123456, "name": "Ann Lee"}}, "123456 of Ann Lee", "[redacted] of Ann Lee"),
        ({"holder": {"pin": Decimal("12.50")}}, "12.50 and 12.5", "[redacted] and 12.5"),
        ({"holder": [{"pin": "abcd"}, {"pin": "efgh"}]}, "abcd efgh ijkl", "[redacted] [redacted] ijkl"),
        ({"card": {"number": "4111 1111", "ok": True}}, "4111 1111 True", "[redacted] True"),
        ({"card": "abcd", "note": "abcd"}, "abcd", "[redacted]"),
        ({"card": "a"}, "a card", "a card"),
        ({"note": "shown"}, "shown", "shown"),
    ],
)
def test_hidden_values_are_found_wherever_they_stand_in_the_arguments(
    args: dict[str, object], text: str, kept: str
) -> None:
    """A value too short to tell from other words is left, and what the policy does not hide is shown."""
    assert Recorder(("args.card", "args.holder.pin")).hidden(text, args) == kept


def test_nothing_is_taken_out_where_the_policy_hides_nothing() -> None:
    """Errors are for finding out what happened."""
    recorder = Recorder(())
    assert recorder.hidden("4111 declined", {"card": "4111"}) == "4111 declined"
    assert recorder.without("4111 declined", {"card": "4111"}) == "4111 declined"


def test_a_rationale_is_kept_without_hidden_arguments(desk: Desk) -> None:
    """Entries, lists of actions and channels show it to people who may not see the arguments."""

    @desk.rail.tool
    def charge(card: str, cents: int) -> str:
        return "charged"

    with desk.rail.session(agent="support"), desk.rail.about(rationale=f"She gave {CARD} for 19900."):
        assert charge(CARD, 19900) == "charged"
    action = desk.actions()[-1]
    assert action.rationale == "She gave [redacted] for 19900."
    assert desk.body(action.id, Kind.PROPOSED)["rationale"] == action.rationale
