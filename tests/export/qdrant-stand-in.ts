// Qdrant as far as the search goes: one collection, points with payloads, the nearest by cosine.
// It refuses what Qdrant would, and a search that names no tenant.

export interface QdrantStandIn {
  readonly url: `http://${string}`;
  readonly points: Map<string, { readonly vector: readonly number[]; readonly payload: Payload }>;
  /** What it refused. */
  readonly refused: string[];
  /** Requests by method and path, and the headers of the last. */
  readonly asked: string[];
  key: string | null;
  stop(): Promise<void>;
}

type Payload = Readonly<Record<string, unknown>>;

export function startQdrant(): QdrantStandIn {
  const points: QdrantStandIn["points"] = new Map();
  const refused: string[] = [];
  const asked: string[] = [];
  let size: number | undefined;
  const refuse = (status: number, reason: string): Response => {
    refused.push(reason);
    return Response.json({ status: { error: reason } }, { status });
  };
  const isVector = (value: unknown): value is number[] =>
    Array.isArray(value) &&
    value.length === size &&
    value.every((each) => typeof each === "number" && Number.isFinite(each));

  const upsert = (body: { readonly points?: readonly Payload[] }): Response => {
    for (const { id, vector, payload, ...rest } of body.points ?? []) {
      if (
        !/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(String(id))
      ) {
        return refuse(400, `id ${String(id)}`);
      }
      if (!isVector(vector) || Object.keys(rest).length > 0) return refuse(400, "vector");
      points.set(String(id), { vector, payload: payload as Payload });
    }
    return Response.json({ result: { status: "completed" }, status: "ok" });
  };
  const search = (body: Payload): Response => {
    const { vector, limit, filter } = body as {
      readonly vector: unknown;
      readonly limit: number;
      readonly filter?: { readonly must?: readonly { key: string; match: { value: unknown } }[] };
    };
    const must = filter?.must ?? [];
    if (!must.some(({ key }) => key === "tenant")) return refuse(400, "no tenant");
    if (!isVector(vector)) return refuse(400, "vector of a search");
    const result = [...points]
      .filter(([, { payload }]) => must.every(({ key, match }) => payload[key] === match.value))
      .map(([id, { vector: own, payload }]) => ({ id, score: cosine(own, vector), payload }))
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
    return Response.json({ result, status: "ok" });
  };

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const text = await request.text();
      const body = text === "" ? {} : JSON.parse(text);
      standIn.key = request.headers.get("api-key");
      const name = `${request.method} ${pathname.replace("/collections/c", "")}`;
      asked.push(name);
      switch (name) {
        case "GET ":
          if (size === undefined) return new Response("", { status: 404 });
          return Response.json({
            result: {
              status: "green",
              config: { params: { vectors: { size, distance: "Cosine" }, shard_number: 1 } },
            },
          });
        case "PUT ":
          if (body.vectors?.distance !== "Cosine") return refuse(400, "distance");
          size = body.vectors.size as number;
          return Response.json({ result: true });
        case "PUT /index":
          return Response.json({ result: true });
        case "PUT /points":
          return searchParams.get("wait") === "true" ? upsert(body) : refuse(400, "no wait");
        case "POST /points/search":
          return search(body);
        default:
          return refuse(404, name);
      }
    },
  });
  const standIn: QdrantStandIn = {
    ...{ url: `http://127.0.0.1:${server.port}`, points, refused, asked, key: null },
    stop: () => server.stop(true),
  };
  return standIn;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
