"""The commits of the engine by name."""

from __future__ import annotations

from enum import StrEnum


class Commit(StrEnum):
    """Every commit that the engine makes, by name: each is a point at which a process may be killed."""

    START = "start"
    ACTIVATE = "activate"
    PROPOSE = "propose"
    RECHECK = "recheck"
    SETTLE = "settle"
    BEAT = "beat"
    REAP = "reap"
    EXPIRE = "expire"
    GO_ON = "go_on"
    VOTE = "vote"
    HALT = "halt"
    LIFT = "lift"
    GRANT = "grant"
    BUDGET = "budget"
    CHUNK = "chunk"
    RESOLVE = "resolve"
    SEAL = "seal"
    CANCEL = "cancel"
    EDIT = "edit"
    STANDING = "standing"
    SESSION = "session"
    DELIVER = "deliver"
    TOOL = "tool"
    PERSON = "person"
    SIGN_IN = "sign_in"
    KEY = "key"
    MODEL_CLAIM = "model_claim"
    MODEL_SETTLE = "model_settle"
    MODEL_REFUSE = "model_refuse"
    ERASE = "erase"
    RESTORE = "restore"
