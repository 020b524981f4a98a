"""What is due is told once, by whichever process comes first, and no channel costs anybody else anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail import Held
from handrail.channels import Channels, ChannelSettings
from handrail.engine.deliveries.sending import Deliverer, deliver, pause
from handrail.engine.jobs import reap
from handrail.engine.loops import hold, release
from handrail.engine.restrict import halt, lift
from handrail.engine.settle import resolve
from handrail.ports import Channel, Commit, Message
from handrail.words.approval import Choice
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.errors import ChannelError
from handrail.words.lifecycle import State
from tests.support.rail import LEAD, POLICY, Desk, opened
from tests.support.slack import TOKEN, SlackStub, slack

VIA = POLICY.replace(
    "need: 1, answer_within: 4 h, if_no_answer: heads}",
    'need: 1, answer_within: 4 h, if_no_answer: heads, via: ["slack:#offers", "notify:oncall"]}',
).replace(
    "need: 1, answer_within: 1 day, if_no_answer: reject}",
    'need: 1, answer_within: 1 day, if_no_answer: reject, via: ["slack:#heads"]}\nalerts: {to: [heads]}',
)
URL = "https://handrail.example.com"
SLACK, NOTIFY = "slack:#offers", "notify:oncall"


class Told:
    """Channels that keep what they were told; ``refuse`` and ``hang`` play those that can't tell."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.refuse: dict[str, ChannelError] = {}
        self.hang: set[str] = set()
        self.reached, self.let_go = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Channel:
        told = self

        class One:
            def tell(self, message: Message) -> str | None:
                return told.tell(name, message)

        return One()

    def tell(self, name: str, message: Message) -> str:
        if name in self.hang:
            self.reached.set()
            assert self.let_go.wait(120)
        if name in self.refuse:
            raise self.refuse[name]
        with self._lock:
            self.messages.append((name, message))
        return f"{name}/{message.delivery.id}"

    def kinds(self, name: str) -> list[DeliveryKind]:
        return [message.delivery.kind for channel, message in self.messages if channel == name]


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.let_go.set()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path, f"sqlite:///{tmp_path / 'handrail.db'}", VIA, keeper=False) as found:
        yield found


def ask(desk: Desk) -> str:
    """A question of the agent; its action."""
    tool = desk.rail.tool(refund)
    with desk.rail.session("support", task="t"), pytest.raises(Held) as held:
        tool(500, "late")
    return held.value.action_id


def of(desk: Desk, action: str, kind: DeliveryKind, channel: str) -> Delivery:
    """One delivery about an action's question."""
    found = desk.app.store.read(lambda tx: tx.deliveries.of(desk.question(action).id))
    return next(each for each in found if (each.kind, each.channel) == (kind, channel))


def due_now(desk: Desk) -> None:
    """Let everything that was put off be due, and every lease be over."""
    desk.sql("update deliveries set due_at = 0 where state = 'due'")
    desk.sql("update deliveries set lease_until = 1 where state = 'sending'")


def test_a_question_is_told_once_with_its_sheet_and_link(desk: Desk, told: Told) -> None:
    action = ask(desk)
    assert deliver(desk.app.engine, told, URL) == 2
    assert deliver(desk.app.engine, told, URL) == 0
    name, message = next(each for each in told.messages if each[0] == SLACK)
    assert message.link == f"{URL}/questions/{desk.question(action).id}"
    assert message.sheet is not None
    assert message.sheet.shown_args == {"amount": 500, "reason": "late"}
    assert of(desk, action, DeliveryKind.ASKED, SLACK).reference == f"{name}/{message.delivery.id}"


