// Asking for ended executions by what a question says of them. The answer is of one tenant.

import { askOver } from "#control/export/ask";
import { searchCharsMax } from "#core/model/export-limits";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import type { Embedding } from "./embedding.ts";
import type { Qdrant } from "./qdrant.ts";

export interface SearchQuestion {
  readonly text: string;
  readonly tenant: string;
  readonly limit: number;
  readonly status?: string;
  readonly path?: string;
}

export interface FoundExecution {
  readonly execution_id: string;
  readonly score: number;
  readonly path: string;
  readonly status: string;
  readonly error: string | null;
  readonly failed_steps: string[];
  readonly started_at: string;
  readonly ended_at: string;
}

export interface ExecutionSearch {
  /** @throws Fault `unavailable` when what it asks can't be asked. */
  find(question: SearchQuestion): Promise<FoundExecution[]>;
}

/** A vector as JSON. */
const vectorCharsMax = 1_000_000;

export function executionSearch(qdrant: Qdrant, embedding: Embedding): ExecutionSearch {
  const ask = askOver({ answerCharsMax: vectorCharsMax });
  return {
    find: async ({ text, tenant, limit, status, path }) => {
      const asked = text.slice(0, searchCharsMax).toWellFormed();
      const [vector] = await embedding.vectors([asked], ask);
      if (vector === undefined) throw new Fault("unavailable", "the question has no vector");
      const points = await qdrant.nearest({
        ...{ vector, limit, tenant },
        where: {
          ...(status === undefined ? {} : { status }),
          ...(path === undefined ? {} : { path }),
        },
      });
      // Not only asked for: what another tenant has is never given out.
      return points
        .filter(({ payload }) => payload["tenant"] === tenant)
        .map(({ score, payload }) => ({ score, ...foundIn(payload) }));
    },
  };
}

function foundIn(payload: JsonObject): Omit<FoundExecution, "score"> {
  const text = (name: string): string => {
    const value = payload[name];
    return typeof value === "string" ? value : "";
  };
  const { failed_steps: failed, error } = payload;
  return {
    execution_id: text("execution_id"),
    path: text("path"),
    status: text("status"),
    error: typeof error === "string" ? error : null,
    failed_steps: Array.isArray(failed) ? failed.map(String) : [],
    started_at: text("started_at"),
    ended_at: text("ended_at"),
  };
}
