// The contracts of the stores around an execution on PostgreSQL.
import { platformContracts, sqlPlatform } from "./platform.ts";
import { postgresWorld } from "./postgres-world.ts";

platformContracts(sqlPlatform("PostgreSQL", postgresWorld().openCopy));
