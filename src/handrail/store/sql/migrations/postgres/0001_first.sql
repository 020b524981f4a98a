-- The first version of the schema. Frozen: later versions add files beside this one.

create table meta (
    name text primary key,
    value text not null
);

-- One row: the number grows with every change of halts, grants or the active policy.
create table restrictions (
    one bigint primary key check (one = 1),
    generation bigint not null
);
insert into restrictions (one, generation) values (1, 1);

create table policies (
    digest text primary key,
    name text not null,
    files text not null,
    stored_at bigint not null
);

create table activations (
    id bigint generated always as identity primary key,
    policy text not null references policies (digest),
    at bigint not null,
    person text not null,
    reason text not null
);

create table halts (
    id text primary key,
    agent text,
    tool text,
    reason text not null,
    person text not null,
    at bigint not null,
    lifted_at bigint,
    lifted_by text,
    lift_reason text
);
create index halts_in_force on halts (at) where lifted_at is null;

create table grants (
    agent text not null,
    tool text not null,
    rung text not null check (rung in ('shadow', 'suggest', 'preapproved', 'bounded', 'autonomous')),
    since bigint not null,
    person text not null,
    reason text not null,
    override bigint not null,
    primary key (agent, tool)
);

create table sessions (
    id text primary key,
    agent text not null,
    task text,
    opened_at bigint not null
);

create table actions (
    id text primary key,
    agent text not null,
    tool text not null,
    session text not null,
    task text,
    state text not null,
    digest text not null,
    binding text not null,
    policy text not null,
    rung text not null,
    verdict text not null,
    proposed_at bigint not null,
    updated_at bigint not null,
    confidence text,
    rationale text,
    repeat_key text,
    shadow bigint not null,
    person text,
    approved text,
    attempt bigint not null,
    token text,
    owner text,
    lease_until bigint,
    started_at bigint,
    finished_at bigint,
    expires_at bigint,
    error text,
    amount bigint,
    cost bigint,
    superseded_by text
);
-- A key is free again when the action that held it never ran and no person refused it.
-- (Chains of `or` and `and` on purpose: SQLite builds a temporary table for each longer list after `in`.)
create unique index actions_key on actions (agent, tool, repeat_key, shadow)
    where repeat_key is not null
        and state <> 'denied' and state <> 'expired' and state <> 'cancelled' and state <> 'superseded';
create index actions_open on actions (session, digest)
    where state = 'held' or state = 'allowed' or state = 'approved' or state = 'waiting';
create index actions_busy on actions (state, lease_until)
    where state = 'held' or state = 'approved' or state = 'running' or state = 'unknown';

-- What executes and what a reviewer sees: restricted, and erasable without breaking the journal.
create table payloads (
    action text primary key references actions (id),
    args text,
    facts text,
    output text,
    salt text not null
);

create table approvals (
    id text primary key,
    action text not null references actions (id),
    digest text not null,
    asks text not null,
    state text not null,
    opened_at bigint not null,
    closed_at bigint,
    reason text
);
create index approvals_action on approvals (action);
create index approvals_open on approvals (opened_at) where state = 'open';

create table seats (
    approval text not null references approvals (id),
    audience text not null,
    asked text not null,
    need bigint not null,
    expires_at bigint,
    if_no_answer text not null,
    primary key (approval, audience)
);

create table votes (
    approval text not null references approvals (id),
    person text not null,
    choice text not null check (choice in ('approve', 'reject')),
    reason text,
    verified bigint not null,
    at bigint not null,
    primary key (approval, person)
);

-- Windows are rows, never zeroed counters.
create table budget_windows (
    budget text not null,
    scope text not null,
    starts_at bigint not null,
    used bigint not null check (used >= 0),
    primary key (budget, scope, starts_at)
);

create table holds (
    action text not null references actions (id),
    attempt bigint not null,
    budget text not null,
    scope text not null,
    starts_at bigint not null,
    quantity bigint not null check (quantity >= 0),
    state text not null check (state in ('held', 'settled', 'released')),
    primary key (action, attempt, budget, scope, starts_at)
);

create table entries (
    seq bigint generated always as identity primary key,
    kind text not null,
    at bigint not null,
    action text,
    agent text,
    tool text,
    session text,
    task text,
    body text not null,
    xid xid8 not null default pg_current_xact_id()
);
create index entries_order on entries (xid, seq);
create index entries_action on entries (action) where action is not null;

create table leaves (
    idx bigint primary key,
    seq bigint not null unique,
    hash bytea not null
);

create table heads (
    size bigint primary key,
    root bytea not null,
    frontier bytea not null,
    through_xid xid8 not null,
    through_seq bigint not null,
    sealed_at bigint not null
);

-- Milliseconds since the epoch by the database's own clock, at the moment of the call.
create function now_ms() returns bigint language sql volatile as
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint';

-- Any change of what restricts, by Handrail or by hand in plain SQL, first waits for the claims in flight
-- (they hold this lock shared) and makes every cached copy stale.
create function restrict() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(1213088844, 1);
    update handrail.restrictions set generation = generation + 1;
    return null;
end
$$;
create trigger halts_changed before insert or update or delete or truncate on halts
    for each statement execute function restrict();
create trigger grants_changed before insert or update or delete or truncate on grants
    for each statement execute function restrict();
create trigger activations_changed before insert or update or delete or truncate on activations
    for each statement execute function restrict();
