// The registry's contract on PostgreSQL.
import { postgresWorld } from "./postgres-world.ts";
import { sqlRuntimeContract } from "./sql-runtime.ts";

sqlRuntimeContract("PostgreSQL", postgresWorld().open);
