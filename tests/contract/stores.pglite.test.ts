// The contracts of the catalog and of the result store on PGlite.
import { sqlCatalog } from "#control/store/catalog";
import { sqlResults } from "#control/store/results";
import { catalogStoreContract } from "./catalog-store.ts";
import { scratchPglite } from "./pglite-world.ts";
import { resultStoreContract } from "./result-store.ts";

catalogStoreContract("PGlite", async () => {
  const sql = await scratchPglite();
  return { catalog: sqlCatalog(sql), close: () => sql.close() };
});
resultStoreContract("PGlite", async () => {
  const sql = await scratchPglite();
  return { results: sqlResults(sql), close: () => sql.close() };
});
