-- readable from: 2
-- People, keys, sessions with an end, standing approvals, deliveries; edits and answers as votes; views.

alter table sessions add column opened_by text;
alter table sessions add column behalf text;
alter table sessions add column expires_at bigint;
alter table sessions add column questions bigint not null default 0;
alter table sessions add column paused_at bigint;
alter table sessions add column ended_at bigint;
alter table sessions add column lineage text;
alter table sessions add column held_at bigint;
alter table sessions add column held_reason text;
alter table sessions add column released_at bigint;
alter table sessions add column error text;
alter table sessions add column errors bigint not null default 0;
alter table sessions add column errors_since bigint;
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
alter table votes drop constraint votes_choice_check;
alter table votes add constraint votes_choice_check
    check (choice in ('approve', 'reject', 'edit', 'answer'));

-- People with accounts. What only they may see stands hashed, but for the secret of the second factor.
create table people (
    id text primary key,
    name text not null,
    role text not null check (role in ('viewer', 'reviewer', 'admin')),
    made_at bigint not null,
    active bigint not null,
    password text,
    totp text,
    totp_step bigint not null,
    oidc text unique,
    slack text unique,
    away_until bigint
);

create table links (
    digest text primary key,
    purpose text not null check (purpose in ('setup', 'invite', 'reset', 'slack')),
    person text,
    made_at bigint not null,
    expires_at bigint not null,
    made_by text not null,
    used_at bigint
);

create table sign_ins (
    id text primary key,
    digest text not null unique,
    person text not null references people (id),
    opened_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null,
    second_factor bigint not null,
    address text,
    browser text
);
create index sign_ins_person on sign_ins (person);

-- Attempts to sign in that failed, by account and by address.
create table tries (
    id bigint generated always as identity primary key,
    subject text not null,
    at bigint not null
);
create index tries_subject on tries (subject, at);

-- Who has which question open just now; a row means nothing once its time is over.
create table lookers (
    approval text not null,
    person text not null,
    until bigint not null,
    primary key (approval, person)
);

create table keys (
    id text primary key,
    kind text not null check (kind in ('agent', 'service')),
    name text not null,
    agents text not null,
    digest text not null,
    made_at bigint not null,
    made_by text not null,
    opens_sessions bigint not null,
    expires_at bigint,
    used_at bigint,
    revoked_at bigint,
    replaces text
);

create table standings (
    id text primary key,
    agent text not null,
    tool text not null,
    asks text not null,
    condition text,
    actions_left bigint not null check (actions_left >= 0),
    amount_left bigint check (amount_left >= 0),
    expires_at bigint not null,
    person text not null,
    verified bigint not null,
    reason text not null,
    made_at bigint not null,
    revoked_at bigint,
    revoked_by text
);
create index standings_in_force on standings (agent, tool) where revoked_at is null;

create table deliveries (
    id text primary key,
    kind text not null check (kind in ('asked', 'answered', 'outcome', 'halted', 'lifted', 'session_held', 'lost', 'budget', 'test')),
    subject text not null,
    channel text not null,
    state text not null check (state in ('due', 'sending', 'sent', 'gave_up')),
    due_at bigint not null,
    tries bigint not null,
    lease_until bigint,
    reference text,
    error text,
    sent_at bigint,
    unique (subject, kind, channel)
);
create index deliveries_open on deliveries (coalesce(lease_until, due_at))
    where state = 'due' or state = 'sending';

-- Versions of the schemas of tools that run elsewhere; at most one of each tool is accepted.
create table tool_schemas (
    tool text not null,
    binding text not null,
    schema text not null,
    registered_at bigint not null,
    registered_by text not null,
    accepted_at bigint,
    accepted_by text,
    primary key (tool, binding)
);
create unique index tool_schemas_accepted on tool_schemas (tool) where accepted_at is not null;

-- Budgets in every unit: holds of actions and of calls of models, raises, freezes, alerts.
alter table budget_windows add column unit text not null default 'actions';
alter table budget_windows add column ceiling bigint not null default 0;
alter table budget_windows add column alerted bigint not null default 0;
create index budget_windows_start on budget_windows (budget, starts_at);
alter table holds drop constraint holds_action_fkey;
alter table holds rename column action to holder;
alter table holds drop constraint holds_state_check;
alter table holds add constraint holds_state_check check (state in ('held', 'settled', 'released', 'presumed'));
alter table holds add column unit text;
alter table holds add column at bigint;
alter table holds add column spent bigint check (spent >= 0);
alter table holds add column chunk text;
update holds set
    unit = 'actions',
    at = coalesce((select a.started_at from actions a where a.id = holds.holder), holds.starts_at),
    spent = case state when 'settled' then quantity when 'released' then 0 end;
