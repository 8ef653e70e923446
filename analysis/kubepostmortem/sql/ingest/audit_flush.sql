-- The requests that were held as open.
insert into requests by name
from audit_open
order by received_at
