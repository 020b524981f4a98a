-- name: generation
select generation from restrictions

-- name: active_policy
select policy from activations order by id desc limit 1

-- name: halts_in_force
select id, agent, tool, reason, person, at from halts where lifted_at is null order by at, id

-- name: grants
select agent, tool, rung, since, person, reason, override from grants

-- name: add_halt
insert into halts (id, agent, tool, reason, person, at) values (:id, :agent, :tool, :reason, :person, :at)

-- name: lift_halt
update halts set lifted_at = :at, lifted_by = :person, lift_reason = :reason where id = :id and lifted_at is null

-- name: set_grant
insert into grants (agent, tool, rung, since, person, reason, override)
values (:agent, :tool, :rung, :at, :person, :reason, :override)
on conflict (agent, tool) do update set
    rung = excluded.rung, since = excluded.since, person = excluded.person,
    reason = excluded.reason, override = excluded.override

-- name: add_policy
insert into policies (digest, name, files, stored_at) values (:digest, :name, :files, :at)
on conflict (digest) do nothing

-- name: policy
select name, files from policies where digest = :digest

-- name: activate
insert into activations (policy, at, person, reason) values (:policy, :at, :person, :reason)

-- name: activations
select policy, at, person, reason from activations order by id desc limit :limit

-- name: meta
select value from meta where name = :name

-- name: set_meta
insert into meta (name, value) values (:name, :value) on conflict (name) do nothing
