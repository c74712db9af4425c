// The files of the embedded database's engine, as the compiled binary carries them. The package
// doesn't export them, so they are named by place.

import initdb from "../../node_modules/@electric-sql/pglite/dist/initdb.wasm" with { type: "file" };
import data from "../../node_modules/@electric-sql/pglite/dist/pglite.data" with { type: "file" };
import engine from "../../node_modules/@electric-sql/pglite/dist/pglite.wasm" with { type: "file" };
import type { PgliteAssets } from "./pglite.ts";

export async function carriedAssets(): Promise<PgliteAssets> {
  const compiled = async (path: string): Promise<WebAssembly.Module> =>
    WebAssembly.compile(await Bun.file(path).arrayBuffer());
  const [pgliteWasmModule, initdbWasmModule] = await Promise.all([
    compiled(engine),
    compiled(initdb),
  ]);
  return { pgliteWasmModule, initdbWasmModule, fsBundle: Bun.file(data) };
}
