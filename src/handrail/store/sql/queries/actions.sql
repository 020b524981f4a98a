-- name: add_action
insert into actions (
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, attempt, token, owner, lease_until, started_at,
    expires_at, amount, approved, supersedes, edited_by, standing
) values (
    :id, :agent, :tool, :session, :task, :state, :digest, :binding, :policy, :rung, :verdict, :at, :at,
    :confidence, :rationale, :repeat_key, :shadow, :person, :attempt, :token, :owner, :lease_until, :started_at,
    :expires_at, :amount, :approved, :supersedes, :edited_by, :standing
)
on conflict (agent, tool, repeat_key, shadow)
    where repeat_key is not null
        and state <> 'denied' and state <> 'expired' and state <> 'cancelled' and state <> 'superseded'
do nothing

-- name: add_payload
insert into payloads (action, args, facts, output, salt) values (:action, :args, :facts, :output, :salt)

-- name: set_output
update payloads set output = :output where action = :action

-- name: payload
select args, facts, output, salt from payloads where action = :action

-- name: action
select
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, approved, attempt, token, owner, lease_until, started_at,
    finished_at, expires_at, error, amount, cost, superseded_by, supersedes, edited_by,
    standing
from actions where id = :id

-- name: find_actions
select id from actions where id like :suffix escape '!' limit 2

-- name: list_actions
select
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, approved, attempt, token, owner, lease_until, started_at,
    finished_at, expires_at, error, amount, cost, superseded_by, supersedes, edited_by,
    standing
from actions
where (cast(:state as text) is null or state = :state)
    and (cast(:agent as text) is null or agent = :agent)
    and (cast(:tool as text) is null or tool = :tool)
    and (cast(:session as text) is null or session = :session)
    and (cast(:task as text) is null or task = :task)
    and (cast(:before as text) is null or id < :before)
order by id desc
limit :limit

-- name: session_actions
select
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, approved, attempt, token, owner, lease_until, started_at,
    finished_at, expires_at, error, amount, cost, superseded_by, supersedes, edited_by,
    standing
from actions where session = :session and id > :last
order by id limit :limit

-- name: by_key
select id from actions
where agent = :agent and tool = :tool and repeat_key = :repeat_key and shadow = :shadow
    and state <> 'denied' and state <> 'expired' and state <> 'cancelled' and state <> 'superseded'

-- An approved action whose time to run is over is no twin, even before a job has marked it as expired.
-- (Ordered by time, so that SQLite takes the index of what is open, not that of a session's actions.)
-- name: as_many_held
select 1 from actions where state = 'held' and agent = :agent limit 1 offset :before

-- name: open_twin
select id from actions
where session = :session and digest = :digest and agent = :agent
    and (task = :task or (task is null and cast(:task as text) is null))
    and repeat_key is null
    and (state = 'held' or state = 'allowed' or state = 'approved' or state = 'waiting')
    and (expires_at is null or expires_at > now_ms())
order by proposed_at, id limit 1

-- name: claim
update actions set
    state = 'running', token = :token, owner = :owner, lease_until = :lease_until, started_at = :at,
    updated_at = :at, attempt = attempt + 1, verdict = :verdict, policy = :policy, rung = :rung, amount = :amount,
    standing = coalesce(:standing, standing)
where id = :id and state in ('allowed', 'approved') and (expires_at is null or expires_at > :at)

-- name: attempt
select attempt from actions where id = :id

-- name: finish
update actions set state = :state, finished_at = :at, updated_at = :at, error = :error, lease_until = null
where id = :id and token = :token and state in ('running', 'unknown')

-- name: move
update actions set state = :state, updated_at = :at, error = coalesce(:error, error)
where id = :id and state = :expected

-- name: approve_action
update actions set state = 'approved', updated_at = :at, approved = :approved, expires_at = :expires_at
where id = :id and state = 'held'

-- name: hold_again
update actions set
    state = 'held', updated_at = :at, verdict = :verdict, policy = :policy, rung = :rung, expires_at = null
where id = :id and state in ('allowed', 'approved')

-- name: deny_again
update actions set state = 'denied', updated_at = :at, verdict = :verdict, policy = :policy, rung = :rung
where id = :id and state in ('allowed', 'approved')

-- name: beat
update actions set lease_until = :lease_until where id = :id and token = :token and state = 'running'

-- name: lapsed
select id from actions where state = 'running' and lease_until < :at order by lease_until limit :limit

-- name: mark_unknown
update actions set state = 'unknown', updated_at = :at, error = :error
where id = :id and state = 'running' and lease_until < :at

-- name: stale_approved
select id from actions where state = 'approved' and expires_at <= :at order by id limit :limit

-- name: expire_approved
update actions set state = 'expired', updated_at = :at
where id = :id and state = 'approved' and expires_at <= :at

-- name: running
select
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, approved, attempt, token, owner, lease_until, started_at,
    finished_at, expires_at, error, amount, cost, superseded_by, supersedes, edited_by,
    standing
from actions where state = 'running' order by id

-- (A cross join, because SQLite keeps its order: open questions are few, seats are many.)
-- name: anything_due
select 1 where exists (select 1 from actions where state = 'running' and lease_until < :at)
    or exists (select 1 from actions where state = 'approved' and expires_at <= :at)
    or exists (
        select 1 from approvals a cross join seats s
        where a.state = 'open' and s.approval = a.id and s.expires_at <= :at
    )

-- name: supersede
update actions set state = 'superseded', superseded_by = :by, updated_at = :at where id = :id and state = 'held'

-- name: ready
select id from actions
where tool = :tool and (state = 'approved' or state = 'allowed')
    and (expires_at is null or expires_at > now_ms())
order by id limit :limit

-- name: similar
select
    id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at, updated_at,
    confidence, rationale, repeat_key, shadow, person, approved, attempt, token, owner, lease_until, started_at,
    finished_at, expires_at, error, amount, cost, superseded_by, supersedes, edited_by,
    standing
from actions
where agent = :agent and tool = :tool and id <> :id
    and (approved is not null or state = 'rejected' or state = 'superseded' or state = 'cancelled')
    and exists (
        select 1 from approvals q
        where q.action = actions.id and q.state in ('approved', 'rejected', 'answered', 'superseded')
    )
order by id desc
limit :limit

-- (Ids begin with their time, so that the oldest payloads come first and the limit ends the search.)
-- name: erasable
select p.action from payloads p join actions a on a.id = p.action
where a.updated_at < :before
    and a.state in (
        'denied', 'shadowed', 'rejected', 'expired', 'cancelled', 'superseded', 'done', 'failed', 'undone',
        'partly_undone', 'undo_failed'
    )
order by p.action limit :limit

-- name: erase_payload
delete from payloads where action = :action
