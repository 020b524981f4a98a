"""Each mistake that a policy file can have, with the exact line and column; its twin loads."""

from __future__ import annotations

import pytest

from tests.unit.policy.reading import BASE, problems, told, with_rule

TOP = "handrail: 1\n"
RULE = '{id: r, tools: issue_refund, when: "amount > 100", ask: leads}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("handrail: 2\n", "1:11 '2' stands here"),
        ("handrail: true\n", "1:11 'true' stands here"),
        ("currency: USD\n", "1:1 a policy has no 'handrail'"),
        ("[]\n", "1:1 a list stands here"),
        ("hello\n", "1:1 'hello' stands here"),
        (f"{TOP}on: push\n", "2:1 unknown word 'on' in a policy"),
        (f"{TOP}rule: []\n", "2:1 unknown word 'rule' in a policy"),
        (f"{TOP}rules:\n", "2:7 nothing stands here"),
        (f"{TOP}currency: usd\n", "2:11 'usd' is not a currency such as USD or EUR"),
        (f"{TOP}timezone: Mars/Base\n", "2:11 'Mars/Base' is no time zone"),
        (f"{TOP}timezone: ../../etc/passwd\n", "2:11 '../../etc/passwd' is no time zone"),
        (f"{TOP}agents: {{'a b': {{may: [x]}}}}\n", "2:10 'a b' is not an agent's name"),
        (f"{TOP}agents: {{a: {{}}}}\n", "2:13 an agent has no 'may'"),
        (f"{TOP}agents: {{a: {{may: x}}}}\n", "2:19 'x' stands here"),
        (f"{TOP}agents: {{a: {{may: [x, x]}}}}\n", "2:23 'x' stands here twice, first in line 2"),
        (f"{TOP}agents: {{a: {{may: ['x ']}}}}\n", "2:20 'x ' is not a tool's name"),
        (f"{TOP}agents: {{a: {{may: ['crm_*']}}}}\n", "2:20 'crm_*' is a pattern"),
        (f"{TOP}agents: {{a: {{may: ['іssue']}}}}\n", "2:20 'іssue' is not a tool's name"),
        (f"{TOP}agents: {{a: {{may: [5]}}}}\n", "2:20 '5' stands here"),
        (f"{TOP}agents: {{a: {{may: [{{x: {{p: []}}}}]}}}}\n", "2:28 no value of 'p' is allowed"),
        (f"{TOP}agents: {{a: {{may: [{{x: {{p: 0.5}}}}]}}}}\n", "2:28 '0.5' stands here"),
        (f"{TOP}agents: {{a: {{may: [{{x: {{p: ''}}}}]}}}}\n", "2:28 an empty text stands here"),
        (f"{TOP}agents: {{a: {{may: [{{x: 1, y: 2}}]}}}}\n", "2:20 2 tools in one entry"),
        (f"{TOP}agents: {{a: {{may: [x], told: []}}}}\n", "2:30 an empty list stands here"),
        (f"{TOP}tools: {{writes: {{}}}}\n", "2:9 'writes' selects tools in a rule"),
        (f"{TOP}tools: {{'does:read': {{}}}}\n", "2:9 'does:read' selects tools in a rule"),
        (f"{TOP}tools: {{x: {{does: pya}}}}\n", "2:19 unknown word 'pya'"),
        (f"{TOP}tools: {{x: {{dose: pay}}}}\n", "2:13 unknown word 'dose' in a tool"),
        (f"{TOP}tools: {{x: {{starts: full}}}}\n", "2:21 unknown word 'full'"),
        (
            f"{TOP}tools: {{x: {{at_most: shadow}}}}\n",
            "2:13 at_most: shadow would keep the tool on trial for ever",
        ),
        (f"{TOP}tools: {{x: {{by_hand: 6}}}}\n", "2:22 '6' is no duration"),
        (f"{TOP}tools: {{x: {{by_hand: 0 min}}}}\n", "2:22 '0 min' is too short or too long a time"),
        (f"{TOP}tools: {{x: {{by_hand: 2 moons}}}}\n", "2:22 '2 moons' is no duration"),
        (f"{TOP}tools: {{x: {{idempotent: yes}}}}\n", "2:25 'yes' stands here"),
        (f"{TOP}tools: {{x: {{undo: sqll}}}}\n", "2:19 unknown word 'sqll'"),
        (f"{TOP}tools: {{x: {{undo: {{}}}}}}\n", "2:19 undo has none of compensate, restore, cancel_within"),
        (f"{TOP}tools: {{x: {{undo: {{cancel_within: 5}}}}}}\n", "2:35 '5' is no duration"),
        (f"{TOP}tools: {{x: {{undo: {{compensate: y}}}}}}\n", "2:19 no tool is named 'y'"),
        (f"{TOP}tools: {{x: {{undo: {{compensate: x}}}}}}\n", "2:19 'x' can't make up for 'x'"),
        (
            f"{TOP}tools: {{x: {{does: read, undo: sql}}}}\n",
            "2:31 a tool that only reads has nothing to undo",
        ),
        (f"{TOP}tools: {{x: {{risk: {{worst_case: -1}}}}}}\n", "2:32 -1 is negative"),
        (f"{TOP}tools: {{x: {{amount: amount}}}}\n", "2:21 unknown name amount"),
        (f"{TOP}tools: {{x: {{amount: '\"a\"'}}}}\n", "2:22 the expression gives string"),
        (f"{TOP}facts: {{args: {{python: 'a:b'}}}}\n", "2:9 'args' means something else in expressions"),
        (f"{TOP}facts: {{if: {{python: 'a:b'}}}}\n", "2:9 'if' means something else in expressions"),
        (f"{TOP}facts: {{x: {{python: shop}}}}\n", "2:21 'shop' names no Python function"),
        (f"{TOP}facts: {{x: {{}}}}\n", "2:12 a fact has none of sql, python"),
        (f"{TOP}facts: {{x: {{with: {{}}}}}}\n", "2:12 a fact has none of sql, python"),
        (f"{TOP}facts: {{x: {{sql: 'select 1'}}}}\n", "2:12 a fact with 'sql' has no 'database'"),
        (f"{TOP}facts: {{x: {{python: 'a:b', database: d}}}}\n", "2:28 'database' without 'sql'"),
        (
            f"{TOP}facts: {{x: {{sql: 'select :a', database: d}}}}\n",
            "2:26 the query wants :a, which is not given",
        ),
        (
            f"{TOP}facts: {{x: {{sql: 'select 1', database: d, with: {{a: task}}}}}}\n",
            "2:53 the query has no :a",
        ),
        (
            f"{TOP}facts: {{x: {{python: 'a:b', with: {{a: confidence}}}}}}\n",
            "2:38 'confidence' is what the agent says: it can't look a fact up",
        ),
        (f"{TOP}facts: {{x: {{python: 'a:b', with: {{a: agnt}}}}}}\n", "2:38 unknown name agnt"),
        (f"{TOP}alerts: {{to: [heads]}}\n", "2:14 no group of approvers is named 'heads'"),
        (f"{TOP}ladder: {{jump: {{}}}}\n", "2:10 unknown word 'jump' in ladder"),
        (f"{TOP}ladder: {{fall: {{errors_surely_above: 5}}}}\n", "2:38 '5' is no percentage"),
        (f"{TOP}ladder: {{fall: {{errors_surely_above: 101%}}}}\n", "2:38 '101%' is no percentage"),
        (f"{TOP}ladder: {{review: {{first: 1 day, then: 1%, at_least: many}}}}\n", "2:53 'many' is no rate"),
        (f"{TOP}data: {{redact: [card]}}\n", "2:17 'card' names no field that can be redacted"),
        (f"{TOP}data: {{redact: [args..card]}}\n", "2:17 'args..card' names no field that can be redacted"),
        (f"{TOP}data: {{keep: {{logs: 1 day}}}}\n", "2:15 unknown word 'logs' in keep"),
    ],
)
def test_a_mistake_in_a_small_file_is_told_at_its_place(text: str, expected: str) -> None:
    """The first problem that names this place and says this."""
    found = told(text)
    assert found
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('{tools: writes, when: "true", deny: x}', "14:5 a rule has no 'id'"),
        ('{id: "a b", tools: writes, when: "true", deny: x}', "14:10 'a b' is not an id"),
        ("{id: r, tools: writes, deny: x}", "14:5 a rule has no 'when'"),
        ('{id: r, tools: writes, when: "true"}', "14:5 a rule has none of deny, ask"),
        (
            '{id: r, tools: writes, when: "true", deny: x, ask: leads}',
            "14:51 a rule has both 'deny' and 'ask'",
        ),
        ('{id: r, tools: writes, when: "true", deny: ""}', "14:48 an empty text stands here"),
        ('{id: r, tools: writes, when: "true", deny: true}', "14:48 'true' stands here"),
        ('{id: r, tools: writes, when: "true", ask: lead}', "14:47 no group of approvers is named 'lead'"),
        (
            '{id: r, tools: writes, when: "true", ask: leads, lifted_at: bounded}',
            "14:65 unknown word 'bounded'",
        ),
        (
            '{id: r, tools: writes, when: "true", deny: x, lifted_at: autonomous}',
            "14:51 a deny rule is never lifted",
        ),
        ('{id: r, tools: isue_refund, when: "true", deny: x}', "14:20 no tool is named 'isue_refund'"),
        ('{id: r, tools: Issue_refund, when: "true", deny: x}', "14:20 no tool is named 'Issue_refund'"),
        ('{id: r, tools: "issue_refund ", when: "true", deny: x}', "14:20 no tool is named 'issue_refund '"),
        ('{id: r, tools: issue_, when: "true", deny: x}', "14:20 no tool is named 'issue_'"),
        ('{id: r, tools: [send_offer, nope], when: "true", deny: x}', "14:33 no tool is named 'nope'"),
        (
            '{id: r, tools: "category:refund", when: "true", deny: x}',
            "14:20 'category:refund' matches no tool",
        ),
        ('{id: r, tools: "does:delete", when: "true", deny: x}', "14:20 'does:delete' matches no tool"),
        ('{id: r, tools: "touches:mail", when: "true", deny: x}', "14:20 'touches:mail' matches no tool"),
        ('{id: r, tools: [], when: "true", deny: x}', "14:20 an empty list selects no tool"),
        ('{id: r, tools: issue_refund, when: "amuont > 1", deny: x}', "14:41 unknown name amuont"),
        (
            "{id: r, tools: issue_refund, when: 'args.a == ''x'' && amuont > 1', deny: x}",
            "14:60 unknown name amuont",
        ),
        ('{id: r, tools: issue_refund, when: "amount >", deny: x}', "14:49 the expression ends too early"),
        ('{id: r, tools: issue_refund, when: "amount", deny: x}', "14:41 the expression gives decimal"),
        ('{id: r, tools: issue_refund, when: "", deny: x}', "14:40 '' stands here"),
        ("{id: r, tools: issue_refund, when: [a], deny: x}", "14:40 a list stands here"),
        ('{id: r, tools: issue_refund, when: "nobody.tier == 1", deny: x}', "14:41 unknown name nobody"),
        ('{id: r, tools: send_offer, when: "amount > 1", deny: x}', "14:39 send_offer has no amount"),
        (
            '{id: r, tools: issue_refund, when: "true", deny: x, wehn: y}',
            "14:57 unknown word 'wehn' in a rule",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_told_at_its_place(rule: str, expected: str) -> None:
    """Problems of rules name the column inside the expression, where there is one."""
    found = told(with_rule(rule))
    assert any(one.startswith(expected) for one in found), found


def test_the_rule_without_mistake_loads() -> None:
    """The twin of all rules above."""
    assert told(with_rule(RULE)) == []


@pytest.mark.parametrize(
    ("word", "near"),
    [("isue_refund", "issue_refund"), ("Issue_refund", "issue_refund"), ("wirtes", "writes"), ("zzz", None)],
)
def test_the_nearest_valid_word_is_shown(word: str, near: str | None) -> None:
    """A mistyped tool comes with the tool that was probably meant, and nonsense with none."""
    found = problems(with_rule(f'{{id: r, tools: {word}, when: "true", deny: x}}'))
    assert found[0].nearest == near


def test_equal_ids_are_refused_in_one_section_and_fine_in_two() -> None:
    """An id names one rule; a budget may have the same one."""
    twice = with_rule(RULE) + f"  - {RULE}\n"
    assert told(twice) == ["15:5 the id 'r' stands here twice, first in line 14"]
    assert told(with_rule(RULE) + "budgets:\n  - {id: r, actions: 1, per: day}\n") == []


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("{tools: writes, if_not_ok: ask}", "14:6 a check has none of"),
        ("{tools: writes, phrases: [x], regex: y, if_not_ok: ask, in: args.a}", "14:36 a check has both"),
        ("{tools: writes, phrases: [x], if_not_ok: ask}", "14:3 the check c looks at nothing"),
        (
            "{tools: writes, phrases: ['x', 'x'], in: args.a, if_not_ok: ask}",
            "14:37 'x' stands in this list twice",
        ),
        ("{tools: writes, phrases: [], in: args.a, if_not_ok: ask}", "14:31 an empty list stands here"),
        ("{tools: writes, regex: '(a', in: args.a, if_not_ok: ask}", "14:30 this is no regular expression"),
        (
            "{tools: writes, regex: '(?=a)', in: args.a, if_not_ok: ask}",
            "14:30 this is no regular expression",
        ),
        (
            "{tools: writes, when: 'true', in: args.a, if_not_ok: ask}",
            "14:36 a check with when looks in nothing",
        ),
        ("{tools: writes, when: 'args', if_not_ok: maybe}", "14:47 unknown word 'maybe'"),
        (
            "{tools: writes, when: 'true', if_not_ok: {ask: nobody}}",
            "14:47 no group of approvers is named 'nobody'",
        ),
        ("{tools: writes, when: 'true', if_not_ok: ask, on_error: pass}", "14:62 unknown word 'pass'"),
        (
            "{tools: writes, judge: 'ok?', in: args.a, if_not_ok: ask}",
            "14:6 a check with judge has no 'model'",
        ),
        ("{tools: writes, when: 'true', model: 'a:b', if_not_ok: ask}", "14:36 'model' without 'judge'"),
        ("{tools: writes, judge: 'ok?', model: x, in: args.a, if_not_ok: ask}", "14:43 'x' names no model"),
        (
            "{tools: writes, schema: ../x.json, in: args.a, if_not_ok: ask}",
            "14:30 '../x.json' is no file beside",
        ),
        ("{tools: writes, schema: /etc/x, in: args.a, if_not_ok: ask}", "14:30 '/etc/x' is no file beside"),
        ("{tools: writes, sql: oracle, in: args.a, if_not_ok: ask}", "14:27 unknown word 'oracle'"),
        (
            "{tools: writes, when: 'confidence > 0.9', if_not_ok: ask}",
            "14:29 'confidence' is what the agent says",
        ),
    ],
)
def test_a_mistake_in_a_check_is_told_at_its_place(check: str, expected: str) -> None:
    """Each kind of check takes what it can use, and no more."""
    found = told(f"{BASE}checks:\n  c: {check}\n")
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    "check",
    [
        "{tools: writes, phrases: [x, y], in: args.a, if_not_ok: ask}",
        "{tools: writes, regex: 'a+', in: args.a, if_not_ok: deny}",
        "{tools: writes, when: 'args.a == 1', if_not_ok: {deny: 'It must be 1.'}}",
        "{tools: writes, judge: 'ok?', model: 'a:b', in: args.a, if_not_ok: {ask: leads}}",
        "{tools: writes, sql: postgres, in: args.a, if_not_ok: ask, on_error: deny}",
        "{tools: writes, schema: schemas/terms.json, in: args.a, if_not_ok: ask}",
    ],
)
def test_every_kind_of_check_loads(check: str) -> None:
    """The twins of the checks above."""
    assert told(f"{BASE}checks:\n  c: {check}\n") == []


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("{id: b, per: day}", "14:5 a budget has none of actions, amount, cost, tokens"),
        ("{id: b, actions: 1, cost: 2, per: day}", "14:25 a budget has both 'actions' and 'cost'"),
        ("{id: b, actions: 1}", "14:5 a budget has no 'per'"),
        ("{id: b, actions: 0, per: day}", "14:22 a limit of 0 would refuse everything"),
        ("{id: b, actions: -1, per: day}", "14:22 '-1' stands here"),
        ("{id: b, actions: 1.5, per: day}", "14:22 '1.5' stands here"),
        ("{id: b, actions: ten, per: day}", "14:22 'ten' stands here"),
        ("{id: b, actions: 9223372036854775808, per: day}", "14:22 '9223372036854775808' stands here"),
        ("{id: b, amount: -0.5, per: day, tools: issue_refund}", "14:21 -0.5 is negative"),
        ("{id: b, cost: 0.0000000001, per: day}", "14:19 1E-10 is finer than a nano-unit"),
        ("{id: b, cost: 1e12, per: day}", "14:19 1E+12 is larger than can be kept"),
        ("{id: b, actions: 1, per: fortnight}", "14:30 unknown word 'fortnight'"),
        ("{id: b, actions: 1, per: 5 fortnights}", "14:30 '5 fortnights' is no duration"),
        ("{id: b, actions: 1, per: day, agents: suport}", "14:43 no agent is named 'suport'"),
        ("{id: b, actions: 1, per: day, agents: []}", "14:43 an empty list names no agent"),
        ("{id: b, actions: 1, per: day, tools: nope}", "14:42 no tool is named 'nope'"),
        ("{id: b, actions: 1, per: day, each: args..x}", "14:46 "),
        ("{id: b, actions: 1, per: day, each: task}", "14:41 'task' is what the agent says"),
        ("{id: b, actions: 1, per: day, alert_at: [90]}", "14:46 '90' is no percentage"),
        ("{id: b, actions: 1, per: day, alert_at: [90%, 50%]}", "14:51 50% stands here"),
        ("{id: b, actions: 1, per: day, at_limit: warn}", "14:45 unknown word 'warn'"),
        ("{id: b, amount: 5, per: day, tools: send_offer}", "14:13 'send_offer' has no amount"),
        ("{id: b, amount: 5, per: day, tools: 'does:send'}", "14:13 'send_offer' has no amount"),
        ("{id: b, amount: 5, per: day, tools: 'does:read'}", "14:13 none of these tools has an amount"),
        ("{id: b, amount: 5, per: day, tools: find_customer}", "14:13 'find_customer' has no amount"),
        ("{id: b, amount: 5, per: day}", "14:13 'send_offer' has no amount"),
        ("{id: b, amount: 5, per: day, tools: writes}", "14:13 'send_offer' has no amount"),
        ("{id: b, cost: 5, per: day}", "14:13 nothing here uses money that it counts"),
        ("{id: b, tokens: 5, per: day}", "14:13 nothing here uses tokens that it counts"),
        ("{id: b, cost: 5, per: day, models: 'openai:*'}", "14:40 no model is named 'openai:*'"),
        ("{id: b, cost: 5, per: day, models: gpt-5}", "14:40 'gpt-5' is not a model"),
        ("{id: b, cost: 5, per: day, models: []}", "14:40 an empty list names no model"),
        ("{id: b, actions: 5, per: day, models: 'o:*'}", "14:35 calls of models are not counted in actions"),
        ("{id: b, actions: 1, per: day, at_limit: {ask: nobody}}", "14:45 no group of approvers is named"),
        ("{id: b, actions: 1, per: day, at_limit: {deny: leads}}", "14:46 unknown word 'deny' in at_limit"),
        ("{id: b, actions: 1, per: day, at_limit: {}}", "14:45 at_limit has none of ask, pause"),
        (
            "{id: b, actions: 1, per: day, at_limit: {ask: leads, pause: leads}}",
            "14:58 at_limit has both 'ask' and 'pause'",
        ),
    ],
)
def test_a_mistake_in_a_budget_is_told_at_its_place(budget: str, expected: str) -> None:
    """A budget that could not be counted, or that would refuse or allow everything, does not load."""
    found = told(f"{BASE}budgets:\n  - {budget}\n")
    assert any(one.startswith(expected) for one in found), found


