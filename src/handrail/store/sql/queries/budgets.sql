-- (What nobody took yet of the chunks of a window is room.)
-- name: room
select
    (
        select used from budget_windows
        where budget = :budget and scope = :scope and starts_at = cast(:starts_at as bigint)
    ) - (
        select cast(coalesce(sum(c.quantity - (
            select coalesce(sum(case when h.spent < h.quantity then h.spent else h.quantity end), 0)
            from holds h where h.chunk = c.id
        )), 0) as bigint)
        from budget_chunks c
        where c.budget = :budget and c.scope = :scope and c.starts_at = cast(:starts_at as bigint)
    ),
    (
        select cast(coalesce(sum(quantity), 0) as bigint) from budget_raises
        where budget = :budget and ended_at is null and (scope is null or scope = :scope)
            and (starts_at = cast(:starts_at as bigint) or until > cast(:at as bigint))
    )

-- (A bucket counts whole as long as any part of it is inside; one that is ahead of this clock counts, too.)
-- name: rolling_used
select cast(coalesce(sum(used), 0) as bigint) from budget_windows
where budget = :budget and scope = :scope and starts_at > :oldest

-- (What a window holds is tested where it is locked; a new window holds this charge alone.)
-- name: reserve
insert into budget_windows (budget, scope, starts_at, unit, used, ceiling)
select :budget, :scope, :starts_at, :unit, :quantity, most
from (
    select :limit + (
        select coalesce(sum(quantity), 0) from budget_raises
        where budget = :budget and ended_at is null and (scope is null or scope = :scope)
            and (starts_at = :starts_at or until > :at)
    ) as most
) limits
where :quantity <= most
on conflict (budget, scope, starts_at) do update set
    used = budget_windows.used + excluded.used, ceiling = excluded.ceiling
where budget_windows.used <= excluded.ceiling - excluded.used

-- name: reserve_rolling
insert into budget_windows (budget, scope, starts_at, unit, used, ceiling)
select :budget, :scope, cast(:starts_at as bigint), :unit, cast(:quantity as bigint), most
from (
    select cast(:limit as bigint) + cast((
        select coalesce(sum(quantity), 0) from budget_raises
        where budget = :budget and ended_at is null and (scope is null or scope = :scope)
            and until > cast(:at as bigint)
    ) as bigint) as most
) limits
where cast(:quantity as bigint) <= most - (
    select coalesce(sum(used), 0) from budget_windows
    where budget = :budget and scope = :scope and starts_at > cast(:oldest as bigint)
)
on conflict (budget, scope, starts_at) do update set
    used = budget_windows.used + excluded.used, ceiling = excluded.ceiling

-- name: reserve_soft
insert into budget_windows (budget, scope, starts_at, unit, used, ceiling)
values (:budget, :scope, :starts_at, :unit, :quantity, :limit)
on conflict (budget, scope, starts_at) do update set used = budget_windows.used + excluded.used
where budget_windows.used <= 9223372036854775807 - excluded.used

-- name: window_after
select
    used, ceiling, alerted,
    (
        select cast(coalesce(sum(c.quantity - (
            select coalesce(sum(case when h.spent < h.quantity then h.spent else h.quantity end), 0)
            from holds h where h.chunk = c.id
        )), 0) as bigint)
        from budget_chunks c
        where c.budget = :budget and c.scope = :scope and c.starts_at = cast(:starts_at as bigint)
    )
from budget_windows
where budget = :budget and scope = :scope and starts_at = cast(:starts_at as bigint)

-- name: add_hold
insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at, spent)
values (:holder, :attempt, :budget, :scope, :starts_at, :quantity, :state, :unit, :at, :spent)

-- name: settle_holds
update holds set state = 'settled', spent = quantity
where holder = :holder and attempt = :attempt and (state = 'held' or state = 'presumed')

-- name: settle_measured
update holds set state = 'settled', spent = case unit
    when 'cost' then coalesce(cast(:cost as bigint), quantity)
    when 'tokens' then coalesce(cast(:tokens as bigint), quantity)
    when 'amount' then coalesce(cast(:amount as bigint), quantity)
    else coalesce(cast(:actions as bigint), quantity)
