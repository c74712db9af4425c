// The contracts of the catalog and of the result store on memory.
import { memoryCatalog } from "#core/adapters/memory-catalog";
import { memoryResults } from "#core/adapters/memory-results";
import { catalogStoreContract } from "./catalog-store.ts";
import { resultStoreContract } from "./result-store.ts";

const close = async () => {};
catalogStoreContract("memory", async () => ({ catalog: memoryCatalog(), close }));
resultStoreContract("memory", async () => ({ results: memoryResults(), close }));
