// The servers that the http tool is tested against: real ones, whose answers are told by the path.

import { afterAll } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { objectData, toolContext } from "#tests/tools/context";
import { outcomeOf } from "#tests/tools/outcome-of";
import { httpTool } from "#worker/tools/http";

/** What each request that came to a server looked like. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What the servers of this file saw; `fresh` forgets it before each call. */
export const httpLog = {
  seen: [] as Seen[],
  endlessBytes: 0,
  /** Resolves when a client has gone away from /slow or /endless. */
  aborted: Promise.withResolvers<void>(),
  fresh: (): void => {
    httpLog.seen = [];
    httpLog.endlessBytes = 0;
    httpLog.aborted = Promise.withResolvers();
  },
};

async function record(request: Request): Promise<URL> {
  const url = new URL(request.url);
  const body = await request.text();
  const { method, headers } = request;
  httpLog.seen.push({ method, path: url.pathname + url.search, headers, body });
  return url;
}

/** Answers by path: /status/503, /redirect/302?to=…, /slow, /endless, … */
export async function answer(request: Request): Promise<Response> {
  const url = await record(request);
  const [, first = "", second = ""] = url.pathname.split("/");
  switch (first) {
    case "status":
      return Response.json(
        { why: "asked" },
        { status: Number(second), headers: extraHeaders(url) },
      );
    case "redirect":
      return new Response(null, {
        status: Number(second),
        headers: { location: url.searchParams.get("to") ?? "" },
      });
    case "text":
      return new Response("plain, not json");
    case "latin1":
      return new Response(new Uint8Array([0xe9]), {
        headers: { "content-type": "text/plain; charset=iso-8859-1" },
      });
    case "bytes":
      return new Response(new Uint8Array([0, 255, 1, 254]));
    case "empty":
      return new Response(null, { status: 204 });
    case "null":
      return new Response("null");
    case "bigint":
      return new Response('{"id":12345678901234567890,"ok":9007199254740991,"exp":1e400}');
    case "cookie":
      return new Response("{}", { headers: { "set-cookie": "session=s3cret", "X-Other": "Kept" } });
    case "endless":
      return new Response(endless());
    case "slow":
      request.signal.addEventListener("abort", () => httpLog.aborted.resolve());
      await httpLog.aborted.promise;
      return new Response("too late");
    default:
      return Response.json({ path: url.pathname });
  }
}

function extraHeaders(url: URL): Record<string, string> {
  const retryAfter = url.searchParams.get("retry_after");
  return retryAfter === null ? {} : { "retry-after": retryAfter };
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => {
      httpLog.endlessBytes += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
    cancel: () => httpLog.aborted.resolve(),
  });
}

/** Two servers for the tests of one file: their origins differ. */
export function httpServers() {
  const serve = () => Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const servers = [serve(), serve()] as const;
  afterAll(async () => {
    httpLog.aborted.resolve();
    await Promise.all(servers.map((server) => server.stop(true)));
  });
  const [base, other] = servers.map((server) => `http://127.0.0.1:${server.port}`);
  if (base === undefined || other === undefined) throw new Error("expected two servers");
  return { base, other };
}

const tool = httpTool();

/** The outcome of a call, its data, and the last request that a server saw of it. */
export async function get(config: JsonObject, context = toolContext()) {
  httpLog.fresh();
  const output = await outcomeOf(tool, config, context);
  return { output, data: objectData(output.data), request: httpLog.seen.at(-1) };
}
