// The contracts of the catalog and of the result store on PostgreSQL.
import { sqlCatalog } from "#control/store/catalog";
import { sqlResults } from "#control/store/results";
import { catalogStoreContract } from "./catalog-store.ts";
import { postgresWorld } from "./postgres-world.ts";
import { resultStoreContract } from "./result-store.ts";

const world = postgresWorld();

catalogStoreContract("PostgreSQL", async () => {
  const sql = await world.open();
  return { catalog: sqlCatalog(sql), close: () => sql.close() };
});
resultStoreContract("PostgreSQL", async () => {
  const sql = await world.open();
  return { results: sqlResults(sql), close: () => sql.close() };
});
