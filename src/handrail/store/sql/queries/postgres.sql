-- name: lock_approval
select id from approvals where id = :id for update

-- name: lock_sealer
select 1 where pg_try_advisory_xact_lock(1213088844, 3)

-- name: unsealed
select seq, kind, at, action, agent, tool, session, task, body, cast(cast(xid as text) as bigint) from entries
where (xid, seq) > (cast(cast(:through_xid as text) as xid8), :through_seq)
    and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, seq limit :limit

-- name: add_head
insert into heads (size, root, frontier, through_xid, through_seq, sealed_at)
values (:size, :root, :frontier, cast(cast(:through_xid as text) as xid8), :through_seq, :at)

-- name: verify_entries
select seq, kind, at, action, agent, tool, session, task, body,
    (xid, seq) <= (cast(cast(:through_xid as text) as xid8), :through_seq)
from entries order by seq
