-- name: add_model_call
insert into model_calls (
    id, agent, session, task, upstream, model, route, stream, state, policy, asked_at, bound_cost, bound_tokens,
    output, via, attempt, owner, token, lease_until, presumed
) values (
    :id, :agent, :session, :task, :upstream, :model, :route, :stream, 'running', :policy, :asked_at, :bound_cost,
    :bound_tokens, :output, :via, :attempt, :owner, :token, :lease_until, 0
)

-- name: model_call
select
    id, agent, session, task, upstream, model, route, stream, state, policy, asked_at, bound_cost, bound_tokens,
    output, via, attempt, owner, token, lease_until, first_byte_at, ended_at, cost, usage, presumed, status, error
from model_calls where id = :id

-- (A call that was taken for lost may still be told by whoever holds its token.)
-- name: finish_model_call
update model_calls
set state = :state, first_byte_at = :first_byte_at, ended_at = :ended_at, cost = :cost, usage = :usage,
    presumed = :presumed, status = :status, error = :error
where id = :id and token = :token and (state = 'running' or state = 'unknown')

-- name: beat_model_call
update model_calls set lease_until = :lease_until where id = :id and token = :token and state = 'running'

-- name: lapsed_model_calls
select
    id, agent, session, task, upstream, model, route, stream, state, policy, asked_at, bound_cost, bound_tokens,
    output, via, attempt, owner, token, lease_until, first_byte_at, ended_at, cost, usage, presumed, status, error
from model_calls where state = 'running' and lease_until < :at order by lease_until limit :limit

-- name: lose_model_call
update model_calls
set state = 'unknown', presumed = 1, cost = bound_cost, ended_at = :at, error = :error
where id = :id and state = 'running' and lease_until < :at

-- name: model_calls_due
select 1 from model_calls where state = 'running' and lease_until < :at limit 1

-- name: list_model_calls
select
    id, agent, session, task, upstream, model, route, stream, state, policy, asked_at, bound_cost, bound_tokens,
    output, via, attempt, owner, token, lease_until, first_byte_at, ended_at, cost, usage, presumed, status, error
from model_calls
where (cast(:agent as text) is null or agent = :agent)
    and (cast(:session as text) is null or session = :session)
    and (cast(:task as text) is null or task = :task)
    and (cast(:model as text) is null or model = :model)
    and (cast(:state as text) is null or state = :state)
    and (cast(:since as bigint) is null or asked_at >= :since)
    and (cast(:until as bigint) is null or asked_at < :until)
    and (cast(:before as text) is null or id < :before)
order by id desc
limit :limit

-- name: session_model_calls
select
    id, agent, session, task, upstream, model, route, stream, state, policy, asked_at, bound_cost, bound_tokens,
    output, via, attempt, owner, token, lease_until, first_byte_at, ended_at, cost, usage, presumed, status, error
from model_calls where session = :session and id > :last
order by id limit :limit

-- name: add_prompt
insert into prompts (call, request, response, cut) values (:call, :request, :response, :cut)

-- (A prompt whose time was over before its answer came stays erased.)
-- name: prompt_answered
update prompts set response = :response, cut = case when :cut <> 0 then 1 else cut end where call = :call

-- name: prompt
select call, request, response, cut from prompts where call = :call

-- name: write_prompt_again
update prompts set request = :request, response = :response where call = :call

-- (Ids begin with their time, so that the oldest prompts come first and the limit ends the search.)
-- name: erasable_prompts
select p.call from prompts p join model_calls c on c.id = p.call
where c.asked_at < :before and c.state <> 'running'
order by p.call limit :limit

-- name: erase_prompt
delete from prompts where call = :call

-- name: drop_model_tokens
update model_calls set token = null, owner = null, lease_until = null where state = 'unknown'
