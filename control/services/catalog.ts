// Registering documents of the catalog, finding them, and putting them away. What is registered has
// been checked whole, so no execution starts from a playbook that can't run.

import {
  capabilitiesMax,
  capabilityCharsMax,
  catalogPathCharsMax,
  catalogWordsCharsMax,
  searchCharsMax,
  searchTermsMax,
} from "#core/model/catalog-limits";
import { isRuleKey, isSystemPath, systemPool } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CatalogId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { playbookBytesMax, ruleRunningMax } from "#core/model/limits";
import { storableText } from "#core/model/storable-text";
import type { PlaybookDocument } from "#core/playbook/document";
import { type ParsedResource, parseResource, type RefusedResource } from "#core/playbook/resource";
import { type ResourceKind, resourceKindNamed, resourceKinds } from "#core/playbook/resource-kinds";
import type {
  CatalogEntry,
  CatalogPlace,
  CatalogVersion,
  FoundBy,
  Registered,
} from "#core/ports/catalog-store";
import type { ControlContext } from "./context.ts";

export interface RegisterRequest {
  /** Whose catalog it comes into. */
  readonly tenant: string;
  /** YAML, plain or base64. */
  readonly content: string;
  /** Where it has no `metadata.path`. */
  readonly path?: string;
  /** What it is expected to be, in any case, alone or in the plural. */
  readonly resourceType?: string;
}

/** @throws Fault `invalid` with every problem and its place in `details`. */
export async function registerResource(
  context: ControlContext,
  request: RegisterRequest,
): Promise<Registered> {
  const content = plainText(request.content);
  const parsed = wholeResource(content, request.resourceType);
  const { kind, metadata, playbook } = parsed;
  const path = pathOf(metadata, request.path);
  if (isSystemPath(path)) {
    const message = `path ${path}: system/ is for the platform's own playbooks`;
    throw new Fault("forbidden", message);
  }
  if (playbook !== undefined) refuseSystemPool(playbook);
  const registered = await context.catalog.register({
    catalogId: context.ids.catalogId() as CatalogId,
    tenant: request.tenant,
    path,
    kind,
    content,
    digest: context.sha256(content),
    meta: metadata,
    createdAtMs: context.clock.nowMs(),
    found: foundBy({ path, kind, metadata }),
  });
  if (registered.restored) context.plans.forget([registered.entry.catalogId]);
  if (playbook === undefined) return registered;
  context.plans.keep(registered.entry, playbook);
  const concurrency = playbook.executor?.spec?.concurrency;
  if (concurrency !== undefined) {
    const maxRunning = Math.min(concurrency, ruleRunningMax);
    await keepMaximum(context, `playbook:${registered.entry.path}`, maxRunning);
  }
  return registered;
}

/** What registering the text would say, without registering it. */
export function checkResource(
  content: string,
  resourceType?: string,
): ParsedResource | RefusedResource {
  const text = plainText(content);
  if (text.length > playbookBytesMax) throw tooLarge(text.length);
  const parsed = parseResource(text);
  const mismatch = parsed.ok ? mismatchOf(parsed, resourceType) : undefined;
  if (mismatch === undefined) return parsed;
  const problem = { message: mismatch, line: 1, column: 1, path: ["kind"] };
  return { ok: false, kind: parsed.kind, problems: [problem], warnings: parsed.warnings };
}

function wholeResource(content: string, resourceType: string | undefined): ParsedResource {
  const checked = checkResource(content, resourceType);
  if (checked.ok) return checked;
  const [first] = checked.problems;
  const { length } = checked.problems;
  const what = checked.kind.toLowerCase();
  const count = length === 1 ? "one problem" : `${length} problems`;
  const place = first === undefined ? "" : ` (line ${first.line}: ${first.message})`;
  throw new Fault("invalid", `the ${what} is not valid: ${count}${place}`, {
    details: { problems: checked.problems },
  });
}

function tooLarge(found: number): Fault {
  const message = `the document has ${found} characters, expected at most ${playbookBytesMax}`;
  return new Fault("too_large", message);
}

/** @throws Fault `invalid` for what is no kind. */
export function kindNamed(text: string): ResourceKind {
  const kind = resourceKindNamed(text);
  if (kind !== undefined) return kind;
  const known = resourceKinds.map((each) => each.toLowerCase()).join(", ");
  throw new Fault("invalid", `resource_type: expected one of ${known}`);
}

function mismatchOf(
  { kind, metadata }: ParsedResource,
  resourceType: string | undefined,
): string | undefined {
  if (resourceType === undefined || resourceType === "") return undefined;
  const asked = kindNamed(resourceType);
  if (asked === kind || (asked === "Agent" && isAgent(kind, metadata))) return undefined;
  return `'kind' is '${kind}', expected ${asked} as resource_type says`;
}

function isAgent(kind: ResourceKind, metadata: JsonObject): boolean {
  return kind === "Agent" || (kind === "Playbook" && metadata["agent"] === true);
}

