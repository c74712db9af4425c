// Plans by catalog id: parsed and compiled once per content digest, kept in a bounded cache.

import { Fault } from "#core/model/fault";
import type { CatalogId } from "#core/model/ids";
import { planCacheEntriesMax } from "#core/model/limits";
import { type CompileOptions, compilePlan } from "#core/playbook/compile";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { Plan } from "#core/playbook/plan";
import type { CatalogEntry, CatalogStore } from "#core/ports/catalog-store";
import { BoundedCache } from "./bounded-cache.ts";

export class Plans {
  readonly #byCatalogId = new BoundedCache<CatalogId, Plan>(planCacheEntriesMax);
  readonly #byDigest = new BoundedCache<string, Plan>(planCacheEntriesMax);

  constructor(
    readonly catalog: CatalogStore,
    readonly options: CompileOptions = {},
  ) {}

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