def test_its_message_is_brought_up_to_date_and_hears_the_outcome(desk: Desk, told: Told) -> None:
    action = ask(desk)
    deliver(desk.app.engine, told, URL)
    reference = of(desk, action, DeliveryKind.ASKED, SLACK).reference
    desk.vote(action)
    deliver(desk.app.engine, told, URL)
    with desk.rail.session("support", task="t"):
        desk.rail.resume(action)
    deliver(desk.app.engine, told, URL)
    assert told.kinds(SLACK) == [DeliveryKind.ASKED, DeliveryKind.ANSWERED, DeliveryKind.OUTCOME]
    assert [message.reference for name, message in told.messages if name == SLACK] == [
        None,
        reference,
        reference,
    ]


def test_what_was_answered_before_it_was_told_is_not_told_at_all(desk: Desk, told: Told) -> None:
    action = ask(desk)
    desk.vote(action, choice=Choice.REJECT, reason="no")
    assert deliver(desk.app.engine, told, URL) == 0
    assert told.messages == []
    assert of(desk, action, DeliveryKind.ASKED, SLACK).state is DeliveryState.GAVE_UP
    assert of(desk, action, DeliveryKind.ANSWERED, SLACK).state is DeliveryState.GAVE_UP


def test_an_update_waits_for_its_question_that_is_still_being_told(desk: Desk, told: Told) -> None:
    action = ask(desk)
    told.refuse[SLACK] = ChannelError("down")
    deliver(desk.app.engine, told, URL)
    desk.vote(action)
    assert of(desk, action, DeliveryKind.ASKED, SLACK).state is DeliveryState.DUE
    deliver(desk.app.engine, told, URL)
    assert of(desk, action, DeliveryKind.ANSWERED, SLACK).state is DeliveryState.DUE
    told.refuse.clear()
    due_now(desk)
    deliver(desk.app.engine, told, URL)
    due_now(desk)
    deliver(desk.app.engine, told, URL)
    assert told.kinds(SLACK) == [DeliveryKind.ASKED, DeliveryKind.ANSWERED]


def test_a_channel_that_is_down_is_tried_again_later_and_then_told_once(desk: Desk, told: Told) -> None:
    action = ask(desk)
    told.refuse[SLACK] = ChannelError("down")
    assert deliver(desk.app.engine, told, URL) == 1
    waiting = of(desk, action, DeliveryKind.ASKED, SLACK)
    assert (waiting.state, waiting.error, waiting.tries) == (DeliveryState.DUE, "down", 1)
    assert waiting.due_at > desk.app.store.read(lambda tx: tx.now())
    assert deliver(desk.app.engine, told, URL) == 0
    told.refuse.clear()
    due_now(desk)
    assert deliver(desk.app.engine, told, URL) == 1
    assert told.kinds(SLACK) == [DeliveryKind.ASKED]


def test_what_can_not_help_or_lasts_a_day_is_given_up(desk: Desk, told: Told) -> None:
    action = ask(desk)
    told.refuse = {SLACK: ChannelError("never", again=False), NOTIFY: ChannelError("down")}
    desk.sql(f"update deliveries set tries = 200 where channel = '{NOTIFY}'")
    deliver(desk.app.engine, told, URL)
    for channel, why in ((SLACK, "never"), (NOTIFY, "down")):
        found = of(desk, action, DeliveryKind.ASKED, channel)
        assert (found.state, found.error) == (DeliveryState.GAVE_UP, why)


def test_the_pauses_grow_from_five_seconds_to_a_quarter_of_an_hour() -> None:
    assert [pause(tries) for tries in (1, 2, 3, 8, 9, 100)] == [
        5_000,
        10_000,
        20_000,
        640_000,
        900_000,
        900_000,
    ]


