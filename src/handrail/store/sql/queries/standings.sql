-- name: add_standing
insert into standings (
    id, agent, tool, asks, condition, actions_left, amount_left, expires_at, person, verified, reason, made_at
) values (
    :id, :agent, :tool, :asks, :condition, :actions_left, :amount_left, :expires_at, :person, :verified,
    :reason, :made_at
)

-- name: standing
select
    id, agent, tool, asks, condition, actions_left, amount_left, expires_at, person, verified, reason, made_at,
    revoked_at, revoked_by
from standings where id = :id

-- name: usable_standings
select
    id, agent, tool, asks, condition, actions_left, amount_left, expires_at, person, verified, reason, made_at,
    revoked_at, revoked_by
from standings
where agent = :agent and tool = :tool and revoked_at is null and expires_at > :at and actions_left >= 1
order by made_at, id

-- (An amount that nobody knows can't be counted against a limit: then it is not enough.)
-- name: take_standing
update standings set
    actions_left = actions_left - 1, amount_left = amount_left - cast(:amount as bigint)
where id = :id and revoked_at is null and expires_at > :at and actions_left >= 1
    and (amount_left is null or (cast(:amount as bigint) >= 0 and amount_left >= cast(:amount as bigint)))

-- name: revoke_standing
update standings set revoked_at = :at, revoked_by = :person
where id = :id and revoked_at is null and expires_at > :at and actions_left >= 1

-- name: list_standings
select
    id, agent, tool, asks, condition, actions_left, amount_left, expires_at, person, verified, reason, made_at,
    revoked_at, revoked_by
from standings
where :ended = 1 or (revoked_at is null and expires_at > now_ms() and actions_left >= 1)
order by made_at desc, id desc
limit :limit
