// Makes the prepared database of the embedded shape, so that the first start of anything that
// needs one takes half a second. Called after an install; doing it again costs one look.
import { resolve } from "node:path";
import { prepareDataDirectory, preparedDirectory } from "#control/store/prepared";

if (import.meta.main) {
  const cacheDirectory = resolve(import.meta.dir, "..", ".noetl", "cache");
  await prepareDataDirectory(cacheDirectory);
  console.log(preparedDirectory(cacheDirectory));
}
