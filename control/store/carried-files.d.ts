// Files that the compiled binary carries: importing one gives its path.

declare module "*.wasm" {
  const path: string;
  export = path;
}

declare module "*.data" {
  const path: string;
  export = path;
}