def test_a_channel_that_hangs_delays_neither_a_vote_nor_another_channel(desk: Desk, told: Told) -> None:
    action = ask(desk)
    told.hang.add(SLACK)
    deliverer = Deliverer(desk.app.engine, told, URL)
    workers = deliverer.hand_over()
    assert told.reached.wait(120)
    next(each for each in workers if each.name.endswith(NOTIFY)).join()
    assert told.kinds(NOTIFY) == [DeliveryKind.ASKED]
    desk.vote(action)
    assert desk.question(action).state == "approved"
    for worker in deliverer.hand_over():
        worker.join()
    assert told.kinds(NOTIFY) == [DeliveryKind.ASKED, DeliveryKind.ANSWERED]
    assert of(desk, action, DeliveryKind.ANSWERED, SLACK).error == f"{SLACK} is busy"
    told.let_go.set()
    deliverer.close()
    assert told.kinds(SLACK) == [DeliveryKind.ASKED]


def test_a_process_that_dies_while_it_tells_is_followed_by_another(desk: Desk, told: Told) -> None:
    ask(desk)
    desk.app.store.write(Commit.DELIVER, lambda tx: tx.deliveries.take(tx.now(), tx.now() + 60_000, 50))
    assert deliver(desk.app.engine, told, URL) == 0
    due_now(desk)
    assert deliver(desk.app.engine, told, URL) == 2


def test_a_halt_and_its_end_are_told_with_their_reason(desk: Desk, told: Told) -> None:
    found, _ = halt(desk.app.engine, "strange refunds", "ops@example.com", "support")
    deliver(desk.app.engine, told, URL)
    lift(desk.app.engine, found, "all good", "ops@example.com")
    deliver(desk.app.engine, told, URL)
    first, second = (message for _, message in told.messages)
    assert first.halt is not None
    assert second.halt == first.halt
    assert (first.halt.reason, first.halt.agent) == ("strange refunds", "support")
    assert second.reference == f"slack:#heads/{first.delivery.id}"


def test_a_held_session_is_told_each_time_with_whose_it_is_and_why(desk: Desk, told: Told) -> None:
    tool = desk.rail.tool(refund)
    with desk.rail.session("support", task="t-7") as session:
        tool(5, "late")
        for why in ("it looks lost", "lost again"):
            hold(desk.app.engine, session.id, why, "ops@example.com")
            deliver(desk.app.engine, told, URL)
            release(desk.app.engine, session.id, "found", "ops@example.com")
    found = [message for _, message in told.messages if message.held is not None]
    assert [message.held and message.held.reason for message in found] == ["it looks lost", "lost again"]
    assert found[0].held is not None
    assert (found[0].held.agent, found[0].held.task) == ("support", "t-7")
    assert found[0].link == f"{URL}/sessions/{session.id}"


def lost(desk: Desk, *texts: str) -> list[str]:
    """Actions whose process falls silent while they run."""

    @desk.rail.tool
    def note(text: str) -> str:
        return text

    with desk.rail.session("support", task="t-7"):
        for text in texts:
            note(text=text)
    desk.sql("update actions set state = 'running', lease_until = 1, finished_at = null")
    assert (reap(desk.app.engine), reap(desk.app.engine)) == (len(texts), 0)
    return [each.id for each in desk.actions(State.UNKNOWN)]


@pytest.mark.parametrize("texts", [("a",), ("a", "b")])
def test_what_nobody_saw_end_is_told_once_and_together(
    desk: Desk, told: Told, texts: tuple[str, ...]
) -> None:
    known = lost(desk, *texts)
    for _ in range(2):
        deliver(desk.app.engine, told, URL)
    [(channel, message)] = told.messages
    assert (channel, message.delivery.kind) == ("slack:#heads", DeliveryKind.LOST)
    assert message.lost is not None
    assert (message.lost.count, len(message.lost.what)) == (len(texts), len(texts))
    assert "note for t-7" in message.lost.what[0]
    page = f"actions/{known[0]}" if len(known) == 1 else "log?kind=unknown"
    assert message.link == f"{URL}/{page}"