def test_what_is_no_percentage_is_told_once_and_a_window_may_be_a_time() -> None:
    """One mistake is one problem; the words of ``per`` are not all that may stand there."""
    (only,) = problems(f"{BASE}budgets:\n  - {{id: b, actions: 1, per: day, alert_at: [20%, 101%, 90%]}}\n")
    assert only.message == "'101%' is no percentage"
    (only,) = problems(f"{BASE}budgets:\n  - {{id: b, actions: 1, per: fortnight}}\n")
    assert str(only.expected).endswith("total, or a time such as 24h")


METERED = (
    BASE.replace("send_offer: {", "send_offer: {cost: 0.02, ")
    + 'models: {"openai:gpt-5*": {agents: support}, "local:*": {}}\n'
)
"""The small policy with a tool that costs something and two kinds of models."""


@pytest.mark.parametrize(
    "budget",
    [
        "{id: b, actions: 1, per: task}",
        "{id: b, amount: 5, per: day, tools: issue_refund}",
        "{id: b, amount: 5, per: day, tools: 'touches:payment'}",
        "{id: b, amount: 0.000000001, per: month, tools: [issue_refund, 'does:read']}",
        "{id: b, cost: 0.5, per: total, agents: [support], at_limit: ask}",
        "{id: b, cost: 0.5, per: day, tools: send_offer, each: args.customer_id, at_limit: {pause: leads}}",
        "{id: b, cost: 1, per: week, models: 'openai:*'}",
        "{id: b, cost: 1, per: week, models: ['*:gpt-5-mini', 'local:llama*'], at_limit: {ask: anyone}}",
        "{id: b, tokens: 100000, per: 90 min, alert_at: [50%, 100%]}",
        "{id: b, tokens: 100000, per: 24h, each: agent}",
    ],
)
def test_every_kind_of_budget_loads(budget: str) -> None:
    """The twins of the budgets above."""
    assert told(f"{METERED}budgets:\n  - {budget}\n") == []