alter table holds alter column unit set not null;
alter table holds alter column at set not null;
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
    starts_at bigint not null,
    quantity bigint not null check (quantity > 0),
    until bigint not null
);
create index budget_chunks_window on budget_chunks (budget, scope, starts_at);
create index budget_chunks_until on budget_chunks (until);

-- More room by a person's word: for one window (a top-up), or until a time; without a scope for every one.
create table budget_raises (
    id text primary key,
    budget text not null,
    scope text,
    starts_at bigint,
    until bigint,
    quantity bigint not null check (quantity > 0),
    person text not null,
    reason text not null,
    made_at bigint not null,
    ended_at bigint,
    ended_by text,
    end_reason text,
    check ((starts_at is null) <> (until is null))
);
create index budget_raises_in_force on budget_raises (budget) where ended_at is null;

-- Budgets from which nothing more is spent.
create table budget_freezes (
    id text primary key,
    budget text not null,
    reason text not null,
    person text not null,
    at bigint not null,
    thawed_at bigint,
    thawed_by text,
    thaw_reason text
);
create unique index budget_freezes_in_force on budget_freezes (budget) where thawed_at is null;

-- What people were told of once in a window: that a scope has reached a percentage of its limit.
create table budget_alerts (
    id text primary key,
    budget text not null,
    scope text not null,
    starts_at bigint not null,
    percent bigint not null,
    at bigint not null,
    used bigint not null,
    ceiling bigint not null,
    unique (budget, scope, starts_at, percent)
);

-- Calls of models: what each could cost at most, and what it did.
create table model_calls (
    id text primary key,
    agent text not null,
    session text not null,
    task text,
    upstream text not null,
    model text not null,
    route text not null,
    stream bigint not null,
    state text not null check (state in ('running', 'done', 'failed', 'unknown')),
    policy text not null,
    asked_at bigint not null,
    bound_cost bigint not null check (bound_cost >= 0),
    bound_tokens bigint not null check (bound_tokens >= 0),
    output bigint not null,
    via text,
    attempt bigint not null,
    owner text,
    token text,
    lease_until bigint,
    first_byte_at bigint,
    ended_at bigint,
    cost bigint check (cost >= 0),
    usage text,
    presumed bigint not null,
    status bigint,
    error text
);
create index model_calls_session on model_calls (session, id);
create index model_calls_agent on model_calls (agent, id);
create index model_calls_running on model_calls (lease_until) where state = 'running';

-- What was asked of a model and what it answered: redacted, compressed, and erasable before the call's row.
create table prompts (
    call text primary key references model_calls (id),
    request bytea not null,
    response bytea not null,
    cut bigint not null
);

create or replace function restrict() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(1213088844, 1);
    update handrail.restrictions set generation = generation + 1;
    perform pg_notify('handrail', '');
    return null;
end
$$;
create trigger keys_changed
    before update of kind, agents, digest, opens_sessions, expires_at, revoked_at or delete or truncate on keys
    for each statement execute function restrict();
create trigger people_changed before update of role, active, away_until or delete or truncate on people
    for each statement execute function restrict();
create trigger budget_freezes_changed before insert or update or delete or truncate on budget_freezes
    for each statement execute function restrict();
create trigger budget_raises_changed before update or delete or truncate on budget_raises
    for each statement execute function restrict();
create trigger tool_schemas_changed before insert or update or delete or truncate on tool_schemas
    for each statement execute function restrict();

-- The kill switch for whoever sits at psql: select handrail.halt_everything('strange refunds', 'ann@example.com');
create function halt_everything(reason text, person text) returns text language plpgsql as $$
declare
    halt text := 'by-hand-' || gen_random_uuid();
begin
    insert into handrail.halts (id, reason, person, at)
    values (halt, halt_everything.reason, halt_everything.person, handrail.now_ms());
    return halt;
end
$$;

-- Nothing more is spent from a budget: select handrail.freeze_budget('refunds', 'odd numbers', 'ann@example.com');
create function freeze_budget(budget text, reason text, person text) returns text language plpgsql as $$
declare
    made text := 'by-hand-' || gen_random_uuid();
