// Names that already mean something in templates (language reference §3.2): what gives a value
// another name should not take one of these.

/** Names that no loop may give its item: what the engine and the workers are asked for by name. */
export const reservedNames: ReadonlySet<string> = new Set([
  "workload",
  "ctx",
  "iter",
  "steps",
  "event",
  "output",
  "keychain",
  "execution_id",
  "catalog_id",
  "loop",
  "_index",
  "_total",
]);

/** All names with a meaning of their own: whoever takes one hides it. */
export const knownNames: ReadonlySet<string> = new Set([
  ...reservedNames,
  "error",
  "results",
  "stats",
  "job",
  "env",
  "args",
  "input_data",
  "range",
  "dict",
  "now",
  "namespace",
]);

/** Words of the template language itself, which can't be names at all. */
export const templateWords: ReadonlySet<string> = new Set([
  "and",
  "or",
  "not",
  "in",
  "is",
  "if",
  "else",
  "elif",
  "for",
  "set",
  "true",
  "false",
  "none",
  "True",
  "False",
  "None",
]);