def test_a_limit_that_asks_needs_people_who_could_be_asked() -> None:
    """Without approvers nobody would ever answer; one that refuses asks nobody."""
    alone = BASE.split("approvers:")[0] + "budgets:\n  - {id: b, actions: 1, per: day, at_limit: %s}\n"
    for effect in ("ask", "pause"):
        (only,) = problems(alone % effect)
        assert only.message == f"at_limit: {effect}, and nobody could be asked: the policy has no approvers"
        assert only.expected == "`approvers:` with people, or at_limit: deny"
    assert told(alone % "deny") == []


@pytest.mark.parametrize(
    ("more", "loads"),
    [
        ('models: {"openai:*": {}}\n', True),
        ('models: {"openai:*": {agents: support}}\n', True),
        ('models: {"openai:*": {agents: clerk}}\n', False),
        ("", False),
    ],
)
def test_a_budget_is_filled_only_by_models_that_its_agents_may_call(more: str, *, loads: bool) -> None:
    """What another agent may call feeds no budget of this one."""
    head = BASE.replace("agents:\n", "agents:\n  clerk: {may: [find_customer]}\n")
    assert (told(f"{head}{more}budgets: [{{id: b, cost: 1, per: day, agents: support}}]\n") == []) is loads


def test_a_cost_budget_may_wait_for_a_judge_and_not_for_one_over_other_tools() -> None:
    """A judge is a model that looks at an action: it will spend from the budgets of that tool."""
    judge = 'checks: {c: {tools: send_offer, in: args.b, judge: "Is it ok?", model: "o:m", if_not_ok: ask}}\n'
    for tools, loads in (("send_offer", True), ("issue_refund", False)):
        found = told(f"{BASE}{judge}budgets: [{{id: b, cost: 1, per: day, tools: {tools}}}]\n")
        assert (found == []) is loads


