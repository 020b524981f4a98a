-- name: used
select used from budget_windows where budget = :budget and scope = :scope and starts_at = :starts_at

-- name: reserve
insert into budget_windows (budget, scope, starts_at, used) values (:budget, :scope, :starts_at, :quantity)
on conflict (budget, scope, starts_at) do update set used = budget_windows.used + excluded.used
where budget_windows.used + excluded.used <= :limit

-- name: add_hold
insert into holds (action, attempt, budget, scope, starts_at, quantity, state)
values (:action, :attempt, :budget, :scope, :starts_at, :quantity, 'held')

-- name: settle_holds
update holds set state = 'settled' where action = :action and attempt = :attempt and state = 'held'

-- name: open_holds
select budget, scope, starts_at, quantity from holds
where action = :action and attempt = :attempt and state = 'held'
order by budget, scope, starts_at

-- name: release_hold
update holds set state = 'released'
where action = :action and attempt = :attempt and budget = :budget and scope = :scope and starts_at = :starts_at
    and state = 'held'

-- name: give_back
update budget_windows set used = used - :quantity
where budget = :budget and scope = :scope and starts_at = :starts_at
