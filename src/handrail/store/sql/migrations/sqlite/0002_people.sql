-- readable from: 2
-- People, keys, sessions with an end, standing approvals, deliveries; edits and answers as votes; views.

alter table sessions add column opened_by text;
alter table sessions add column behalf text;
alter table sessions add column expires_at integer;
alter table sessions add column questions integer not null default 0;
alter table sessions add column paused_at integer;
alter table sessions add column ended_at integer;
alter table sessions add column lineage text;
alter table sessions add column held_at integer;
alter table sessions add column held_reason text;
alter table sessions add column released_at integer;
alter table sessions add column error text;
alter table sessions add column errors integer not null default 0;
alter table sessions add column errors_since integer;
alter table actions add column supersedes text;
alter table actions add column edited_by text;
alter table actions add column standing text;
create index actions_ready on actions (tool, id) where state = 'approved' or state = 'allowed';
create index actions_held on actions (state, agent, tool) where state = 'held';
drop index approvals_open;
create index approvals_open on approvals (state, opened_at, id) where state = 'open';
create index actions_session on actions (session, id, digest);
create index actions_answered on actions (agent, tool, id)
    where approved is not null or state = 'rejected' or state = 'superseded' or state = 'cancelled';
create index entries_restored on entries (seq) where kind = 'restored';
create table votes_2 (
    approval text not null references approvals (id),
    person text not null,
    choice text not null check (choice in ('approve', 'reject', 'edit', 'answer')),
    reason text,
    verified integer not null,
    at integer not null,
    primary key (approval, person)
) strict;
insert into votes_2 select approval, person, choice, reason, verified, at from votes;
drop table votes;
alter table votes_2 rename to votes;

-- People with accounts. What only they may see stands hashed, but for the secret of the second factor.
create table people (
    id text primary key,
    name text not null,
    role text not null check (role in ('viewer', 'reviewer', 'admin')),
    made_at integer not null,
    active integer not null,
    password text,
    totp text,
    totp_step integer not null,
    oidc text unique,
    slack text unique,
    away_until integer
) strict;

create table links (
    digest text primary key,
    purpose text not null check (purpose in ('setup', 'invite', 'reset', 'slack')),
    person text,
    made_at integer not null,
    expires_at integer not null,
    made_by text not null,
    used_at integer
) strict;

create table sign_ins (
    id text primary key,
    digest text not null unique,
    person text not null references people (id),
    opened_at integer not null,
    seen_at integer not null,
    expires_at integer not null,
    second_factor integer not null,
    address text,
    browser text
) strict;
create index sign_ins_person on sign_ins (person);

-- Attempts to sign in that failed, by account and by address.
create table tries (
    id integer primary key,
    subject text not null,
    at integer not null
) strict;
create index tries_subject on tries (subject, at);

-- Who has which question open just now; a row means nothing once its time is over.
create table lookers (
    approval text not null,
    person text not null,
    until integer not null,
    primary key (approval, person)
) strict;

create table keys (
    id text primary key,
    kind text not null check (kind in ('agent', 'service')),
    name text not null,
    agents text not null,
    digest text not null,
    made_at integer not null,
    made_by text not null,
    opens_sessions integer not null,
    expires_at integer,
    used_at integer,
    revoked_at integer,
    replaces text
) strict;

create table standings (
    id text primary key,
    agent text not null,
    tool text not null,
    asks text not null,
    condition text,
    actions_left integer not null check (actions_left >= 0),
    amount_left integer check (amount_left >= 0),
    expires_at integer not null,
    person text not null,
    verified integer not null,
    reason text not null,
    made_at integer not null,
    revoked_at integer,
    revoked_by text
) strict;
create index standings_in_force on standings (agent, tool) where revoked_at is null;

create table deliveries (
    id text primary key,
    kind text not null check (kind in ('asked', 'answered', 'outcome', 'halted', 'lifted', 'session_held', 'lost', 'budget', 'test')),
    subject text not null,
    channel text not null,
    state text not null check (state in ('due', 'sending', 'sent', 'gave_up')),
    due_at integer not null,
    tries integer not null,
    lease_until integer,
    reference text,
    error text,
    sent_at integer,
    unique (subject, kind, channel)
) strict;
create index deliveries_open on deliveries (coalesce(lease_until, due_at))
    where state = 'due' or state = 'sending';

-- Versions of the schemas of tools that run elsewhere; at most one of each tool is accepted.
create table tool_schemas (
    tool text not null,
    binding text not null,
    schema text not null,
    registered_at integer not null,
    registered_by text not null,
    accepted_at integer,
    accepted_by text,
    primary key (tool, binding)
) strict;
create unique index tool_schemas_accepted on tool_schemas (tool) where accepted_at is not null;