/** @throws Fault `invalid` for what can't be a path: it stands in addresses, and is typed. */
function pathOf({ path, name }: JsonObject, asked: string | undefined): string {
  const said = typeof path === "string" && path !== "" ? path : (asked ?? String(name ?? ""));
  const parts = said.replace(/^\//, "").split("/");
  const isWhole = parts.every((part) => part !== "" && part !== "." && part !== "..");
  const isPlain = !/[\p{C}\\?#%@*]/u.test(said) && said.trim() === said;
  if (isWhole && isPlain && said.length <= catalogPathCharsMax) return said;
  throw new Fault(
    "invalid",
    `path: expected 1 to ${catalogPathCharsMax} characters in parts between single slashes, none ` +
      "of them . or .., without control characters, \\, ?, #, %, @ and *",
  );
}

interface Described {
  readonly path: string;
  readonly kind: ResourceKind;
  readonly metadata: JsonObject;
}

function foundBy({ path, kind, metadata }: Described): FoundBy {
  const { name, title, description, tags, labels, capabilities } = metadata;
  const texts = [path, kind, ...[name, title, description, tags, labels].flatMap(textsIn)];
  const exposed = metadata["exposes_as_mcp"];
  return {
    words: storableText(texts.join(" ").toLowerCase())
      .slice(0, catalogWordsCharsMax)
      .toWellFormed(),
    capabilities: textsIn(capabilities)
      .slice(0, capabilitiesMax)
      .map((each) => storableText(each.slice(0, capabilityCharsMax))),
    isAgent: isAgent(kind, metadata),
    isExposed:
      (kind === "Playbook" || kind === "Agent") &&
      (exposed === true || (exposed !== undefined && isJsonObject(exposed))),
  };
}

function textsIn(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  if (Array.isArray(value)) return value.flatMap((each: Json) => textsIn(each));
  if (value === undefined || value === null || !isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsIn(each)]);
}

/** Texts that are all to be found, in lower case. */
export function searchTerms(text: string): readonly string[] {
  return text
    .slice(0, searchCharsMax)
    .toWellFormed()
    .toLowerCase()
    .split(/\s+/)
    .filter((term) => term !== "")
    .slice(0, searchTermsMax);
}

/** What the platform runs for itself must not wait behind what others run, nor be mistaken for it. */
function refuseSystemPool({ workflow }: PlaybookDocument): void {
  const step = workflow.find(({ spec }) => spec?.pool === systemPool);
  if (step === undefined) return;
  const message = `step ${step.step}: pool ${systemPool} is for the platform's own playbooks`;
  throw new Fault("invalid", message);
}

/** What a playbook asks for itself; a rate that somebody gave it stays. */
async function keepMaximum(
  { log }: ControlContext,
  key: string,
  maxRunning: number,
): Promise<void> {
  if (!isRuleKey(key)) return;
  const [known] = await log.rules([key]);
  if (known?.rule.maxRunning === maxRunning) return;
  await log.putRule({ ...known?.rule, key, maxRunning });
}

/** Base64 has no colon, and no document is without one. */
function plainText(content: string): string {
  const compact = content.replace(/\s/g, "");
  if (compact === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return content;
  try {
    const bytes = Uint8Array.from(atob(compact), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return content;
  }
}

/** @throws Fault `not_found`. */
export async function catalogEntry(
  context: ControlContext,
  query: {
    /** Whose path; an id is looked up as it is. */
    readonly tenant: string;
    readonly catalogId?: string;
    readonly path?: string;
    readonly version?: number;
  },
): Promise<CatalogEntry> {
  const { tenant, catalogId, path, version } = query;
  if (catalogId === undefined && path === undefined) {
    throw new Fault("invalid", "expected catalog_id or path, found neither");
  }
  const entry =
    catalogId !== undefined
      ? await context.catalog.byId(catalogId as CatalogId)
      : await context.catalog.byPath(tenant, path ?? "", version);
  if (entry !== undefined) return entry;
  throw new Fault("not_found", `catalog entry ${catalogId ?? path} does not exist`);
}

/**
 * Puts away one version of a path, or all of them: what runs goes on, nothing new is started.
 * @returns those that were not put away before. @throws Fault `not_found`.
 */
export async function archiveResource(
  context: ControlContext,
  place: CatalogPlace,
  who: string,
): Promise<readonly CatalogVersion[]> {
  const by = { who: storableText(who), atMs: context.clock.nowMs() };
  return changed(context, place, await context.catalog.archive(place, by));
}

/** Brings back one version, or all of them. @throws Fault `not_found`. */
export async function restoreResource(
  context: ControlContext,
  place: CatalogPlace,
): Promise<readonly CatalogVersion[]> {
  return changed(context, place, await context.catalog.restore(place));
}

async function changed(
  context: ControlContext,
  { tenant, path, version }: CatalogPlace,
  versions: readonly CatalogVersion[],
): Promise<readonly CatalogVersion[]> {
  context.plans.forget(versions.map(({ catalogId }) => catalogId));
  if (versions.length === 0) {
    await catalogEntry(context, { tenant, path, ...(version === undefined ? {} : { version }) });
  }
  return versions;
}