end
where holder = :holder and attempt = :attempt and (state = 'held' or state = 'presumed')
returning budget, scope, starts_at, unit, quantity, spent, chunk

-- (What was taken from a chunk is room in the chunk again.)
-- name: release_holds
update holds set state = 'released', spent = 0
where holder = :holder and attempt = :attempt and (state = 'held' or state = 'presumed')
returning budget, scope, starts_at, quantity, chunk

-- name: presume_holds
update holds set state = 'presumed', spent = quantity
where holder = :holder and attempt = :attempt and state = 'held'

-- name: cap_hold
update holds set spent = :spent
where holder = :holder and attempt = :attempt and budget = :budget and scope = :scope and starts_at = :starts_at

-- name: move_window
update budget_windows set used = used + :more
where budget = :budget and scope = :scope and starts_at = :starts_at

-- name: add_raise
insert into budget_raises (id, budget, scope, starts_at, until, quantity, person, reason, made_at)
values (:id, :budget, :scope, :window, :until, :quantity, :person, :reason, :made_at)

-- name: end_raise
update budget_raises set ended_at = :at, ended_by = :person, end_reason = :reason
where id = :id and ended_at is null

-- name: raises
select id, budget, scope, starts_at, until, quantity, person, reason, made_at, ended_at from budget_raises
where ended_at is null and (cast(:budget as text) is null or budget = :budget)
    and (until is null or until > cast(:at as bigint))
order by id desc

-- name: raise
select id, budget, scope, starts_at, until, quantity, person, reason, made_at, ended_at from budget_raises
where id = :id

-- name: add_freeze
insert into budget_freezes (id, budget, reason, person, at) values (:id, :budget, :reason, :person, :at)
on conflict do nothing

-- name: thaw
update budget_freezes set thawed_at = :at, thawed_by = :person, thaw_reason = :reason
where budget = :budget and thawed_at is null

-- name: freezes
select budget, person, reason, at from budget_freezes where thawed_at is null

-- name: add_alert
insert into budget_alerts (id, budget, scope, starts_at, percent, at, used, ceiling)
values (:id, :budget, :scope, :window, :percent, :at, :used, :limit)
on conflict (budget, scope, starts_at, percent) do nothing

-- name: mark_alerted
update budget_windows set alerted = :percent
where budget = :budget and scope = :scope and starts_at = :window and alerted < :percent

-- name: alert
select id, budget, scope, starts_at, percent, at, used, ceiling from budget_alerts where id = :id

-- name: alerts
select id, budget, scope, starts_at, percent, at, used, ceiling from budget_alerts
where (cast(:budget as text) is null or budget = :budget) and at >= :since
order by id desc limit :limit

-- (Alerts of a window that rolls: which percentages were told since its oldest bucket began.)
-- name: alerted_since
select coalesce(max(percent), 0) from budget_alerts
where budget = :budget and scope = :scope and starts_at > :oldest

-- (What is held is held by what runs: few rows, found without an index that every charge would have to keep.)
-- name: balances
select
    fullest.scope, fullest.used,
    (
        select cast(coalesce(sum(h.quantity), 0) as bigint) from holds h
        where h.holder in (
                select a.id from actions a where a.state = 'running'
                union all select m.id from model_calls m where m.state = 'running'
            )
            and h.state = 'held' and h.budget = :budget and h.scope = fullest.scope
            and h.starts_at >= cast(:earliest as bigint) and h.starts_at <= cast(:latest as bigint)
    ),
    (
        select cast(coalesce(sum(r.quantity), 0) as bigint) from budget_raises r
        where r.budget = :budget and r.ended_at is null and (r.scope is null or r.scope = fullest.scope)
            and (r.starts_at = cast(:starts_at as bigint) or r.until > cast(:at as bigint))
    )