-- Budgets in every unit: holds of actions and of calls of models, raises, freezes, alerts.
alter table budget_windows rename to budget_windows_before;
create table budget_windows (
    budget text not null,
    scope text not null,
    starts_at integer not null,
    used integer not null check (used >= 0),
    unit text not null default 'actions',
    ceiling integer not null default 0,
    alerted integer not null default 0,
    primary key (budget, scope, starts_at)
) strict;
insert into budget_windows (budget, scope, starts_at, used)
select budget, scope, starts_at, used from budget_windows_before;
drop table budget_windows_before;
create index budget_windows_start on budget_windows (budget, starts_at);
alter table holds rename to holds_before;
create table holds (
    holder text not null,
    attempt integer not null,
    budget text not null,
    scope text not null,
    starts_at integer not null,
    quantity integer not null check (quantity >= 0),
    state text not null check (state in ('held', 'settled', 'released', 'presumed')),
    unit text not null,
    at integer not null,
    spent integer check (spent >= 0),
    chunk text,
    primary key (holder, attempt, budget, scope, starts_at)
) strict, without rowid;
insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at, spent)
select
    h.action, h.attempt, h.budget, h.scope, h.starts_at, h.quantity, h.state, 'actions',
    coalesce(a.started_at, h.starts_at),
    case h.state when 'settled' then h.quantity when 'released' then 0 end
from holds_before h left join actions a on a.id = h.action;
drop table holds_before;
create index holds_at on holds (at);
create index holds_presumed on holds (at) where state = 'presumed';
create index holds_chunk on holds (chunk) where chunk is not null;

-- What one process took of a window to charge from it without the window's row, as long as it stands here: the
-- window's `used` holds all of it, `quantity` less what its holds came to is nobody's yet.
create table budget_chunks (
    id text primary key,
    owner text not null,
    budget text not null,
    scope text not null,
    starts_at integer not null,
    quantity integer not null check (quantity > 0),
    until integer not null
) strict;
create index budget_chunks_window on budget_chunks (budget, scope, starts_at);
create index budget_chunks_until on budget_chunks (until);

-- More room by a person's word: for one window (a top-up), or until a time; without a scope for every one.
create table budget_raises (
    id text primary key,
    budget text not null,
    scope text,
    starts_at integer,
    until integer,
    quantity integer not null check (quantity > 0),
    person text not null,
    reason text not null,
    made_at integer not null,
    ended_at integer,
    ended_by text,
    end_reason text,
    check ((starts_at is null) <> (until is null))
) strict;
create index budget_raises_in_force on budget_raises (budget) where ended_at is null;

-- Budgets from which nothing more is spent.
create table budget_freezes (
    id text primary key,
    budget text not null,
    reason text not null,
    person text not null,
    at integer not null,
    thawed_at integer,
    thawed_by text,
    thaw_reason text
) strict;
create unique index budget_freezes_in_force on budget_freezes (budget) where thawed_at is null;

-- What people were told of once in a window: that a scope has reached a percentage of its limit.
create table budget_alerts (
    id text primary key,
    budget text not null,
    scope text not null,
    starts_at integer not null,
    percent integer not null,
    at integer not null,
    used integer not null,
    ceiling integer not null,
    unique (budget, scope, starts_at, percent)
) strict;

-- Calls of models: what each could cost at most, and what it did.
create table model_calls (
    id text primary key,
    agent text not null,
    session text not null,
    task text,
    upstream text not null,
    model text not null,
    route text not null,
    stream integer not null,
    state text not null check (state in ('running', 'done', 'failed', 'unknown')),
    policy text not null,
    asked_at integer not null,
    bound_cost integer not null check (bound_cost >= 0),
    bound_tokens integer not null check (bound_tokens >= 0),
    output integer not null,
    via text,
    attempt integer not null,
    owner text,
    token text,
    lease_until integer,
    first_byte_at integer,
    ended_at integer,
    cost integer check (cost >= 0),
    usage text,
    presumed integer not null,
    status integer,
    error text
) strict;
create index model_calls_session on model_calls (session, id);
create index model_calls_agent on model_calls (agent, id);
create index model_calls_running on model_calls (lease_until) where state = 'running';

-- What was asked of a model and what it answered: redacted, compressed, and erasable before the call's row.
create table prompts (
    call text primary key references model_calls (id),
    request blob not null,
    response blob not null,
    cut integer not null
) strict;

create trigger keys_changed after update of
    kind, agents, digest, opens_sessions, expires_at, revoked_at on keys
begin
    update restrictions set generation = generation + 1;
end;
create trigger keys_removed after delete on keys begin update restrictions set generation = generation + 1; end;
create trigger people_changed after update of role, active, away_until on people begin
    update restrictions set generation = generation + 1;
end;
create trigger people_removed after delete on people begin update restrictions set generation = generation + 1; end;
create trigger budget_freezes_added after insert on budget_freezes begin
    update restrictions set generation = generation + 1;
end;
create trigger budget_freezes_changed after update on budget_freezes begin
    update restrictions set generation = generation + 1;
end;
create trigger budget_freezes_removed after delete on budget_freezes begin
    update restrictions set generation = generation + 1;
end;
create trigger budget_raises_changed after update on budget_raises begin
    update restrictions set generation = generation + 1;
