// The contracts of the stores around an execution on PGlite.
import { scratchPglite } from "./pglite-world.ts";
import { platformContracts, sqlPlatform } from "./platform.ts";

platformContracts(sqlPlatform("PGlite", scratchPglite));
