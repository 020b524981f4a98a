"""The typed policy: what a policy file says, as frozen values. It knows nothing of YAML and nothing of time.

Expressions are kept as text with their place; the compiled policy is made of them in ``compile``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from handrail.words.level import Rung
from handrail.words.model_price import ModelPrice


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and a line and column that count from 1."""

    file: str
    line: int
    column: int


Mark = tuple[int, int, int]
"""An offset in a text's value, and the line and column where the file has it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is worked on later (an expression, a pattern, SQL), with its place for error messages.

    ``marks`` say, in order, where the file goes on elsewhere than at the next column: a new line, an escape.
    """

    value: str
    place: Place
    marks: tuple[Mark, ...] = ()

    def at(self, offset: int) -> Place:
        """The place in the file of the character at ``offset`` of the value."""
        before = [mark for mark in self.marks if mark[0] <= offset]
        if not before:
            return Place(self.place.file, self.place.line, self.place.column + offset)
        start, line, column = before[-1]
        return Place(self.place.file, line, column + offset - start)


class Does(StrEnum):
    """What a tool does, from least to most worrying; ``run`` is what an undescribed tool is taken for."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SEND = "send"
    PAY = "pay"
    RUN = "run"


class Effect(StrEnum):
    """What a matching rule does."""

    DENY = "deny"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Permission:
    """One tool an agent may ask for; ``arguments`` maps an argument to the patterns or values it may have."""

    tool: str
    arguments: Mapping[str, tuple[str | int | bool, ...]]
    place: Place


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """One agent: what it may ask for, and extra lines for its system prompt (advice, never a defence)."""

    name: str
    may: tuple[Permission, ...]
    told: tuple[str, ...]
    place: Place
    told_when: Mapping[str, str] = field(default_factory=dict)
    """What it is told when an action ended so (``rejected``, ``expired`` …), instead of the usual advice."""


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """One tool as people describe it. ``by_hand`` is a person's time for one, in milliseconds."""

    name: str
    does: Does
    starts: Rung
    at_most: Rung
    place: Place
    category: str | None = None
    touches: tuple[str, ...] = ()
    amount: Text | None = None
    cost: Text | None = None
    """What running it once costs, in the policy's currency."""
    undo: Mapping[str, object] | str = "none"
    by_hand: int | None = None
    risk: Mapping[str, object] | None = None
    idempotent: bool = False
    described: bool = True
    """False for a tool that only an agent's ``may`` names: it has the defaults of an undescribed tool."""


@dataclass(frozen=True, slots=True)
class FactPolicy:
    """A trusted value and where it comes from. ``given`` maps a parameter to the expression that fills it."""

    name: str
    given: Mapping[str, Text]
    place: Place
    sql: Text | None = None
    database: str | None = None
    python: str | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """Which tools a rule is for: names, ``writes``, ``category:…``, ``does:…``, ``touches:…`` or ``*``."""

    terms: tuple[str, ...]
    place: Place
    places: tuple[Place, ...] = ()
    """Where each term stands."""


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """One condition with one effect. ``audience`` is who is asked; ``lifted_at`` the rung that lifts it."""

    id: str
    tools: Selector
    when: Text
    effect: Effect
    reason: str
    audience: str
    place: Place
    lifted_at: Rung | None = None


@dataclass(frozen=True, slots=True)
class PreapprovedPolicy:
    """A pattern that lets an action run alone at level 1."""

    id: str
    tools: Selector
    when: Text
    place: Place


class CheckKind(StrEnum):
    """How a check looks at an action."""

    PHRASES = "phrases"
    REGEX = "regex"
    SCHEMA = "schema"
    WHEN = "when"
    SQL = "sql"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """One verification of an action's content. ``looks_in`` is the expression whose value is looked at.

    ``phrases`` and ``regex`` name what must NOT be found; ``schema`` (already parsed) and ``when`` what must
    hold.
    """

    id: str
    tools: Selector
    kind: CheckKind
    if_not_ok: Effect
    on_error: Effect
    audience: str
    reason: str
    place: Place
    looks_in: Text | None = None
    phrases: tuple[str, ...] = ()
    regex: Text | None = None
    schema: Mapping[str, object] | None = None
    when: Text | None = None
    judge: str | None = None
    model: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)


