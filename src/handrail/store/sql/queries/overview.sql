-- (Ids begin with their time, so the primary key finds the newest actions; the database's clock decides.)
-- name: tallies
select
    substr(id, 1, :digits), proposed_at / cast(:width as bigint) as number, agent, tool,
    case
        when shadow <> 0 then 'recorded'
        when state = 'denied' then 'denied'
        when state in ('held', 'rejected', 'expired', 'cancelled', 'superseded') then 'asked'
        when approved is not null and standing is null then 'asked'
        else 'ran'
    end as met,
    count(*),
    sum(case when state in ('failed', 'unknown', 'undo_failed') then 1 else 0 end)
from actions
where id >= :first and id < :end and proposed_at >= cast(:since as bigint) and person is null
group by 1, 2, 3, 4, 5

-- name: waiting
select agent, tool, count(*) from actions where state = 'held' group by agent, tool

-- name: open_questions
select count(*) from approvals where state = 'open'
