// The event log's contract on PostgreSQL.
import { postgresWorld } from "./postgres-world.ts";
import { sqlEventLogContract } from "./sql-event-log.ts";

sqlEventLogContract("PostgreSQL", postgresWorld().open);
