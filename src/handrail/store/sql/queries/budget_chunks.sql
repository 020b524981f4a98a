-- (What raises in force add, and when the first of them ends.)
-- name: raised
select cast(coalesce(sum(quantity), 0) as bigint), min(until) from budget_raises
where budget = :budget and ended_at is null and (scope is null or scope = :scope)
    and (starts_at = cast(:starts_at as bigint) or until > cast(:at as bigint))

-- name: add_chunk
insert into budget_chunks (id, owner, budget, scope, starts_at, quantity, until)
values (:id, :owner, :budget, :scope, :window, :quantity, :until)

-- name: close_chunk
delete from budget_chunks where id = :chunk
returning id, owner, budget, scope, starts_at, quantity, until

-- name: detach_holds
update holds set chunk = null where chunk = :chunk and (state = 'held' or state = 'presumed')
returning quantity

-- (An overrun is in the window already.)
-- name: chunk_spent
select cast(coalesce(sum(case when spent < quantity then spent else quantity end), 0) as bigint)
from holds where chunk = :chunk

-- name: open_chunks
select id from budget_chunks where budget = :budget and scope = :scope and starts_at = :starts_at order by id

-- name: lapsed_chunks
select id from budget_chunks where until < :before order by until limit :limit
