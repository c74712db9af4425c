// Snapshots, projections and repair on PGlite.
import { scratchPglite } from "./pglite-world.ts";
import { sqlDerivedContracts } from "./sql-derived.ts";

sqlDerivedContracts("PGlite", scratchPglite);
