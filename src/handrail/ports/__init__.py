"""The edges of Handrail as Protocols: what the engine needs of a store, a clock, a source, a channel."""

from __future__ import annotations

from handrail.ports.budget_chunks import BudgetChunks
from handrail.ports.budgets import Budgets
from handrail.ports.commits import Commit
from handrail.ports.edges import Channel, Clock, FactSource, Message
from handrail.ports.models import ModelCalls, ModelGate, Prompts
from handrail.ports.overview import Overview
from handrail.ports.parts import Actions, Approvals, Journal, RestrictionsPart
from handrail.ports.people_parts import Deliveries, Keys, People, Sessions, Standings, Toolbox
from handrail.ports.store import AuditStreams, News, Store, Transaction
from handrail.ports.tables import Tables

__all__ = [
    "Actions",
    "Approvals",
    "AuditStreams",
    "BudgetChunks",
    "Budgets",
    "Channel",
    "Clock",
    "Commit",
    "Deliveries",
    "FactSource",
    "Journal",
    "Keys",
    "Message",
    "ModelCalls",
    "ModelGate",
    "News",
    "Overview",
    "People",
    "Prompts",
    "RestrictionsPart",
    "Sessions",
    "Standings",
    "Store",
    "Tables",
    "Toolbox",
    "Transaction",
]
