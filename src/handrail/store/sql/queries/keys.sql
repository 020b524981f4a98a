-- name: add_key
insert into keys (
    id, kind, name, agents, digest, made_at, made_by, opens_sessions, expires_at, used_at, revoked_at, replaces
) values (
    :id, :kind, :name, :agents, :digest, :made_at, :made_by, :opens_sessions, :expires_at, :used_at,
    :revoked_at, :replaces
)

-- name: key
select id, kind, name, agents, digest, made_at, made_by, opens_sessions, expires_at, used_at, revoked_at, replaces
from keys where id = :id

-- name: keys
select id, kind, name, agents, digest, made_at, made_by, opens_sessions, expires_at, used_at, revoked_at, replaces
from keys order by made_at desc, id desc

-- (To the minute: a key may be used a thousand times in one.)
-- name: key_used
update keys set used_at = :at where id = :id and (used_at is null or used_at <= :at - 60000)

-- name: expire_key
update keys set expires_at = case when expires_at <= :at then expires_at else :at end
where id = :id and revoked_at is null

-- name: revoke_key
update keys set revoked_at = :at
where id = :id and revoked_at is null and (expires_at is null or expires_at > :at)
