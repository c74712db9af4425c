-- The table that the export to ClickHouse writes to, and views over it. The control plane makes them
-- itself where it may; this file is for those who make them by hand.

create database if not exists observability;

create table if not exists observability.noetl_events
(
  Timestamp DateTime64(3, 'UTC'),
  EventId String,
  ExecutionId String,
  Seq UInt32,
  EventType LowCardinality(String),
  Status LowCardinality(String),
  Tenant LowCardinality(String),
  Path String,
  Version UInt32,
  StepName String,
  CommandId String,
  Attempt UInt32,
  Worker String,
  Duration Float64,
  ErrorKind LowCardinality(String),
  ErrorMessage String
)
engine = ReplacingMergeTree
order by (Tenant, ExecutionId, Seq)
ttl toDateTime(Timestamp) + interval 90 day;

create view if not exists observability.noetl_execution_stats as
select Tenant, ExecutionId, any(Path) as Path, min(Timestamp) as StartedAt,
  max(Timestamp) as LastEventAt, count() as Events,
  countIf(EventType = 'step.exit') as StepsEnded, countIf(EventType = 'call.error') as FailedCalls,
  argMaxIf(EventType, Seq, EventType in ('playbook.completed', 'playbook.failed', 'playbook.cancelled'))
    as Ended
from observability.noetl_events final group by Tenant, ExecutionId;

create view if not exists observability.error_rate_by_service as
select Tenant, Path, toStartOfHour(Timestamp) as Hour,
  countIf(EventType = 'call.error') as Errors,
  countIf(EventType in ('call.done', 'call.error')) as Calls,
  if(Calls = 0, 0, Errors / Calls) as ErrorRate
from observability.noetl_events final group by Tenant, Path, Hour;

create view if not exists observability.avg_duration_by_span as
select Tenant, Path, StepName, toStartOfHour(Timestamp) as Hour, count() as Calls,
  avg(Duration) as AvgSeconds, quantile(0.95)(Duration) as P95Seconds
from observability.noetl_events final where EventType in ('call.done', 'call.error')
group by Tenant, Path, StepName, Hour;