end;
create trigger budget_raises_removed after delete on budget_raises begin
    update restrictions set generation = generation + 1;
end;
create trigger tool_schemas_added after insert on tool_schemas begin
    update restrictions set generation = generation + 1;
end;
create trigger tool_schemas_changed after update on tool_schemas begin
    update restrictions set generation = generation + 1;
end;
create trigger tool_schemas_removed after delete on tool_schemas begin
    update restrictions set generation = generation + 1;
end;

-- For people with a database tool: readable times and money, and nothing that is secret.
create view view_actions as
select
    a.id, a.agent, a.tool, a.session, a.task, a.state, a.rung, a.shadow <> 0 as shadow, a.person,
    a.amount / 1000000000.0 as amount, a.cost / 1000000000.0 as cost, a.attempt,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.proposed_at / 1000.0, 'unixepoch') as proposed_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.started_at / 1000.0, 'unixepoch') as started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.finished_at / 1000.0, 'unixepoch') as finished_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.expires_at / 1000.0, 'unixepoch') as expires_at,
    a.supersedes, a.superseded_by, a.edited_by, a.standing, a.error
from actions a;

create view view_questions as
select
    q.id, q.action, a.agent, a.tool, a.task, a.amount / 1000000000.0 as amount, q.state,
    strftime('%Y-%m-%dT%H:%M:%fZ', q.opened_at / 1000.0, 'unixepoch') as opened_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', q.closed_at / 1000.0, 'unixepoch') as closed_at,
    (
        select strftime('%Y-%m-%dT%H:%M:%fZ', min(s.expires_at) / 1000.0, 'unixepoch')
        from seats s where s.approval = q.id
    ) as answer_by,
    (
        select group_concat(s.asked, ', ')
        from seats s where s.approval = q.id
    ) as asked,
    (
        select group_concat(v.person || ': ' || v.choice, ', ')
        from votes v where v.approval = q.id
    ) as answers,
    q.reason
from approvals q join actions a on a.id = q.action;

create view view_entries as
select
    e.seq,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') as at,
    e.kind, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e;

create view view_budgets as
select
    w.budget, w.scope, w.unit,
    strftime('%Y-%m-%dT%H:%M:%fZ', w.starts_at / 1000.0, 'unixepoch') as starts_at,
    w.used - cast(coalesce((
        select sum(c.quantity - (
            select coalesce(sum(case when h.spent < h.quantity then h.spent else h.quantity end), 0)
            from holds h where h.chunk = c.id
        ))
        from budget_chunks c
        where c.budget = w.budget and c.scope = w.scope and c.starts_at = w.starts_at
    ), 0) as integer) as used,
    (
        select coalesce(sum(h.quantity), 0) from holds h
        where h.state = 'held' and h.budget = w.budget and h.scope = w.scope and h.starts_at = w.starts_at
            and h.holder in (
                select a.id from actions a where a.state = 'running'
                union all select m.id from model_calls m where m.state = 'running'
            )
    ) as held,
    nullif(w.ceiling, 9223372036854775807) as most
from budget_windows w where w.starts_at >= 0;

create view view_budget_raises as
select
    r.id, r.budget, r.scope, r.quantity, r.person, r.reason,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.made_at / 1000.0, 'unixepoch') as made_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.starts_at / 1000.0, 'unixepoch') as for_window,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.until / 1000.0, 'unixepoch') as until,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.ended_at / 1000.0, 'unixepoch') as ended_at,
    r.ended_by
from budget_raises r;

create view view_budget_alerts as
select
    a.id, a.budget, a.scope, a.percent, a.used, a.ceiling as most,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.starts_at / 1000.0, 'unixepoch') as starts_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.at / 1000.0, 'unixepoch') as at
from budget_alerts a;

create view view_budget_freezes as
select
    f.id, f.budget, f.reason, f.person,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') as at,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.thawed_at / 1000.0, 'unixepoch') as thawed_at,
    f.thawed_by
from budget_freezes f;

create view view_model_calls as
select
    c.id, c.agent, c.session, c.task, c.upstream, c.model, c.route, c.state, c.stream <> 0 as stream,
    c.cost / 1000000000.0 as cost, c.bound_cost / 1000000000.0 as at_most, c.presumed <> 0 as presumed, c.usage,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.asked_at / 1000.0, 'unixepoch') as asked_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.first_byte_at / 1000.0, 'unixepoch') as first_byte_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.ended_at / 1000.0, 'unixepoch') as ended_at,
    c.status, c.error
from model_calls c;

create view view_people as
select
    p.id, p.name, p.role, p.active <> 0 as active,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.made_at / 1000.0, 'unixepoch') as made_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.away_until / 1000.0, 'unixepoch') as away_until,
    p.password is not null as has_password, p.totp is not null as has_second_factor,
    p.oidc is not null as has_sign_on, p.slack is not null as has_slack,
    (
        select strftime('%Y-%m-%dT%H:%M:%fZ', max(s.seen_at) / 1000.0, 'unixepoch')
        from sign_ins s where s.person = p.id
    ) as last_seen_at
from people p;
