// The event log's contract on PGlite.
import { scratchPglite } from "./pglite-world.ts";
import { sqlEventLogContract } from "./sql-event-log.ts";

sqlEventLogContract("PGlite", scratchPglite);
