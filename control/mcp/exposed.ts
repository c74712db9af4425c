// Which playbooks of a tenant are tools, by which names and with which arguments.

import type { ControlContext } from "#control/services/context";
import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  mcpEntriesMax,
  mcpNameCharsMax,
  mcpWaitMsDefault,
  mcpWaitMsMax,
} from "#core/model/mcp-limits";
import { runForm, workloadSchema } from "#core/playbook/run-form";
import type { CatalogEntry } from "#core/ports/catalog-store";

export interface ExposedPlaybook {
  /** What the tool is called by. */
  readonly name: string;
  readonly entry: CatalogEntry;
  readonly description: string;
  /** How long a call waits for the end. */
  readonly waitMs: number;
}

/** By path, newest versions. @param only the path of the one that is wanted. */
export async function exposedPlaybooks(
  { catalog }: ControlContext,
  tenant: string,
  only?: string,
): Promise<readonly ExposedPlaybook[]> {
  const path = only === undefined ? {} : { path: only };
  const entries = await catalog.list({ tenant, limit: mcpEntriesMax, ...path });
  const names = new Set<string>();
  return entries.filter(isExposed).map((entry) => {
    const name = freeName(wantedName(entry), names);
    names.add(name);
    return { name, entry, description: descriptionOf(entry), waitMs: waitMsOf(entry) };
  });
}

export function inputSchemaOf({ entry }: ExposedPlaybook): JsonObject {
  return workloadSchema(runForm(entry.content));
}

/** `exposes_as_mcp: true`, or a map that says more. */
function isExposed({ meta }: CatalogEntry): boolean {
  const said = meta["exposes_as_mcp"];
  return said === true || (said !== undefined && isJsonObject(said));
}

function toldOf({ meta }: CatalogEntry): JsonObject {
  const said = meta["exposes_as_mcp"];
  return said !== undefined && isJsonObject(said) ? said : {};
}

function wantedName(entry: CatalogEntry): string {
  const { name } = toldOf(entry);
  const text = typeof name === "string" && name !== "" ? name : entry.path;
  return text.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, mcpNameCharsMax);
}

/** The name, or the first one like it that nobody has: the order of paths decides who gets it. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? "" : `_${n}`;
    const name = wanted.slice(0, mcpNameCharsMax - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}

function descriptionOf(entry: CatalogEntry): string {
  const { description } = toldOf(entry);
  const own = typeof description === "string" ? description : entry.meta["description"];
  return typeof own === "string" ? own : `The playbook ${entry.path}.`;
}

function waitMsOf(entry: CatalogEntry): number {
  const { timeout_seconds: seconds } = toldOf(entry);
  if (typeof seconds !== "number" || !(seconds > 0)) return mcpWaitMsDefault;
  return Math.min(seconds * 1_000, mcpWaitMsMax);
}
