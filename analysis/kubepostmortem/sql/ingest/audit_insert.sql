-- The requests that are new, or that end what was open; those that are open only where no more will come.
insert into requests by name
from audit_folded($cluster, true, not $more)
-- In order of time the columns pack to half the size, and a query for a span skips the rest.
order by received_at
