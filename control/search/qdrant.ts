// The collection in Qdrant that ended executions are kept in: made where it isn't there, written to
// and asked. Whatever is asked of it names a tenant.

import { askOver } from "#control/export/ask";
import { type Ask, type ExportRequest, placeOf } from "#control/export/sink";
import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";

export interface QdrantOptions {
  readonly url: string;
  readonly key?: string;
  readonly collection: string;
}

export interface QdrantQuery {
  readonly vector: readonly number[];
  readonly limit: number;
  readonly tenant: string;
  /** Of other fields, what they must be. */
  readonly where: Readonly<Record<string, string>>;
}

export interface QdrantPoint {
  readonly score: number;
  readonly payload: JsonObject;
}

export interface Qdrant {
  /** Which collection it is, and where. */
  readonly place: string;
  /** @throws Fault `unavailable` where it can't be made, or holds vectors of another length. */
  ensure(ask: Ask, size: number): Promise<void>;
  /** @param points each the text of one point. */
  upsert(points: readonly string[]): ExportRequest;
  /** @throws Fault `unavailable` without a usable answer. */
  nearest(query: QdrantQuery): Promise<readonly QdrantPoint[]>;
}

/** A hundred points and what is known of each. */
const answerCharsMax = 4_000_000;

export function qdrant({ url, key, collection }: QdrantOptions): Qdrant {
  const base = `${url.replace(/\/+$/, "")}/collections/${collection}`;
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { "api-key": key }),
  };
  const request = (method: ExportRequest["method"], path: string, body = ""): ExportRequest => ({
    ...{ method, url: `${base}${path}`, headers, body },
  });
  const asking = askOver({ answerCharsMax });
  return {
    place: placeOf(base),
    ensure: async (ask, size) => {
      const there = await ask(request("GET", ""));
      if (there.status === 200) return checkSize(there.text, size, collection);
      if (there.status !== 404) throw unusable(collection, `status ${there.status}`);
      const vectors = { size, distance: "Cosine" };
      const made = await ask(request("PUT", "", JSON.stringify({ vectors })));
      // Somebody else may have made it meanwhile.
      if (made.status !== 200 && made.status !== 409)
        throw unusable(collection, `status ${made.status}`);
      const index = JSON.stringify({ field_name: "tenant", field_schema: "keyword" });
      await ask(request("PUT", "/index?wait=true", index));
    },
    upsert: (points) => request("PUT", "/points?wait=true", `{"points":[${points.join(",")}]}`),
    nearest: async ({ vector, limit, tenant, where }) => {
      const must = Object.entries({ ...where, tenant }).map(([name, value]) => ({
        ...{ key: name, match: { value } },
      }));
      const body = JSON.stringify({ vector, limit, with_payload: true, filter: { must } });
      const answer = await asking(request("POST", "/points/search", body));
      if (answer.status !== 200) throw unusable(collection, `status ${answer.status}`);
      return pointsIn(answer.text, collection);
    },
  };
}

function checkSize(text: string, size: number, collection: string): void {
  const found = Number(/"vectors"\s*:\s*\{[^{}]*"size"\s*:\s*(\d+)/.exec(text)?.[1] ?? Number.NaN);
  if (found === size) return;
  const other = Number.isNaN(found) ? "something else" : `${found}`;
  throw unusable(collection, `expected vectors of ${size} numbers, found ${other}`);
}

function pointsIn(text: string, collection: string): readonly QdrantPoint[] {
  const answer = parsed(text, collection);
  const result = isJsonObject(answer) ? answer["result"] : undefined;
  if (!Array.isArray(result)) throw unusable(collection, "expected a list of points");
  return result.flatMap((each: Json) => {
    const { score, payload = {} } = isJsonObject(each) ? each : {};
    return typeof score === "number" && isJsonObject(payload) ? [{ score, payload }] : [];
  });
}

function parsed(text: string, collection: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw unusable(collection, "expected JSON, found something else");
  }
}

function unusable(collection: string, reason: string): Fault {
  return new Fault("unavailable", `the collection ${collection} of the search: ${reason}`);
}
