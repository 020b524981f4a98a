"""A policy file into a typed policy: the design's own block, defaults, and included files."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.policy.load import digest, load
from handrail.policy.model import AtLimit, CheckKind, Does, Effect, Unit, Window
from handrail.policy.yaml import MOST_PROBLEMS
from handrail.words.errors import PolicyError
from handrail.words.level import Rung
from tests.unit.policy.reading import BASE, DESIGN, FIRST, design, problems, told, with_rule

HOUR = 3_600_000
DAY = 24 * HOUR


def test_the_designs_block_loads_whole() -> None:
    """Every section of DESIGN.md section 4 is in the typed policy."""
    policy = design()
    assert (policy.version, policy.currency, policy.timezone) == (1, "USD", "Europe/Warsaw")
    assert list(policy.agents) == ["support"]
    assert policy.agents["support"].told == ("All output must be valid JSON.",)
    assert [one.id for one in policy.rules] == [
        *("binding-price", "wrong-address", "big-offer", "big-refund", "sensitive", "unsure"),
    ]
    assert [one.id for one in policy.preapproved] == ["small-goodwill"]
    assert [one.kind for one in policy.checks] == [CheckKind.PHRASES, CheckKind.SCHEMA, CheckKind.JUDGE]
    assert [one.id for one in policy.budgets] == [
        *("testing-phase", "one-ticket", "refunds", "refunds-each", "mails"),
    ]
    assert list(policy.approvers) == ["support-leads", "sales-leads", "heads"]
    assert policy.alerts == {"to": ("heads",)}
    assert policy.redact == ("args.card_number", "args.password")
    assert [one.id for one in policy.never] == ["no-unseen-big-refund"]


def test_argument_allowlists_are_read() -> None:
    """A tool in `may` can have patterns and values for its arguments, one or several."""
    crm = design().agents["support"].may[-1]
    assert crm.tool == "crm_request"
    assert crm.arguments == {"path": ("/api/customers/*", "/api/orders/**"), "method": ("GET", "POST")}
    single = load(BASE.replace("issue_refund,", "{issue_refund: {dry: true, amount: 5, to: a}},"))
    assert single.agents["support"].may[1].arguments == {"dry": (True,), "amount": (5,), "to": ("a",)}


def test_tools_are_read_with_their_units() -> None:
    """Times are milliseconds, rungs and words are typed, and an amount keeps its place."""
    offer = design().tools["send_offer"]
    assert (offer.does, offer.category, offer.by_hand) == (Does.SEND, "offers", 360_000)
    assert (offer.starts, offer.at_most) == (Rung.SHADOW, Rung.BOUNDED)
    assert offer.undo == {"cancel_within": 600_000}
    assert offer.amount is not None
    assert (offer.amount.value, offer.amount.place.line) == ("args.deal_value", 24)
    assert offer.risk == {"worst_case": 5000, "per_week": 40, "training_examples": "good"}


@pytest.mark.parametrize(
    ("tool", "starts", "at_most"),
    [
        ("{}", Rung.SHADOW, Rung.SUGGEST),
        ("{does: read}", Rung.PREAPPROVED, Rung.PREAPPROVED),
        ("{does: read, starts: shadow}", Rung.SHADOW, Rung.PREAPPROVED),
        ("{does: read, at_most: suggest}", Rung.SUGGEST, Rung.SUGGEST),
        ("{does: read, at_most: autonomous}", Rung.PREAPPROVED, Rung.AUTONOMOUS),
        ("{does: send}", Rung.SHADOW, Rung.SUGGEST),
        ("{does: send, starts: bounded}", Rung.BOUNDED, Rung.BOUNDED),
        ("{does: send, at_most: bounded}", Rung.SHADOW, Rung.BOUNDED),
        ("{does: send, starts: suggest, at_most: bounded}", Rung.SUGGEST, Rung.BOUNDED),
    ],
)
def test_what_is_left_out_never_gives_more_than_what_is_said(tool: str, starts: Rung, at_most: Rung) -> None:
    """The rungs that a tool has when it names one, both or neither."""
    policy = load(f"handrail: 1\ntools:\n  x: {tool}\n")
    assert (policy.tools["x"].starts, policy.tools["x"].at_most) == (starts, at_most)


def test_an_undescribed_tool_is_taken_for_the_worst() -> None:
    """A tool that only `may` names runs, can't be undone, starts in shadow, and never runs alone."""
    tool = load("handrail: 1\nagents:\n  a: {may: [x]}\n").tools["x"]
    assert (tool.does, tool.undo, tool.starts, tool.at_most) == (Does.RUN, "none", Rung.SHADOW, Rung.SUGGEST)
    assert not tool.described


def test_rules_are_read_with_their_reasons() -> None:
    """A deny has the reason that people wrote; an ask names its group, and has a plain reason of its own."""
    rules = {one.id: one for one in design().rules}
    assert (rules["binding-price"].effect, rules["binding-price"].reason) == (
        Effect.DENY,
        "An offer this low could bind us.",
    )
    assert (rules["big-refund"].audience, rules["big-refund"].reason) == (
        "support-leads",
        "big-refund: amount > 100",
    )
    assert rules["unsure"].lifted_at is Rung.AUTONOMOUS
    own = with_rule('{id: r, tools: writes, when: "true", ask: {group: leads, because: "We always look."}}')
    assert load(own).rules[0].reason == "We always look."
    assert load(own).rules[0].audience == "leads"
    assert load(with_rule("{id: r, tools: writes, when: true, ask: anyone}")).rules[0].when.value == "true"


