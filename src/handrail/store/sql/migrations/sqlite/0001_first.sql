-- The first version of the schema. Frozen: later versions add files beside this one.

create table meta (
    name text primary key,
    value text not null
) strict;

-- One row: the number grows with every change of halts, grants or the active policy.
create table restrictions (
    one integer primary key check (one = 1),
    generation integer not null
) strict;
insert into restrictions (one, generation) values (1, 1);

create table policies (
    digest text primary key,
    name text not null,
    files text not null,
    stored_at integer not null
) strict;

create table activations (
    id integer primary key,
    policy text not null references policies (digest),
    at integer not null,
    person text not null,
    reason text not null
) strict;

create table halts (
    id text primary key,
    agent text,
    tool text,
    reason text not null,
    person text not null,
    at integer not null,
    lifted_at integer,
    lifted_by text,
    lift_reason text
) strict;
create index halts_in_force on halts (at) where lifted_at is null;

create table grants (
    agent text not null,
    tool text not null,
    rung text not null check (rung in ('shadow', 'suggest', 'preapproved', 'bounded', 'autonomous')),
    since integer not null,
    person text not null,
    reason text not null,
    override integer not null,
    primary key (agent, tool)
) strict;

create table sessions (
    id text primary key,
    agent text not null,
    task text,
    opened_at integer not null
) strict;

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
    proposed_at integer not null,
    updated_at integer not null,
    confidence text,
    rationale text,
    repeat_key text,
    shadow integer not null,
    person text,
    approved text,
    attempt integer not null,
    token text,
    owner text,
    lease_until integer,
    started_at integer,
    finished_at integer,
    expires_at integer,
    error text,
    amount integer,
    cost integer,
    superseded_by text
) strict;
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
) strict;

create table approvals (
    id text primary key,
    action text not null references actions (id),
    digest text not null,
    asks text not null,
    state text not null,
    opened_at integer not null,
    closed_at integer,
    reason text
) strict;
create index approvals_action on approvals (action);
create index approvals_open on approvals (opened_at) where state = 'open';

create table seats (
    approval text not null references approvals (id),
    audience text not null,
    asked text not null,
    need integer not null,
    expires_at integer,
    if_no_answer text not null,
    primary key (approval, audience)
) strict;

create table votes (
    approval text not null references approvals (id),
    person text not null,
    choice text not null check (choice in ('approve', 'reject')),
    reason text,
    verified integer not null,
    at integer not null,
    primary key (approval, person)
) strict;

-- Windows are rows, never zeroed counters.
create table budget_windows (
    budget text not null,
    scope text not null,
    starts_at integer not null,
    used integer not null check (used >= 0),
    primary key (budget, scope, starts_at)
) strict;

create table holds (
    action text not null references actions (id),
    attempt integer not null,
    budget text not null,
    scope text not null,
    starts_at integer not null,
    quantity integer not null check (quantity >= 0),
    state text not null check (state in ('held', 'settled', 'released')),
    primary key (action, attempt, budget, scope, starts_at)
) strict, without rowid;

create table entries (
    seq integer primary key,
    kind text not null,
    at integer not null,
    action text,
    agent text,
    tool text,
    session text,
    task text,
    body text not null
) strict;
create index entries_action on entries (action) where action is not null;

create table leaves (
    idx integer primary key,
    seq integer not null unique,
    hash blob not null
) strict;

create table heads (
    size integer primary key,
    root blob not null,
    frontier blob not null,
    through_xid integer not null,
    through_seq integer not null,
    sealed_at integer not null
) strict;

-- Any change of what restricts, by Handrail or by hand in plain SQL, makes every cached copy stale.
create trigger halts_added after insert on halts begin update restrictions set generation = generation + 1; end;
create trigger halts_changed after update on halts begin update restrictions set generation = generation + 1; end;
create trigger halts_removed after delete on halts begin update restrictions set generation = generation + 1; end;
create trigger grants_added after insert on grants begin update restrictions set generation = generation + 1; end;
create trigger grants_changed after update on grants begin update restrictions set generation = generation + 1; end;
create trigger grants_removed after delete on grants begin update restrictions set generation = generation + 1; end;
create trigger activations_added after insert on activations begin
    update restrictions set generation = generation + 1;
end;
create trigger activations_changed after update on activations begin
    update restrictions set generation = generation + 1;
end;
create trigger activations_removed after delete on activations begin
    update restrictions set generation = generation + 1;
end;
