// SQL files are imported as text, which also puts them into compiled binaries.

declare module "*.sql" {
  const text: string;
  export = text;
}
