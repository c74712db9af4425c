// Rows out of and into web services, by way of the http tool. A service that is sent rows chunk by
// chunk has seen those before a failure; their keys let it know them again.

import type { Json, JsonObject } from "#core/model/json";
import { configFailure, textField } from "./call-config.ts";
import type { HttpToolOptions } from "./http.ts";
import { httpTool } from "./http.ts";
import {
  type EndOptions,
  failureAt,
  failureIn,
  type Sink,
  type SinkOptions,
  type Source,
  type SourceOptions,
} from "./transfer-ends.ts";
import { rowObject } from "./transfer-file.ts";
import { jsonSource, listAt, placedRows } from "./transfer-json.ts";
import { decodedRows } from "./transfer-rows.ts";

/** A source on the list of objects that one request answers with. */
export async function httpSource(http: HttpToolOptions, options: SourceOptions): Promise<Source> {
  const data = await answer(http, "source", options, options.config);
  const path = textField(options.config, "data_path")?.value;
  return jsonSource(placedRows(listAt(data, path, "the answer")), options);
}

/** A sink that posts `{rows: […]}` for every chunk. */
export function httpSink(http: HttpToolOptions, options: SinkOptions): Sink {
  if (options.mode !== "append") {
    throw configFailure(`mode: expected append for a web service, found ${options.mode}`);
  }
  const url = textField(options.config, "url", "endpoint")?.value;
  if (url === undefined) throw configFailure("target.url: expected an address, found nothing");
  let chunk = 0;
  let rows: JsonObject[] = [];
  const post = async (): Promise<void> => {
    const sent = rows;
    rows = [];
    const given = options.config["headers"];
    const key = `${options.context.idempotencyKey}:${chunk++}`;
    const headers = { ...(given as JsonObject | undefined), "idempotency-key": key };
    await answer(http, "target", options, {
      method: "POST",
      ...options.config,
      headers,
      json: { rows: sent },
    });
  };
  return {
    name: URL.parse(url)?.host ?? "the web service",
    write: async (block) => {
      for (const row of decodedRows(block)) {
        rows.push(rowObject(row, options.columns));
        if (rows.length >= options.chunkRows) await post();
      }
    },
    commit: async () => {
      if (rows.length > 0) await post();
    },
    rollback: async () => undefined,
  };
}

async function answer(
  http: HttpToolOptions,
  end: "source" | "target",
  { context, deadline }: EndOptions,
  config: JsonObject,
): Promise<Json> {
  const bounded = { ...context, signal: deadline.signal };
  try {
    const output = await httpTool(http).run(config, bounded);
    if (output.status === "error") throw failureAt(end, failureIn(output));
    const data = (output.data as JsonObject | undefined)?.["data"];
    return data ?? null;
  } catch (error) {
    throw deadline.ended() ?? error;
  }
}