def test_what_was_settled_before_it_was_told_is_not_told(desk: Desk, told: Told) -> None:
    """Of two only the other one is; of none, nothing."""
    first, second = lost(desk, "a", "b")
    resolve(desk.app.engine, first, State.DONE, LEAD, "the printer shows it")
    deliver(desk.app.engine, told, URL)
    [(_, message)] = told.messages
    assert message.lost is not None
    assert message.lost.count == 1
    assert message.link == f"{URL}/actions/{second}"
    resolve(desk.app.engine, second, State.FAILED, LEAD, "it is not there")
    desk.sql("update deliveries set state = 'due', due_at = 0")
    deliver(desk.app.engine, told, URL)
    assert len(told.messages) == 1


def test_processes_on_one_postgresql_tell_every_question_once(
    tmp_path: Path, postgres_database: str, told: Told
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        opened(tmp_path / "a", postgres_database, VIA, keeper=False) as one,
        opened(tmp_path / "b", postgres_database, VIA, keeper=False) as two,
    ):
        tool = one.rail.tool(refund)
        for number in range(20):
            with one.rail.session("support", task=f"t{number}"), pytest.raises(Held):
                tool(500 + number, "late")
        engines = [one.app.engine, two.app.engine] * 3
        with ThreadPoolExecutor(len(engines)) as pool:
            sent = sum(pool.map(lambda engine: deliver(engine, told, URL), engines))
        assert sent == 40
        assert len({message.delivery.id for _, message in told.messages}) == len(told.messages) == 40


def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(desk: Desk) -> None:
    with slack() as stub:
        action = ask(desk)
        channels = slack_only(stub)
        stub.lost.add("chat.postMessage")
        deliver(desk.app.engine, channels, URL)
        assert of(desk, action, DeliveryKind.ASKED, SLACK).state is DeliveryState.DUE
        stub.lost.clear()
        due_now(desk)
        deliver(desk.app.engine, channels, URL)
        found = of(desk, action, DeliveryKind.ASKED, SLACK)
        assert found.state is DeliveryState.SENT
        assert found.reference == f"C0OFFERS:{stub.messages[0]['ts']}"
        assert len(stub.messages) == 1


def test_a_slack_that_is_down_leaves_the_question_open_elsewhere(desk: Desk) -> None:
    with slack() as stub:
        action = ask(desk)
        channels = slack_only(stub)
        stub.failing["*"] = "fatal_error"
        deliver(desk.app.engine, channels, URL)
        assert "fatal_error" in str(of(desk, action, DeliveryKind.ASKED, SLACK).error)
        stub.failing.clear()
        due_now(desk)
        deliver(desk.app.engine, channels, URL)
        assert len(stub.messages) == 1
        desk.vote(action)
        deliver(desk.app.engine, channels, URL)
        assert "Approved by lead@example.com" in str(stub.messages[0]["blocks"])


def test_a_rail_without_a_server_tells_people_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with slack() as stub:
        monkeypatch.setenv("HANDRAIL_SLACK_BOT_TOKEN", TOKEN)
        monkeypatch.setenv("HANDRAIL_SLACK_API_URL", stub.url)
        with opened(tmp_path, f"sqlite:///{tmp_path / 'handrail.db'}", VIA) as desk:
            ask(desk)
        assert len(stub.messages) == 1


def test_a_channel_that_is_not_set_up_says_which_setting_it_lacks(desk: Desk) -> None:
    action = ask(desk)
    deliver(desk.app.engine, Channels(ChannelSettings()), URL)
    assert "HANDRAIL_SLACK_BOT_TOKEN" in str(of(desk, action, DeliveryKind.ASKED, SLACK).error)
    assert "HANDRAIL_NOTIFY_ONCALL" in str(of(desk, action, DeliveryKind.ASKED, NOTIFY).error)


def slack_only(stub: SlackStub) -> Callable[[str], Channel]:
    """Channels of a workspace, and no other ones."""
    return Channels(ChannelSettings(URL, TOKEN, stub.url))


def refund(amount: int, reason: str) -> str:
    """Pay it back."""
    return "paid"
