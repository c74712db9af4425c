// `noetl query "SQL"`: one statement on a database that a credential names, or on the platform's own
// for who runs it. What comes back is shown as a table, as JSON, or as CSV.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { given, jsonIn, oneOf } from "./given.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { plainText } from "./terminal-text.ts";

export const queryFormats = ["table", "json", "csv"] as const;

export async function query(args: Arguments): Promise<number> {
  const [text = ""] = args.operands;
  const format = args.has("json") ? "json" : (oneOf(args, "format", queryFormats) ?? "table");
  const parameters = parametersOf(args);
  const { client } = await neededServer(args);
  const answer = await client.executeSql({
    body: {
      query: text,
      ...given({
        parameters,
        schema: args.text("schema"),
        credential: args.text("credential"),
        tenant: args.text("tenant"),
      }),
    },
  });
  if (answer.status === "error") {
    console.error(`noetl: ${plainText(answer.error ?? "the database refused the statement")}`);
    if (format === "json") console.log(JSON.stringify({ error: { message: answer.error } }));
    return exitFailed;
  }
  show((answer.result ?? []).filter(isJsonObject), format);
  return exitOk;
}

function parametersOf(args: Arguments): Json[] | undefined {
  const text = args.text("parameters");
  if (text === undefined) return undefined;
  const value = jsonIn(text, "--parameters");
  if (Array.isArray(value)) return [...value];
  throw new UsageError("--parameters: expected a JSON list");
}

function show(rows: readonly JsonObject[], format: (typeof queryFormats)[number]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => names.map((name) => cellText(row[name])));
  switch (format) {
    case "json":
      console.log(JSON.stringify({ rows }, null, 2));
      return;
    case "csv":
      for (const row of [names, ...cells]) console.log(row.map(csvCell).join(","));
      return;
    case "table":
      if (rows.length === 0) console.log("no rows");
      else for (const line of tableLines(names, cells)) console.log(line);
      return;
    default:
      format satisfies never;
  }
}

function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** RFC 4180; a text that a spreadsheet would take for a formula stays a text. */
function csvCell(text: string): string {
  const safe = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
