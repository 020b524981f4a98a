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