from (
    select w.scope, cast(sum(w.used - (
            select cast(coalesce(sum(c.quantity - (
                select coalesce(sum(case when h.spent < h.quantity then h.spent else h.quantity end), 0)
                from holds h where h.chunk = c.id
            )), 0) as bigint)
            from budget_chunks c
            where c.budget = :budget and c.scope = w.scope and c.starts_at = w.starts_at
        )) as bigint) as used
    from budget_windows w
    where w.budget = :budget and w.starts_at >= cast(:earliest as bigint)
        and w.starts_at <= cast(:latest as bigint) and substr(w.scope, 1, 9) <> '["shadow"'
    group by w.scope
    order by 2 desc, 1 limit :limit
) fullest
order by fullest.used desc, fullest.scope

-- name: presumed
select h.holder, h.attempt, h.budget, h.scope, h.starts_at, h.unit, h.quantity, h.at from holds h
where h.state = 'presumed' order by h.at desc limit :limit

-- (Who holds what: actions by their tool, calls of models by their model.)
-- name: spenders
select
    coalesce(a.agent, m.agent), coalesce(a.tool, m.upstream || ':' || m.model) as what,
    cast(sum(coalesce(h.spent, h.quantity)) as bigint) as quantity
from holds h left join actions a on a.id = h.holder left join model_calls m on m.id = h.holder
where h.at >= :since and h.budget = :budget and h.scope = :scope
    and h.starts_at >= cast(:earliest as bigint) and h.starts_at <= cast(:latest as bigint)
group by 1, 2
order by 3 desc, 1, 2 limit :limit

-- name: spending
select
    case :by
        when 'agent' then coalesce(a.agent, m.agent)
        when 'tool' then a.tool
        when 'model' then m.upstream || ':' || m.model
        when 'task' then coalesce(a.task, m.task)
        when 'session' then coalesce(a.session, m.session)
    end as name,
    s.unit, cast(sum(s.quantity) as bigint) as quantity, count(*)
from (
    select h.holder, h.attempt, h.unit, max(coalesce(h.spent, h.quantity)) as quantity
    from holds h
    where h.at >= :since and h.at < :until and h.state <> 'released' and substr(h.scope, 1, 9) <> '["shadow"'
        and h.budget = :budget and (cast(:scope as text) is null or h.scope = :scope)
    group by h.holder, h.attempt, h.unit
) s left join actions a on a.id = s.holder left join model_calls m on m.id = s.holder
group by 1, 2
order by 3 desc, 1, 2 limit :limit

-- (One action counts against many budgets: its largest hold of each unit stands for it. What a call of a model
-- cost is known also where no budget counts it.)
-- name: spending_in_all
select
    case :by
        when 'agent' then coalesce(a.agent, m.agent)
        when 'tool' then a.tool
        when 'model' then m.upstream || ':' || m.model
        when 'task' then coalesce(a.task, m.task)
        when 'session' then coalesce(a.session, m.session)
    end as name,
    s.unit, cast(sum(s.quantity) as bigint) as quantity, count(*)
from (
    select h.holder, h.attempt, h.unit, max(coalesce(h.spent, h.quantity)) as quantity
    from holds h
    where h.at >= :since and h.at < :until and h.state <> 'released' and substr(h.scope, 1, 9) <> '["shadow"'
    group by h.holder, h.attempt, h.unit
    union all
    select c.id, c.attempt, 'cost', coalesce(c.cost, c.bound_cost)
    from model_calls c
    where c.asked_at >= :since and c.asked_at < :until and coalesce(c.cost, c.bound_cost) > 0
        and not exists (
            select 1 from holds h where h.holder = c.id and h.attempt = c.attempt and h.unit = 'cost'
        )
) s left join actions a on a.id = s.holder left join model_calls m on m.id = s.holder
group by 1, 2
order by 3 desc, 1, 2 limit :limit

-- name: spending_in_time
select
    (h.at - cast(:since as bigint)) / cast(:width as bigint) as number,
    cast(sum(coalesce(h.spent, h.quantity)) as bigint), count(*)
from holds h
where h.at >= :since and h.at < :until and h.state <> 'released' and h.budget = :budget
    and substr(h.scope, 1, 9) <> '["shadow"' and (cast(:scope as text) is null or h.scope = :scope)
group by 1
order by 1