class Unit(StrEnum):
    """What a budget counts."""

    ACTIONS = "actions"
    AMOUNT = "amount"
    COST = "cost"
    TOKENS = "tokens"


class Window(StrEnum):
    """How long a budget's limit holds, in the policy's time zone for calendar windows."""

    TASK = "task"
    SESSION = "session"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"
    ROLLING = "rolling"


class AtLimit(StrEnum):
    """What a budget does with what it has no room for."""

    DENY = "deny"
    ASK = "ask"
    """People may let exactly this action exceed it."""
    PAUSE = "pause"
    """As ask; and without an answer the action goes on by itself once there is room again."""


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """One limit: how much of what, over which actions, per which window, for each value of what."""

    id: str
    unit: Unit
    limit: Decimal
    per: Window
    place: Place
    tools: Selector | None = None
    agents: tuple[str, ...] = ()
    each: Text | None = None
    rolling_ms: int | None = None
    alert_at: tuple[int, ...] = ()
    at_limit: AtLimit = AtLimit.DENY
    audience: str = ""
    """Who is asked; empty for anyone."""
    models: tuple[str, ...] = ()
    """Patterns of the models whose calls count; with neither these nor ``tools``, all do."""

    @property
    def shared(self) -> bool:
        """Whether all that it covers spends from one window; else each task, session or value has its own."""
        return self.each is None and self.per not in {Window.TASK, Window.SESSION}


@dataclass(frozen=True, slots=True)
class ModelPolicy:
    """Models that agents may call, as a pattern of ``upstream:model``; all agents when none is named.

    ``price`` goes before what a price list says.
    """

    pattern: str
    agents: tuple[str, ...]
    price: ModelPrice | None
    place: Place


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """What holds a session because it repeats; None for a limit that is off. ``within`` is in milliseconds.

    ``same_call`` and ``same_error`` count within that time; ``depth`` is how deeply sessions may be nested.
    """

    same_call: int | None = 10
    same_error: int | None = 5
    calls_per_minute: int | None = 300
    depth: int | None = 5
    within: int = 600_000


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """People who may answer: how many must, within how long (ms), and who is asked if nobody does.

    ``if_no_answer`` is another group's name, or ``reject``.
    """

    name: str
    people: tuple[str, ...]
    need: int
    answer_within: int
    if_no_answer: str
    place: Place
    hours: str | None = None
    """When the clock of ``answer_within`` runs, in the policy's time zone; None for always."""
    via: tuple[str, ...] = ()
    """The channels through which the group is asked."""
    deputies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who answers in a member's place while that member is away; a deputy counts as the member, once."""
    edits_need_another: bool = False
    """Whether what a person edited must be approved by another one."""


@dataclass(frozen=True, slots=True)
class NeverPolicy:
    """An assertion to be proven: no action of these tools runs alone when this holds."""

    id: str
    tools: Selector
    runs_alone_when: Text
    place: Place


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy file. ``digest`` covers its text and every included file."""

    digest: str
    version: int
    currency: str
    timezone: str
    agents: Mapping[str, AgentPolicy]
    tools: Mapping[str, ToolPolicy]
    facts: Mapping[str, FactPolicy]
    rules: tuple[RulePolicy, ...]
    preapproved: tuple[PreapprovedPolicy, ...]
    checks: tuple[CheckPolicy, ...]
    budgets: tuple[BudgetPolicy, ...]
    approvers: Mapping[str, GroupPolicy]
    redact: tuple[str, ...]
    never: tuple[NeverPolicy, ...]
    models: tuple[ModelPolicy, ...] = ()
    """Which models may be called, the first match decides; without any, none."""
    sessions_required: bool = False
    """Whether no model is called outside a session."""
    dollar: Decimal | None = None
    """What one US dollar costs in the policy's currency, for price lists in dollars; None for not known."""
    loops: LoopPolicy = field(default_factory=LoopPolicy)
    alerts: Mapping[str, object] = field(default_factory=dict)
    ladder: Mapping[str, object] = field(default_factory=dict)
    keep: Mapping[str, int] = field(default_factory=dict)
    """How long each kind of record is kept, in milliseconds; what is not named is kept for ever."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each section and feature stands, for messages about what is not alive yet."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Every file that was read, by the name the policy gives it; the policy's own text under its own name."""
