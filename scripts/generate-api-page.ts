// Makes docs/api-routes.md: every route of the control plane with whom it lets in, from the contract
// itself.

import { api } from "#core/wire/api";
import type { Route } from "#core/wire/route";
import type { GeneratedFile } from "./generate.ts";

const head = `# Routes of the control plane

Made by \`bun run generate\` from the contract (\`core/wire/api-*.ts\`); [the API](api.md) says how requests
and answers look, [access](access.md) what the roles are. A role lets in those above it too: viewer,
operator, editor, admin. \`person\` is anybody who has signed in, \`machine\` a process of the installation,
\`platform\` who runs the installation and may do everything; \`link\` is whoever holds the token that the
request carries, \`public\` anybody.
`;

export function generate(): readonly GeneratedFile[] {
  const byTag = new Map<string, Route[]>();
  for (const entry of Object.values<Route>(api)) {
    const known = byTag.get(entry.tag);
    if (known === undefined) byTag.set(entry.tag, [entry]);
    else known.push(entry);
  }
  const sections = [...byTag].sort(([a], [b]) => (a < b ? -1 : 1)).map(section);
  return [{ path: "docs/api-routes.md", text: `${head}\n${sections.join("\n")}` }];
}

function section([tag, entries]: readonly [string, readonly Route[]]): string {
  const rows = [...entries].sort((a, b) => (place(a) < place(b) ? -1 : 1)).map(row);
  return [`## ${tag}`, "", "| route | lets in | |", "|---|---|---|", ...rows, ""].join("\n");
}

/** Sorted by path, then by method. */
function place({ path, method }: Route): string {
  return `${path} ${method}`;
}

function row({ method, path, access, summary }: Route): string {
  const rules = typeof access === "string" ? [access] : access;
  return `| \`${method} ${path}\` | ${rules.join(", ")} | ${summary.replaceAll("|", "\\|")} |`;
}
