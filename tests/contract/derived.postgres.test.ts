// Snapshots, projections and repair on PostgreSQL.
import { postgresWorld } from "./postgres-world.ts";
import { sqlDerivedContracts } from "./sql-derived.ts";

const world = postgresWorld();
sqlDerivedContracts("PostgreSQL", () => world.open());
