-- name: add_schema
insert into tool_schemas (tool, binding, schema, registered_at, registered_by, accepted_at, accepted_by)
values (:tool, :binding, :schema, :registered_at, :registered_by, :accepted_at, :accepted_by)

-- name: schema
select tool, binding, schema, registered_at, registered_by, accepted_at, accepted_by
from tool_schemas where tool = :tool and binding = :binding

-- name: unpin_schema
update tool_schemas set accepted_at = null, accepted_by = null
where tool = :tool and binding <> :binding and accepted_at is not null

-- name: accept_schema
update tool_schemas set accepted_at = :at, accepted_by = :person where tool = :tool and binding = :binding

-- name: pinned_schemas
select tool, binding, schema, registered_at, registered_by, accepted_at, accepted_by
from tool_schemas where accepted_at is not null order by tool

-- name: schemas
select tool, binding, schema, registered_at, registered_by, accepted_at, accepted_by
from tool_schemas order by registered_at desc, tool, binding
