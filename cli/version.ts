// The version of the product, as every process reports it.

import manifest from "../package.json";

export const version: string = manifest.version;
