// Plans by catalog id: parsed and compiled once per content digest, kept in a bounded cache.

import { archivedKnownMs } from "#core/model/catalog-limits";
import { Fault } from "#core/model/fault";
import type { CatalogId } from "#core/model/ids";
import { planCacheEntriesMax } from "#core/model/limits";
import { type CompileOptions, compilePlan } from "#core/playbook/compile";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { Plan } from "#core/playbook/plan";
import { isExecutable } from "#core/playbook/resource-kinds";
import type { CatalogEntry, CatalogStore } from "#core/ports/catalog-store";
import { BoundedCache } from "./bounded-cache.ts";
import { jointLookups } from "./joint-lookups.ts";

/** A version of a playbook, without its text. */
export interface Version
  extends Pick<CatalogEntry, "catalogId" | "tenant" | "path" | "version" | "digest"> {
  readonly plan: Plan;
  /** Put away: what runs goes on, and nothing new is started from it. */
  readonly isArchived: boolean;
}

interface KnownVersion {
  readonly version: Version;
  readonly knownAtMs: number;
}

/** A path of a tenant's. */
interface Place {
  readonly tenant: string;
  readonly path: string;
}

export class Plans {
  readonly #byCatalogId = new BoundedCache<CatalogId, Plan>(planCacheEntriesMax);
  readonly #byDigest = new BoundedCache<string, Plan>(planCacheEntriesMax);
  readonly #versions = new BoundedCache<CatalogId, KnownVersion>(planCacheEntriesMax);
  readonly #newest: (place: Place) => Promise<CatalogEntry | undefined>;

  constructor(
    readonly catalog: CatalogStore,
    readonly options: CompileOptions = {},
  ) {
    this.#newest = jointLookups(
      ({ tenant, path }: Place) => catalog.byPath(tenant, path),
      ({ tenant, path }) => JSON.stringify([tenant, path]),
    );
  }

  /**
   * The version that is asked for, by id, by the tenant's path and version, or the newest of a
   * path, with its plan; an id is pinned and says by itself whose it is. Undefined when the catalog
   * has none; one that is put away says so. @throws Fault `invalid` for one that isn't a playbook.
   */
  async version(asked: {
    readonly tenant: string;
    readonly catalogId?: CatalogId | undefined;
    readonly path?: string | undefined;
    readonly version?: number | undefined;
  }): Promise<Version | undefined> {
    const { tenant, catalogId, path = "", version } = asked;
    if (catalogId === undefined) {
      const entry =
        version === undefined
          ? await this.#newest({ tenant, path })
          : await this.catalog.byPath(tenant, path, version);
      return entry === undefined ? undefined : this.#versionOf(entry);
    }
    // What an id stands for never changes, but it may have been put away meanwhile.
    const known = this.#versions.get(catalogId);
    if (known !== undefined && performance.now() - known.knownAtMs < archivedKnownMs) {
      return known.version;
    }
    const entry = await this.catalog.byId(catalogId);
    return entry === undefined ? undefined : this.#versionOf(entry);
  }

  #versionOf(entry: CatalogEntry): Version {
    const { catalogId, tenant, path, version, digest } = entry;
    const isArchived = entry.archivedAtMs !== undefined;
    const plan = this.ofEntry(entry);
    const found = { catalogId, tenant, path, version, digest, plan, isArchived };
    this.#versions.set(catalogId, { version: found, knownAtMs: performance.now() });
    return found;
  }

  /** These were put away, or brought back. */
  forget(ids: readonly CatalogId[]): void {
    for (const id of ids) this.#versions.delete(id);
  }

  /** @throws Fault `not_found` for an unknown id, `invalid` for content that isn't a playbook. */
  async byCatalogId(id: CatalogId): Promise<Plan> {
    const known = this.#byCatalogId.get(id);
    if (known !== undefined) return known;
    const entry = await this.catalog.byId(id);
    if (entry === undefined) throw new Fault("not_found", `catalog entry ${id} does not exist`);
    return this.ofEntry(entry);
  }

  /** Keeps what was parsed for another reason anyway, so that the first execution need not. */
  keep(entry: CatalogEntry, document: PlaybookDocument): void {
    if (this.#byDigest.get(entry.digest) !== undefined) return;
    this.#byDigest.set(entry.digest, compilePlan(document, entry.digest, this.options));
  }

  ofEntry(entry: CatalogEntry): Plan {
    const plan = this.#byDigest.get(entry.digest) ?? compile(entry, this.options);
    this.#byDigest.set(entry.digest, plan);
    this.#byCatalogId.set(entry.catalogId, plan);
    return plan;
  }
}

function compile(entry: CatalogEntry, options: CompileOptions): Plan {
  if (!isExecutable(entry.kind)) {
    const message = `${entry.path} is of kind ${entry.kind}, expected a playbook or an agent`;
    throw new Fault("invalid", message);
  }
  const parsed = parsePlaybook(entry.content);
  if (parsed.ok) return compilePlan(parsed.document, entry.digest, options);
  const [first] = parsed.problems;
  throw new Fault(
    "invalid",
    `playbook ${entry.path} is not valid: ${first?.message ?? "unknown"}`,
    {
      details: parsed.problems,
    },
  );
}
