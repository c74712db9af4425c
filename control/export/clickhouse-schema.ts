// The tables and views that the export to ClickHouse writes to, as statements. The views read rows
// once even where they were written twice, which views that add up at insertion could not.

/** In the order in which they are made; made again they change nothing. */
export function clickhouseSchema(database: string): readonly string[] {
  const events = `${database}.noetl_events`;
  return [
    `create database if not exists ${database}`,
    `create table if not exists ${events}
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
ttl toDateTime(Timestamp) + interval 90 day`,
    `create view if not exists ${database}.noetl_execution_stats as
select Tenant, ExecutionId, any(Path) as Path, min(Timestamp) as StartedAt,
  max(Timestamp) as LastEventAt, count() as Events,
  countIf(EventType = 'step.exit') as StepsEnded, countIf(EventType = 'call.error') as FailedCalls,
  argMaxIf(EventType, Seq, EventType in ('playbook.completed', 'playbook.failed', 'playbook.cancelled'))
    as Ended
from ${events} final group by Tenant, ExecutionId`,
    `create view if not exists ${database}.error_rate_by_service as
select Tenant, Path, toStartOfHour(Timestamp) as Hour,
  countIf(EventType = 'call.error') as Errors,
  countIf(EventType in ('call.done', 'call.error')) as Calls,
  if(Calls = 0, 0, Errors / Calls) as ErrorRate
from ${events} final group by Tenant, Path, Hour`,
    `create view if not exists ${database}.avg_duration_by_span as
select Tenant, Path, StepName, toStartOfHour(Timestamp) as Hour, count() as Calls,
  avg(Duration) as AvgSeconds, quantile(0.95)(Duration) as P95Seconds
from ${events} final where EventType in ('call.done', 'call.error')
group by Tenant, Path, StepName, Hour`,
  ];
}
