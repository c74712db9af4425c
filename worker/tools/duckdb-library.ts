// DuckDB's shared library, as the compiled binary carries it. The client's own addon asks the
// system for it by name, and is content with one that this process has loaded already.

import { dlopen } from "bun:ffi";
import { loadUnpacked } from "#core/adapters/compiled";
// The build puts the library of the machine it builds for in the place of this one.
import library from "../../node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so" with {
  type: "file",
};

/** To be awaited before the client is imported. @throws Fault `unavailable` when it can't be. */
export async function loadCarriedLibrary(): Promise<void> {
  await loadUnpacked(library, "libduckdb.so", (file) =>
    // The loader wants at least one symbol; this one every release has.
    dlopen(file, { duckdb_library_version: { args: [], returns: "cstring" } }),
  );
}
