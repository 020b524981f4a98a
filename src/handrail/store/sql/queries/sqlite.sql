-- name: lock_approval
select id from approvals where id = :id

-- name: lock_sealer
select 1

-- name: unsealed
select seq, kind, at, action, agent, tool, session, task, body, 0 from entries
where seq > :through_seq order by seq limit :limit

-- name: add_head
insert into heads (size, root, frontier, through_xid, through_seq, sealed_at)
values (:size, :root, :frontier, :through_xid, :through_seq, :at)

-- name: verify_entries
select seq, kind, at, action, agent, tool, session, task, body, seq <= :through_seq
from entries order by seq

-- name: newest_settled
select 0, seq from entries order by seq desc limit 1

-- name: told_of
select distinct substr(action, 1, :digits) from entries where seq > :mark and action is not null

-- name: mark
select coalesce(max(seq), 0) from entries

-- name: written
select count(*) from entries where seq > :mark

-- name: seats
select approval, audience, asked, need, expires_at, if_no_answer from seats
where approval in (select value from json_each(:approvals)) order by approval, audience

-- name: signed_in
select
    s.id, s.digest, s.person, s.opened_at, s.seen_at, s.expires_at, s.second_factor, s.address, s.browser,
    p.id, p.name, p.role, p.made_at, p.active, p.password, p.totp, p.totp_step, p.oidc, p.slack, p.away_until
from sign_ins s join people p on p.id = s.person
where p.active = 1 and s.digest in (select value from json_each(:digests))

-- name: restored_at
select 0, seq from entries where kind = 'restored' order by seq desc limit 1

-- name: lock_person
select id from people where id = :id

-- name: take_deliveries
update deliveries set state = 'sending', tries = tries + 1, lease_until = :lease_until
where id in (
    select id from deliveries
    where (state = 'due' or state = 'sending') and coalesce(lease_until, due_at) <= :at
    order by coalesce(lease_until, due_at) limit :limit
)
returning id, kind, subject, channel, state, due_at, tries, lease_until, reference, error, sent_at

-- name: columns
select name from pragma_table_info(:table)

-- name: schema_version
select user_version from pragma_user_version

-- name: insert_row
insert into {table} ({columns}) values ({values})

-- (SQLite numbers from the greatest number that it finds.)
-- name: go_on_numbering
select 1

-- (Only PostgreSQL seals in the order of transactions.)
-- name: adopt_entries
select 1

-- name: seal_through
update heads set through_seq = :seq where size = (select max(size) from heads)

-- (One writer at a time: everybody has a turn.)
-- name: take_turn
select 1

-- (Here a statement for each is faster.)
-- name: reserve_all
select 1

-- name: lock_window
select used, alerted from budget_windows
where budget = :budget and scope = :scope and starts_at = :starts_at

-- name: draw
insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at, chunk)
select :holder, :attempt, c.budget, c.scope, c.starts_at, :quantity, 'held', :unit, :at, c.id
from budget_chunks c where c.id = :chunk and c.until > :at

-- name: end_chunks
update budget_chunks set until = 0 where budget = :budget and scope = :scope and starts_at = :starts_at

-- (Nobody else writes meanwhile.)
-- name: lock_chunk_holds
select quantity from holds where chunk = :chunk and (state = 'held' or state = 'presumed')
