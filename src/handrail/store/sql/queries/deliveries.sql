-- name: add_delivery
insert into deliveries (
    id, kind, subject, channel, state, due_at, tries, lease_until, reference, error, sent_at
) values (
    :id, :kind, :subject, :channel, :state, :due_at, :tries, :lease_until, :reference, :error, :sent_at
)
on conflict (subject, kind, channel) do nothing

-- name: delivery_sent
update deliveries set state = 'sent', sent_at = :at, reference = :reference, error = null, lease_until = null
where id = :id and state = 'sending'

-- name: delivery_later
update deliveries set state = 'due', due_at = :due_at, error = :error, lease_until = null
where id = :id and state = 'sending'

-- name: delivery_gave_up
update deliveries set state = 'gave_up', due_at = :at, error = :error, lease_until = null
where id = :id and state = 'sending'

-- name: next_delivery
select coalesce(lease_until, due_at) from deliveries
where state = 'due' or state = 'sending'
order by coalesce(lease_until, due_at) limit 1

-- name: deliveries_of
select id, kind, subject, channel, state, due_at, tries, lease_until, reference, error, sent_at
from deliveries where subject = :subject order by id

-- name: list_deliveries
select id, kind, subject, channel, state, due_at, tries, lease_until, reference, error, sent_at
from deliveries
where (cast(:state as text) is null or state = :state)
order by id desc
limit :limit
