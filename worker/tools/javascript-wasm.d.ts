// The interpreter's WebAssembly is imported as a file, so that the compiled binary carries it.

declare module "@jitl/quickjs-ng-wasmfile-release-sync/wasm" {
  const path: string;
  export = path;
}
