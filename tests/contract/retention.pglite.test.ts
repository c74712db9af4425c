// Retention on PGlite.
import { scratchPglite } from "./pglite-world.ts";
import { retentionContract } from "./retention.ts";

retentionContract("PGlite", scratchPglite);
