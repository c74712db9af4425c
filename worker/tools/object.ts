// The tools s3, gcs and file: one operation on one object, the same for all stores. Content comes
// from the call, from a file within the worker's roots or from a stored result.

import { objectListMax } from "#core/model/data-tool-limits";
import type { Json, JsonObject } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { refuseCredential } from "./auth.ts";
import {
  configFailure,
  type Deadline,
  field,
  numberField,
  textField,
  withDeadline,
} from "./call-config.ts";
import { pathInRoots } from "./duckdb-path.ts";
import { natsBytes, natsEncoding, natsValue } from "./nats-values.ts";
import type { Content, ObjectStore, StoredObject } from "./object-store.ts";
import { fileStore } from "./object-store-file.ts";
import { bucketStore } from "./object-store-s3.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export type ObjectKind = "s3" | "gcs" | "file";

export interface ObjectToolOptions {
  /** Whether this worker may reach a store's address. */
  readonly egress?: (url: URL) => boolean;
}

/** Data by operation: `{status, uri, size, …}`, `{objects, truncated, next}`, `{deleted}`. */
export function objectTool(kind: ObjectKind, options: ObjectToolOptions = {}): Tool {
  return {
    kind,
    run: (config, context) =>
      withDeadline(config, context, async (deadline) => {
        const store = await storeOf(kind, config, { context, options });
        const call: Call = { kind, config, context, store };
        const operation = operations[operationOf(call)];
        if (operation === undefined) throw unknownOperation(call);
        if (field(config, "metadata") !== undefined) {
          throw configFailure("metadata: can not be sent by this version");
        }
        try {
          const data = await untilDeadline(operation(call), deadline);
          return { status: "ok", data } satisfies Output;
        } catch (error) {
          throw deadline.ended() ?? store.failure(error);
        }
      }),
  };
}

interface Call {
  readonly kind: ObjectKind;
  readonly config: JsonObject;
  readonly context: ToolContext;
  readonly store: ObjectStore;
}

async function storeOf(
  kind: ObjectKind,
  config: JsonObject,
  { context, options }: { readonly context: ToolContext; readonly options: ObjectToolOptions },
): Promise<ObjectStore> {
  if (kind !== "file") return bucketStore(kind, config, { context, ...options });
  await refuseCredential("file", config, context);
  return fileStore(context.policy.fileRoots);
}

/** A request can't be called back, but nobody waits for it longer. */
async function untilDeadline<Result>(work: Promise<Result>, deadline: Deadline): Promise<Result> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const abort = () => reject(deadline.ended());
  if (deadline.signal.aborted) abort();
  deadline.signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, ended]);
  } finally {
    deadline.signal.removeEventListener("abort", abort);
    work.catch(() => undefined);
  }
}

type Operation = (call: Call) => Promise<JsonObject>;

const operations: Readonly<Record<string, Operation>> = {
  put: async (call) => {
    const uri = neededUri(call, "destination", "uri");
    const contentType = textField(call.config, "content_type")?.value;
    const stored = await call.store.put(uri, await contentOf(call), contentType);
    return { status: "success", ...shown(stored) };
  },
  get: async (call) => {
    const uri = neededUri(call, "uri", "source");
    const found = await call.store.head(uri);
    if (found.size > resultBytesMax) throw tooLarge(found);
    const asked = natsEncoding(textField(call.config, "encoding")?.value);
    const { value, encoding } = natsValue(await call.store.get(uri), asked);
    return { status: "success", ...shown(found), encoding, data: value };
  },
  head: async (call) => {
    const found = await call.store.head(neededUri(call, "uri", "source"));
    return { status: "success", ...shown(found) };
  },
  list: async (call) => {
    const uri = neededUri(call, "uri", "source");
    const { objects, prefixes, next } = await call.store.list(uri, {
      prefix: textField(call.config, "prefix")?.value ?? "",
      delimiter: textField(call.config, "delimiter")?.value,
      limit: limitOf(call),
      startAfter: textField(call.config, "start_after")?.value,
    });
    return {
      status: "success",
      objects: objects.map(shown),
      prefixes,
      count: objects.length,
      truncated: next !== undefined,
      next: next ?? null,
    };
  },
  delete: async (call) => {
    const uri = neededUri(call, "uri", "destination");
    await call.store.delete(uri);
    return { status: "success", uri, deleted: true };
  },
  copy: async (call) => {
    const from = neededUri(call, "source", "uri");
    const stored = await call.store.copy(from, neededUri(call, "destination"));
    return { status: "success", ...shown(stored) };
  },
};

const schemes: Readonly<Record<ObjectKind, string>> = {
  s3: "s3://",
  gcs: "gs://",
  file: "file://",
};

/** Without an operation: what the fields can only mean. */
function operationOf(call: Call): string {
  const { config, kind } = call;
  const given = textField(config, "operation")?.value;
  if (given !== undefined) return given;
  const source = textField(config, "source")?.value;
  const hasDestination = field(config, "destination") !== undefined;
  if (source?.startsWith(schemes[kind]) === true && hasDestination) return "copy";
  return hasDestination || isContentGiven(config) ? "put" : "get";
}

function isContentGiven(config: JsonObject): boolean {
  return config["data"] !== undefined && config["data"] !== null;
}

function unknownOperation({ config }: Call): ToolFailure {
  const found = textField(config, "operation")?.value;
  const known = Object.keys(operations).join(", ");
  return configFailure(`operation: expected one of ${known}, found "${found}"`);
}

function neededUri({ config, kind }: Call, ...names: readonly string[]): string {
  const found = textField(config, ...names)?.value;
  if (found !== undefined) return found;
  const example = kind === "file" ? "a path" : `${schemes[kind]}bucket/key`;
  throw configFailure(`${names[0]}: expected ${example}, found nothing`);
}

function limitOf({ config }: Call): number {
  const limit = numberField(config, "limit")?.value ?? objectListMax;
  if (Number.isInteger(limit) && limit >= 1 && limit <= objectListMax) return limit;
  throw configFailure(`limit: expected 1 to ${objectListMax}, found ${limit}`);
}

async function contentOf({ config, context }: Call): Promise<Content> {
  const encoding = natsEncoding(textField(config, "encoding")?.value);
  const data: Json | undefined = config["data"];
  if (data !== undefined && data !== null) {
    return { kind: "bytes", bytes: natsBytes("data", data, encoding) };
  }
  const source = textField(config, "source")?.value;
  if (source === undefined) throw configFailure("data: expected data or source, found neither");
  if (source.startsWith("noetl://")) {
    const value = await context.resolveResult(source);
    return { kind: "bytes", bytes: natsBytes("source", value, encoding) };
  }
  const name = source.replace(/^file:\/\//, "");
  return { kind: "file", path: await pathInRoots("source", name, context.policy.fileRoots) };
}

function shown({ uri, size, contentType, etag, modified }: StoredObject): JsonObject {
  return {
    uri,
    size,
    ...(contentType === undefined ? {} : { content_type: contentType }),
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { modified }),
  };
}

function tooLarge({ size }: StoredObject): ToolFailure {
  const message = `the object has ${size} bytes, a result at most ${resultBytesMax}`;
  return new ToolFailure({
    kind: "result",
    message: `${message}; read it with transfer or python`,
    retryable: false,
  });
}
