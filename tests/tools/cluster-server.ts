// A stand-in for a cluster's API, as far as jobs go: it keeps what it is given and refuses what a
// cluster would refuse.

import type { JsonObject } from "#core/model/json";
import type { Signed } from "#tests/support/certificates";

export interface ClusterSeen {
  readonly method: string;
  readonly path: string;
  readonly token: string | null;
  readonly body: JsonObject | undefined;
}

export interface TestCluster {
  readonly url: string;
  readonly seen: ClusterSeen[];
  /** By namespace and name. */
  readonly jobs: Map<string, JsonObject>;
  /** Answers the next requests with this instead; `undefined` ends that. */
  instead(answer: (() => Response | Promise<Response>) | undefined): void;
  stop(): Promise<void>;
}

interface PostedJob extends JsonObject {
  readonly metadata: JsonObject & { readonly name: string };
}

export function startCluster(token: string, signed?: Signed): TestCluster {
  const tls =
    signed === undefined
      ? undefined
      : { key: Bun.file(signed.keyFile), cert: Bun.file(signed.certificateFile) };
  const seen: ClusterSeen[] = [];
  const jobs = new Map<string, JsonObject>();
  let instead: (() => Response | Promise<Response>) | undefined;
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    ...(tls === undefined ? {} : { tls }),
    fetch: async (request) => {
      const { method, headers } = request;
      const path = new URL(request.url).pathname;
      const authorization = headers.get("authorization");
      // The tool sends JSON, or nothing.
      const body = method === "POST" ? ((await request.json()) as PostedJob) : undefined;
      seen.push({ method, path, token: authorization, body });
      if (instead !== undefined) return instead();
      if (authorization !== `Bearer ${token}`) return status(401, "Unauthorized", "who are you?");
      const [, namespace = "", name = ""] =
        /^\/apis\/batch\/v1\/namespaces\/([^/]+)\/jobs(?:\/([^/]+))?$/.exec(path) ?? [];
      if (namespace === "") return status(404, "NotFound", "no such path");
      if (namespace === "closed") return status(403, "Forbidden", "jobs is forbidden here");
      if (body === undefined) {
        const job = jobs.get(`${namespace}/${name}`);
        return job === undefined ? status(404, "NotFound", "no such job") : Response.json(job);
      }
      const key = `${namespace}/${body.metadata.name}`;
      if (jobs.has(key)) return status(409, "AlreadyExists", "the job is there already");
      const metadata = { ...body.metadata, uid: `uid-${jobs.size + 1}` };
      jobs.set(key, { ...body, metadata });
      return Response.json({ ...body, metadata }, { status: 201 });
    },
  });
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${server.port}`,
    seen,
    jobs,
    instead: (answer) => {
      instead = answer;
    },
    stop: () => server.stop(true),
  };
}

export function status(code: number, reason: string, message: string): Response {
  const body = { kind: "Status", status: "Failure", reason, message, code };
  return Response.json(body, { status: code });
}
