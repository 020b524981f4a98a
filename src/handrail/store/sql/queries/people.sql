-- name: add_person
insert into people (id, name, role, made_at, active, password, totp, totp_step, oidc, slack, away_until)
values (:id, :name, :role, :made_at, :active, :password, :totp, :totp_step, :oidc, :slack, :away_until)
on conflict (id) do nothing

-- name: person
select id, name, role, made_at, active, password, totp, totp_step, oidc, slack, away_until
from people where id = :id

-- name: person_by_oidc
select id, name, role, made_at, active, password, totp, totp_step, oidc, slack, away_until
from people where oidc = :oidc

-- name: person_by_slack
select id, name, role, made_at, active, password, totp, totp_step, oidc, slack, away_until
from people where slack = :slack

-- name: people
select id, name, role, made_at, active, password, totp, totp_step, oidc, slack, away_until
from people order by id

-- name: save_person
update people set
    name = :name, password = :password, totp = :totp, totp_step = :totp_step, oidc = :oidc, slack = :slack
where id = :id

-- (Apart from the rest: whoever names these columns waits for the claims in flight.)
-- name: steer_person
update people set role = :role, active = :active, away_until = :away_until where id = :id

-- name: admins
select count(*) from people where role = 'admin' and active = 1

-- name: add_link
insert into links (digest, purpose, person, made_at, expires_at, made_by)
values (:digest, :purpose, :person, :made_at, :expires_at, :made_by)

-- name: usable_link
select digest, purpose, person, made_at, expires_at, made_by from links
where digest = :digest and used_at is null and expires_at > :at

-- name: link
select digest, purpose, person, made_at, expires_at, made_by from links where digest = :digest

-- name: take_link
update links set used_at = :at where digest = :digest and used_at is null and expires_at > :at

-- name: end_links
update links set used_at = now_ms()
where used_at is null and (person = :person or (person is null and cast(:person as text) is null))

-- name: open_sign_in
insert into sign_ins (
    id, digest, person, opened_at, seen_at, expires_at, second_factor, address, browser
) values (
    :id, :digest, :person, :opened_at, :seen_at, :expires_at, :second_factor, :address, :browser
)

-- name: saw_sign_in
update sign_ins set seen_at = :at, expires_at = :expires_at where id = :id

-- name: passed_sign_in
update sign_ins set second_factor = 1 where id = :id

-- name: sign_ins
select id, digest, person, opened_at, seen_at, expires_at, second_factor, address, browser
from sign_ins where person = :person order by opened_at desc, id desc

-- name: close_sign_ins
delete from sign_ins where person = :person and (cast(:id as text) is null or id = :id)

-- name: add_try
insert into tries (subject, at) values (:subject, :at)

-- name: tries
select count(*) from tries where subject = :subject and at >= :since

-- name: forget_tries
delete from tries where at < :before

-- name: forget_links
delete from links where expires_at < :before or used_at < :before

-- name: forget_sign_ins
delete from sign_ins where expires_at < :before

-- name: look
insert into lookers (approval, person, until) values (:approval, :person, :until)
on conflict (approval, person) do update set until = excluded.until

-- name: looks_until
select until from lookers where approval = :approval and person = :person

-- name: look_away
delete from lookers where approval = :approval and person = :person

-- name: lookers
select p.name from lookers l join people p on p.id = l.person
where l.approval = :approval and l.person <> :person and l.until > :at and p.active <> 0
order by p.name, p.id

-- name: forget_lookers
delete from lookers where until <= :at
