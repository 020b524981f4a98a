-- name: open_session
insert into sessions (id, agent, task, opened_at, opened_by, behalf, expires_at, lineage)
values (:id, :agent, :task, :opened_at, :opened_by, :behalf, :expires_at, :lineage)
on conflict (id) do nothing

-- name: session
select
    id, agent, task, opened_at, opened_by, behalf, expires_at, questions, paused_at, ended_at,
    lineage, held_at, held_reason, released_at, error, errors, errors_since
from sessions where id = :id

-- name: pace
select
    (select count(*) from (
        select 1 from actions where session = :session and id >= :minute limit :most_calls
    ) as calls),
    (select count(*) from (
        select 1 from actions where session = :session and id >= :since and digest = :digest limit :most_same
    ) as same)

-- name: hold_session
update sessions set held_at = :at, held_reason = :reason where id = :id and held_at is null

-- name: release_session
update sessions set
    held_at = null, held_reason = null, released_at = :at, error = null, errors = 0, errors_since = null
where id = :id and held_at is not null

-- name: session_failed
update sessions set
    errors = case when error = :error and errors_since > :since then errors + 1 else 1 end,
    errors_since = case when error = :error and errors_since > :since then errors_since else :at end,
    error = :error
where id = :id

-- name: held_sessions
select
    id, agent, task, opened_at, opened_by, behalf, expires_at, questions, paused_at, ended_at,
    lineage, held_at, held_reason, released_at, error, errors, errors_since
from sessions where held_at is not null
order by held_at desc
limit :limit

-- name: end_session
update sessions set ended_at = :at where id = :id and ended_at is null

-- name: pause_session
update sessions set questions = questions + 1, paused_at = coalesce(paused_at, :at) where id = :id

-- name: go_on_session
update sessions set
    questions = questions - 1,
    paused_at = case when questions = 1 then null else paused_at end,
    expires_at = case
        when questions = 1 and paused_at < :at then expires_at + (:at - paused_at) else expires_at
    end
where id = :id and questions > 0

-- name: list_sessions
select
    id, agent, task, opened_at, opened_by, behalf, expires_at, questions, paused_at, ended_at,
    lineage, held_at, held_reason, released_at, error, errors, errors_since
from sessions
where (cast(:agent as text) is null or agent = :agent)
    and (cast(:task as text) is null or task = :task)
    and (cast(:before as text) is null or id < :before)
order by id desc
limit :limit
