// Which playbooks of a tenant are tools, by which names and with which arguments.

import type { ControlContext } from "#control/services/context";
import type { CatalogId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  mcpEntriesMax,
  mcpNameCharsMax,
  mcpWaitMsDefault,
  mcpWaitMsMax,
} from "#core/model/mcp-limits";
import { runForm, workloadSchema } from "#core/playbook/run-form";
import type { CatalogSummary } from "#core/ports/catalog-store";

export interface ExposedPlaybook {
  /** What the tool is called by. */
  readonly name: string;
  readonly entry: CatalogSummary;
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
  const entries = await catalog.list({ tenant, isExposed: true, limit: mcpEntriesMax, ...path });
  const names = new Set<string>();
  return entries.map((entry) => {
    const name = freeName(wantedName(entry), names);
    names.add(name);
    return { name, entry, description: descriptionOf(entry), waitMs: waitMsOf(entry) };
  });
}

/** What each of them takes, by the id of its entry. */
export async function inputSchemasOf(
  { catalog }: ControlContext,
  exposed: readonly ExposedPlaybook[],
): Promise<ReadonlyMap<CatalogId, JsonObject>> {
  const contents = await catalog.contents(exposed.map(({ entry }) => entry.catalogId));
  return new Map(
    [...contents].map(([id, content]) => [id, workloadSchema(runForm(content))] as const),
  );
}

function toldOf({ meta }: CatalogSummary): JsonObject {
  const said = meta["exposes_as_mcp"];
  return said !== undefined && isJsonObject(said) ? said : {};
}

function wantedName(entry: CatalogSummary): string {
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

function descriptionOf(entry: CatalogSummary): string {
  const { description } = toldOf(entry);
  const own = typeof description === "string" ? description : entry.meta["description"];
  return typeof own === "string" ? own : `The playbook ${entry.path}.`;
}

function waitMsOf(entry: CatalogSummary): number {
  const { timeout_seconds: seconds } = toldOf(entry);
  if (typeof seconds !== "number" || !(seconds > 0)) return mcpWaitMsDefault;
  return Math.min(seconds * 1_000, mcpWaitMsMax);
}
