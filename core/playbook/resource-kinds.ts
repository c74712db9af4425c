// The kinds of documents that the catalog keeps, and how each may be called. Playbooks and agents
// can be run; the others are there to be found and read.

export const resourceKinds = [
  "Playbook",
  "Agent",
  "Mcp",
  "Credential",
  "Subscription",
  "Tool",
  "Schema",
  "Memory",
] as const;
export type ResourceKind = (typeof resourceKinds)[number];

const byName: ReadonlyMap<string, ResourceKind> = new Map([
  ...resourceKinds.map((kind) => [kind.toLowerCase(), kind] as const),
  ...resourceKinds.map((kind) => [`${kind.toLowerCase()}s`, kind] as const),
  ["memories", "Memory"],
]);

/** In any case, alone or in the plural; undefined for what is no kind. */
export function resourceKindNamed(text: string): ResourceKind | undefined {
  return byName.get(text.trim().toLowerCase());
}

/** Whether executions can be started from entries of the kind. */
export function isExecutable(kind: string): boolean {
  const named = resourceKindNamed(kind);
  return named === "Playbook" || named === "Agent";
}