def test_what_a_model_call_is_counted_for_can_only_be_its_agent() -> None:
    """It has no arguments; a budget for tools alone may count by those."""
    budget = "budgets: [{id: b, cost: 1, per: day, each: args.customer_id%s}]\n"
    (only,) = problems(METERED + budget % "")
    assert (only.line, only.column) == (14, 44)
    assert only.message == "a call of a model has no 'args' that it could be counted for"
    assert told(METERED + budget % ", tools: send_offer") == []


@pytest.mark.parametrize("word", ["amount", "cost"])
def test_what_the_agent_says_of_itself_can_not_say_how_much_money_it_is(word: str) -> None:
    """An agent that is sure of itself would pay less."""
    tool = f"{TOP}agents: {{a: {{may: [x]}}}}\ntools: {{x: {{{word}: %s}}}}\n"
    assert told(tool % "args.n * 0.5") == []
    expected = "3:21" if word == "amount" else "3:19"
    assert told(tool % "confidence") == [
        f"{expected} 'confidence' is what the agent says: it can't say how much money it is"
    ]


def test_a_starting_rung_above_the_ceiling_is_refused() -> None:
    """`starts` may equal `at_most`, and not pass it."""
    text = f"{TOP}tools: {{x: {{starts: autonomous, at_most: bounded}}}}\n"
    assert told(text) == ["2:13 starts: autonomous is above at_most: bounded"]
    assert told(text.replace("autonomous", "bounded")) == []


def test_parameters_in_quotes_comments_and_casts_are_none() -> None:
    """Only :name outside of quotes and comments must be given; a :: cast is no parameter."""
    sql = "select a::text, ':b' from t where c = :id -- :d"
    text = f'{TOP}facts: {{x: {{sql: "{sql}", database: d, with: {{id: args.id}}}}}}\n'
    assert told(text) == []
    assert told(text.replace("::text", " :text")) == ["2:28 the query wants :text, which is not given"]
