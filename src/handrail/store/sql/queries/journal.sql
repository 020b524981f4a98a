-- name: add_entry
insert into entries (kind, at, action, agent, tool, session, task, body)
values (:kind, :at, :action, :agent, :tool, :session, :task, :body)

-- name: last_head
select size, root, frontier, cast(cast(through_xid as text) as bigint), through_seq, sealed_at
from heads order by size desc limit 1

-- name: add_leaf
insert into leaves (idx, seq, hash) values (:idx, :seq, :hash)

-- name: heads
select size, root, frontier, cast(cast(through_xid as text) as bigint), through_seq, sealed_at
from heads order by size

-- name: leaves
select idx, seq, hash from leaves order by idx

-- name: entries_by_seq
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e where e.seq > :after order by e.seq limit :limit

-- name: newest_entries
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e
where (cast(:before as bigint) is null or e.seq < :before)
    and (cast(:after as bigint) is null or e.seq > :after)
    and (cast(:since as bigint) is null or e.at >= :since)
    and (cast(:until as bigint) is null or e.at < :until)
    and (cast(:kind as text) is null or e.kind = :kind)
    and (cast(:action as text) is null or e.action = :action)
    and (cast(:agent as text) is null or e.agent = :agent)
    and (cast(:tool as text) is null or e.tool = :tool)
    and (cast(:session as text) is null or e.session = :session)
    and (cast(:task as text) is null or e.task = :task)
    and (
        cast(:text as text) is null
        or lower(e.body) like lower(:text) escape '!'
        or lower(coalesce(e.action, '')) like lower(:text) escape '!'
        or lower(coalesce(e.agent, '')) like lower(:text) escape '!'
        or lower(coalesce(e.tool, '')) like lower(:text) escape '!'
        or lower(coalesce(e.session, '')) like lower(:text) escape '!'
        or lower(coalesce(e.task, '')) like lower(:text) escape '!'
    )
order by e.seq desc limit :limit

-- name: entries_by_action
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e
where e.action is not null and e.action >= :first and e.action <= :last
    and (cast(:action as text) is null or e.action = :action)
    and (cast(:agent as text) is null or e.agent = :agent)
    and (cast(:tool as text) is null or e.tool = :tool)
    and (cast(:session as text) is null or e.session = :session)
    and (cast(:task as text) is null or e.task = :task)
order by e.action, e.seq

-- name: entries_of
select e.seq, e.kind, e.at, e.action, e.agent, e.tool, e.session, e.task, e.body
from entries e where e.action = :action order by e.seq