def test_checks_have_their_defaults() -> None:
    """A check that fails to run asks; one that asks without a group asks anyone."""
    words, terms, _ = design().checks
    assert (words.if_not_ok, words.on_error, words.audience) == (Effect.ASK, Effect.ASK, "anyone")
    assert words.phrases == ("limited time", "100% guarantee")
    assert (terms.if_not_ok, terms.audience) == (Effect.DENY, "")
    assert terms.schema is not None
    assert terms.schema["required"] == ["days"]
    text = f"{BASE}checks:\n  c: {{tools: writes, when: 'true', if_not_ok: {{ask: leads}}, on_error: deny}}\n"
    check = load(text).checks[0]
    assert (check.if_not_ok, check.audience, check.on_error) == (Effect.ASK, "leads", Effect.DENY)


def test_budgets_are_read_exactly() -> None:
    """Units, limits, windows, agents, `each` and alerts of the design; a rolling window in milliseconds."""
    first, _, _, each, mails = design().budgets
    assert (first.unit, first.limit, first.per, first.agents) == (
        Unit.COST,
        Decimal(50),
        Window.DAY,
        ("support",),
    )
    assert first.alert_at == (50, 75, 90)
    assert each.each is not None
    assert (each.each.value, each.per) == ("args.customer_id", Window.WEEK)
    assert (mails.unit, mails.limit, mails.at_limit) == (Unit.ACTIONS, Decimal(20), AtLimit.DENY)
    rolling = load(f"{BASE}budgets:\n  - {{id: b, amount: 0.10, tools: issue_refund, per: 24h}}\n").budgets[0]
    assert (rolling.per, rolling.rolling_ms, rolling.limit) == (Window.ROLLING, DAY, Decimal("0.10"))


def test_groups_have_their_defaults() -> None:
    """One answer is enough, a day is the time, and no answer rejects, unless the file says otherwise."""
    heads = design().approvers["support-leads"]
    assert (heads.need, heads.answer_within, heads.if_no_answer) == (1, 4 * HOUR, "heads")
    group = load(BASE).approvers["leads"]
    assert (group.need, group.answer_within, group.if_no_answer) == (1, DAY, "reject")


def test_ladder_and_data_are_kept_in_units() -> None:
    """Percentages in percent, times in milliseconds."""
    policy = design()
    assert policy.ladder["leave_shadow"] == {
        "accuracy": 90,
        "certainty": 95,
        "after": 14 * DAY,
        "to": Rung.BOUNDED,
    }
    assert policy.ladder["review"] == {"first": 14 * DAY, "then": 10, "at_least": (20, "week")}
    assert policy.keep == {
        "journal": 730 * DAY,
        "payloads": 90 * DAY,
        "prompts": 30 * DAY,
        "undo": 30 * DAY,
    }


def test_the_digest_covers_every_file_and_no_path() -> None:
    """Another text, another included file or another name gives another digest; another folder does not."""
    assert design().digest == load(DESIGN, "/elsewhere/handrail.yaml", design().files.__getitem__).digest
    assert digest("a", {"b": "c"}) != digest("a", {"b": "d"})
    assert digest("a", {"b": "c"}) != digest("a", {"bc": ""})
    assert digest("a", {}) != digest("b", {})
    assert set(design().files) == {"handrail.yaml", "schemas/terms.json"}


def test_an_included_file_that_is_not_there_is_a_problem() -> None:
    """Without the file, or a way to read files, the policy does not load; the place is where it names it."""
    assert [one.line for one in problems(DESIGN, resolve=False)] == [50]

    def gone(name: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", name)

    with pytest.raises(PolicyError, match=r"terms\.json' can't be read: No such file"):
        load(DESIGN, resolve=gone)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{", "1:2 this is no JSON"),
        ('{"type": "objct"}', "1:1 this is no JSON Schema"),
        ("[]", "1:1 this is no JSON Schema"),
        ('{"a": 1, "a": 2}', "1:1 this is no JSON that can be used: the key 'a'"),
        ('{"const": NaN}', "1:1 this is no JSON that can be used: NaN"),
        ('{"$ref": "https://example.com/x.json"}', "1:1 $ref leads out of the file"),
        ("[" * 100_000, "1:1 this is no JSON that can be used"),
    ],
)
def test_a_broken_schema_is_told_with_its_own_file(schema: str, expected: str) -> None:
    """Problems of an included file name that file; the good schema of the design is the twin that loads."""
    with pytest.raises(PolicyError) as caught:
        load(DESIGN, resolve=lambda _: schema)
    problem = caught.value.problems[0]
    assert problem.file == "schemas/terms.json"
    assert f"{problem.line}:{problem.column} {problem.message}".startswith(expected)


def test_problems_come_in_the_order_of_the_file_and_not_without_end() -> None:
    """They are sorted by line, and a thousand mistakes are told as the first hundred."""
    found = told(BASE + "".join(f"  x{n}: {{peple: []}}\n" for n in range(1000)))
    assert len(found) == MOST_PROBLEMS
    lines = [int(one.split(":")[0]) for one in found]
    assert lines == sorted(lines)


def test_the_message_says_what_where_expected_and_nearest() -> None:
    """One line that a person can act on."""
    with pytest.raises(PolicyError) as caught:
        load(BASE.replace("does: pay", "does: pya"))
    assert str(caught.value) == (
        "handrail.yaml:6:24: unknown word 'pya'; "
        "expected one of read, create, update, delete, send, pay, run; did you mean 'pay'?"
    )


def test_the_small_policy_of_these_tests_loads() -> None:
    """The twin of every mistake below: without the mistake there is no problem."""
    assert told(BASE) == []
    assert len(BASE.splitlines()) == FIRST - 1
