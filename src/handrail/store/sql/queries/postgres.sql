-- name: lock_approval
select id from approvals where id = :id for update

-- name: lock_sealer
select 1 where pg_try_advisory_xact_lock(1213088844, 3)

-- (Ordered by the table's columns: a bare xid would be the number that is selected, which has no index.)
-- name: unsealed
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body,
    cast(cast(e.xid as text) as bigint)
from entries e
where (e.xid, e.seq) > (cast(cast(:through_xid as text) as xid8), :through_seq)
    and e.xid < pg_snapshot_xmin(pg_current_snapshot())
order by e.xid, e.seq limit :limit

-- name: add_head
insert into heads (size, root, frontier, through_xid, through_seq, sealed_at)
values (:size, :root, :frontier, cast(cast(:through_xid as text) as xid8), :through_seq, :at)

-- name: verify_entries
select seq, kind, at, action, agent, tool, session, task, body,
    (xid, seq) <= (cast(cast(:through_xid as text) as xid8), :through_seq)
from entries order by seq

-- (Ordered by the table's columns: a bare xid would be the number that is selected, which has no index.)
-- name: newest_settled
select cast(cast(e.xid as text) as bigint), e.seq from entries e
where e.xid < pg_snapshot_xmin(pg_current_snapshot())
order by e.xid desc, e.seq desc limit 1

-- (What was written by transactions that this mark's snapshot may not have seen, and perhaps a little more.)
-- name: told_of
select distinct substr(action, 1, :digits) from entries
where xid >= cast(cast(:mark as text) as xid8) and action is not null

-- name: mark
select cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)

-- name: written
select count(*) from entries where xid >= cast(cast(:mark as text) as xid8)

-- name: seats
select approval, audience, asked, need, expires_at, if_no_answer from seats
where approval in (select json_array_elements_text(cast(:approvals as json))) order by approval, audience

-- name: signed_in
select
    s.id, s.digest, s.person, s.opened_at, s.seen_at, s.expires_at, s.second_factor, s.address, s.browser,
    p.id, p.name, p.role, p.made_at, p.active, p.password, p.totp, p.totp_step, p.oidc, p.slack, p.away_until
from sign_ins s join people p on p.id = s.person
where p.active = 1 and s.digest in (select json_array_elements_text(cast(:digests as json)))

-- name: restored_at
select cast(cast(xid as text) as bigint), seq from entries where kind = 'restored' order by seq desc limit 1

-- name: lock_person
select id from people where id = :id for update

-- name: take_deliveries
update deliveries set state = 'sending', tries = tries + 1, lease_until = :lease_until
where id = any(array(
    select id from deliveries
    where (state = 'due' or state = 'sending') and coalesce(lease_until, due_at) <= :at
    order by coalesce(lease_until, due_at) limit :limit
    for update skip locked
))
returning id, kind, subject, channel, state, due_at, tries, lease_until, reference, error, sent_at

-- name: columns
select column_name from information_schema.columns
where table_schema = 'handrail' and table_name = :table order by ordinal_position

-- name: schema_version
select cast(value as bigint) from meta where name = 'schema'

-- name: insert_row
insert into {table} ({columns}) overriding system value values ({values})

-- (Numbers that are not given by a sequence here; the next ones follow them.)
-- name: go_on_numbering
select setval(pg_get_serial_sequence('handrail.entries', 'seq'), greatest(max(seq), 1), max(seq) is not null),
    (
        select setval(pg_get_serial_sequence('handrail.activations', 'id'), greatest(max(id), 1), max(id) is not null)
        from activations
    )
from entries

-- (No transaction of a database has this number: those that count begin later.)
-- name: adopt_entries
update entries set xid = '1' where xid <> '1'

-- name: seal_through
update heads set through_xid = '1', through_seq = :seq where size = (select max(size) from heads)

-- name: take_turn
insert into budget_windows (budget, scope, starts_at, unit, used) values (:budget, :scope, -1, :unit, 0)
on conflict (budget, scope, starts_at) do update set used = 0

-- (In the order of the arrays: everybody locks in the same one, which no collation may change.)
-- name: reserve_all
with wanted as (
    select
        w.budget, w.scope, w.starts_at, w.unit, w.quantity, w.place,
        w.most + (
            select coalesce(sum(r.quantity), 0) from budget_raises r
            where r.budget = w.budget and r.ended_at is null and (r.scope is null or r.scope = w.scope)
                and (r.starts_at = w.starts_at or r.until > cast(:at as bigint))
        ) as ceiling
    from unnest(
        cast(:budgets as text[]), cast(:scopes as text[]), cast(:starts as bigint[]), cast(:units as text[]),
        cast(:quantities as bigint[]), cast(:limits as bigint[])
    ) with ordinality as w (budget, scope, starts_at, unit, quantity, most, place)
), set_aside as (
    insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at, spent)
    select
        :holder, cast(:attempt as bigint), budget, scope, starts_at, quantity, cast(:state as text), unit,
        cast(:at as bigint), case when cast(:state as text) = 'settled' then quantity end
    from wanted
)
insert into budget_windows (budget, scope, starts_at, unit, used, ceiling)
select budget, scope, starts_at, unit, quantity, ceiling from wanted
where quantity <= ceiling
order by place
on conflict (budget, scope, starts_at) do update set
    used = budget_windows.used + excluded.used, ceiling = excluded.ceiling
where budget_windows.used <= excluded.ceiling - excluded.used
returning budget, scope, starts_at

-- name: lock_window
select used, alerted from budget_windows
where budget = :budget and scope = :scope and starts_at = cast(:starts_at as bigint)
for update

-- (Who draws shares the chunk's row, so that who closes it waits.)
-- name: draw
insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at, chunk)
select
    :holder, cast(:attempt as bigint), c.budget, c.scope, c.starts_at, cast(:quantity as bigint), 'held',
    cast(:unit as text), cast(:at as bigint), c.id
from budget_chunks c where c.id = :chunk and c.until > cast(:at as bigint)
for key share

-- (Who ends chunks holds their window: it must not wait for one that is being closed.)
-- name: end_chunks
update budget_chunks set until = 0 where id = any(array(
    select id from budget_chunks where budget = :budget and scope = :scope and starts_at = :starts_at
    for no key update skip locked
))

-- (In one order, for who presumes many lost.)
-- name: lock_chunk_holds
select quantity from holds where chunk = :chunk and (state = 'held' or state = 'presumed')
order by holder, attempt for update
