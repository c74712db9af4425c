// Python programs are imported as text, so that the compiled binary carries them.

declare module "*.py" {
  const source: string;
  export = source;
}
