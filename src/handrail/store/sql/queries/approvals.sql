-- name: add_approval
insert into approvals (id, action, digest, asks, state, opened_at)
values (:id, :action, :digest, :asks, 'open', :at)

-- name: add_seat
insert into seats (approval, audience, asked, need, expires_at, if_no_answer)
values (:approval, :audience, :asked, :need, :expires_at, :if_no_answer)

-- name: approval
select id, action, digest, asks, state, opened_at, closed_at, reason from approvals where id = :id

-- name: approval_of
select id, action, digest, asks, state, opened_at, closed_at, reason from approvals
where action = :action order by opened_at desc, id desc limit 1

-- name: approvals_about
select id, action, digest, asks, state, opened_at, closed_at, reason from approvals
where action = :action order by opened_at, id

-- name: find_approvals
select id from approvals
where state = 'open' and (id like :suffix escape '!' or action like :suffix escape '!')
limit 2

-- name: list_approvals
select id, action, digest, asks, state, opened_at, closed_at, reason from approvals
where (cast(:state as text) is null or state = :state)
    and (
        cast(:after as text) is null
        or (opened_at, id) > (select last.opened_at, last.id from approvals last where last.id = :after)
    )
order by opened_at, id limit :limit

-- name: open_approvals
select id, action, digest, asks, state, opened_at, closed_at, reason from approvals
where state = 'open' and opened_at >= :since and (opened_at > :since or id > :last)
order by opened_at, id limit :limit

-- name: open_approval_before
select id from approvals
where state = 'open' and opened_at <= :since and (opened_at < :since or id < :last)
order by opened_at desc, id desc limit 1

-- (Groups come as one text with each name in quotes, which no name has: both databases can look into that.)
-- name: waiting_approvals
select a.id, a.action, a.digest, a.asks, a.state, a.opened_at, a.closed_at, a.reason from approvals a
where a.state = 'open' and a.opened_at >= :since and (a.opened_at > :since or a.id > :last)
    and case
        when not exists (
            select 1 from seats s where s.approval = a.id
                and replace(cast(:groups as text), '"' || s.asked || '"', '') <> cast(:groups as text)
        ) then 0
        when exists (select 1 from votes v where v.approval = a.id and v.person = :person) then 0
        else 1
    end = :asked
order by a.opened_at, a.id limit :limit

-- name: waiting_approval_before
select a.id from approvals a
where a.state = 'open' and a.opened_at <= :since and (a.opened_at < :since or a.id < :last)
    and exists (
        select 1 from seats s where s.approval = a.id
            and replace(cast(:groups as text), '"' || s.asked || '"', '') <> cast(:groups as text)
    )
    and not exists (select 1 from votes v where v.approval = a.id and v.person = :person)
order by a.opened_at desc, a.id desc limit 1

-- name: votes
select approval, person, choice, reason, verified, at from votes where approval = :approval order by at, person

-- name: add_vote
insert into votes (approval, person, choice, reason, verified, at)
values (:approval, :person, :choice, :reason, :verified, :at)
on conflict (approval, person) do nothing

-- name: close_approval
update approvals set state = :state, closed_at = :at, reason = :reason where id = :id and state = 'open'

-- name: due_approvals
select a.id from approvals a
where a.state = 'open' and exists (select 1 from seats s where s.approval = a.id and s.expires_at <= :at)
order by a.opened_at, a.id limit :limit

-- name: escalate
update seats set asked = :asked, need = :need, expires_at = :expires_at, if_no_answer = :if_no_answer
where approval = :approval and audience = :audience
