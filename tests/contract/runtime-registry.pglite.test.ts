// The registry's contract on PGlite.
import { scratchPglite } from "./pglite-world.ts";
import { sqlRuntimeContract } from "./sql-runtime.ts";

sqlRuntimeContract("PGlite", scratchPglite);