begin
    insert into handrail.budget_freezes (id, budget, reason, person, at)
    values (made, freeze_budget.budget, freeze_budget.reason, freeze_budget.person, handrail.now_ms());
    return made;
end
$$;

-- For people with a database tool: readable times and money, and nothing that is secret.
create view view_actions as
select
    a.id, a.agent, a.tool, a.session, a.task, a.state, a.rung, a.shadow <> 0 as shadow, a.person,
    a.amount / 1000000000.0 as amount, a.cost / 1000000000.0 as cost, a.attempt,
    to_timestamp(a.proposed_at / 1000.0) as proposed_at,
    to_timestamp(a.started_at / 1000.0) as started_at,
    to_timestamp(a.finished_at / 1000.0) as finished_at,
    to_timestamp(a.expires_at / 1000.0) as expires_at,
    a.supersedes, a.superseded_by, a.edited_by, a.standing, a.error
from actions a;

create view view_questions as
select
    q.id, q.action, a.agent, a.tool, a.task, a.amount / 1000000000.0 as amount, q.state,
    to_timestamp(q.opened_at / 1000.0) as opened_at,
    to_timestamp(q.closed_at / 1000.0) as closed_at,
    (
        select to_timestamp(min(s.expires_at) / 1000.0)
        from seats s where s.approval = q.id
    ) as answer_by,
    (
        select string_agg(s.asked, ', ' order by s.asked)
        from seats s where s.approval = q.id
    ) as asked,
    (
        select string_agg(v.person || ': ' || v.choice, ', ' order by v.person || ': ' || v.choice)
        from votes v where v.approval = q.id
    ) as answers,
    q.reason
from approvals q join actions a on a.id = q.action;

create view view_entries as
select
    e.seq,
    to_timestamp(e.at / 1000.0) as at,
    e.kind, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e;

create view view_budgets as
select
    w.budget, w.scope, w.unit,
    to_timestamp(w.starts_at / 1000.0) as starts_at,
    w.used - cast(coalesce((
        select sum(c.quantity - (
            select coalesce(sum(case when h.spent < h.quantity then h.spent else h.quantity end), 0)
            from holds h where h.chunk = c.id
        ))
        from budget_chunks c
        where c.budget = w.budget and c.scope = w.scope and c.starts_at = w.starts_at
    ), 0) as bigint) as used,
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
    to_timestamp(r.made_at / 1000.0) as made_at,
    to_timestamp(r.starts_at / 1000.0) as for_window,
    to_timestamp(r.until / 1000.0) as until,
    to_timestamp(r.ended_at / 1000.0) as ended_at,
    r.ended_by
from budget_raises r;

create view view_budget_alerts as
select
    a.id, a.budget, a.scope, a.percent, a.used, a.ceiling as most,
    to_timestamp(a.starts_at / 1000.0) as starts_at,
    to_timestamp(a.at / 1000.0) as at
from budget_alerts a;

create view view_budget_freezes as
select
    f.id, f.budget, f.reason, f.person,
    to_timestamp(f.at / 1000.0) as at,
    to_timestamp(f.thawed_at / 1000.0) as thawed_at,
    f.thawed_by
from budget_freezes f;

create view view_model_calls as
select
    c.id, c.agent, c.session, c.task, c.upstream, c.model, c.route, c.state, c.stream <> 0 as stream,
    c.cost / 1000000000.0 as cost, c.bound_cost / 1000000000.0 as at_most, c.presumed <> 0 as presumed, c.usage,
    to_timestamp(c.asked_at / 1000.0) as asked_at,
    to_timestamp(c.first_byte_at / 1000.0) as first_byte_at,
    to_timestamp(c.ended_at / 1000.0) as ended_at,
    c.status, c.error
from model_calls c;

create view view_people as
select
    p.id, p.name, p.role, p.active <> 0 as active,
    to_timestamp(p.made_at / 1000.0) as made_at,
    to_timestamp(p.away_until / 1000.0) as away_until,
    p.password is not null as has_password, p.totp is not null as has_second_factor,
    p.oidc is not null as has_sign_on, p.slack is not null as has_slack,
    (
        select to_timestamp(max(s.seen_at) / 1000.0)
        from sign_ins s where s.person = p.id
    ) as last_seen_at
from people p;
