-- (Names in braces are tables and columns of the schema, never anything that was given.)
-- name: all_rows
select {columns} from {table}

-- name: any_row
select 1 from {table} limit 1

-- name: any_meta
select 1 from meta where name <> 'schema' and name <> 'readable_from' limit 1

-- name: leafless
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e
where e.seq > :after and not exists (select 1 from leaves l where l.seq = e.seq)
order by e.seq limit :limit

-- name: last_number
select coalesce(max(seq), 0) from entries

-- (As migration 0002 does; only a restore of a backup of version 1 runs it, on a store that was empty.)
-- name: date_holds
update holds set at = coalesce((select a.started_at from actions a where a.id = holds.holder), at)

-- name: end_all_sign_ins
delete from sign_ins

-- name: end_all_links
update links set used_at = :at where used_at is null

-- name: drop_deliveries
update deliveries set state = 'gave_up', lease_until = null, error = :error
where state = 'due' or state = 'sending'

-- name: drop_tokens
update actions set token = null, owner = null, lease_until = null where state = 'unknown'

-- (Greater than any number that was counted before, so that no process anywhere trusts an old copy.)
-- name: begin_generation
update restrictions set generation = :at
