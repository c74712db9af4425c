// How statements reach the engine: one after the other, each as one message, with plans that are
// kept. The engine's own `query` takes five messages and plans anew each time, which is most of
// the time of a small statement.

import { type PGlite, parse, protocol } from "@electric-sql/pglite";
import { statementPlansMax } from "#core/model/limits";
import { type SqlFailure, type SqlValue, sqlFault } from "./sql.ts";

const { serialize } = protocol;

const asText = (value: string): string => value;
/** int8, json, timestamp, timestamptz, numeric, jsonb: as the server writes them. */
const parsers = Object.fromEntries(
  [20, 114, 1114, 1184, 1700, 3802].map((type) => [type, asText] as const),
);

/** A plan that the schema has outgrown, or that the engine no longer has: nothing was done. */
const outgrown = new Set(["0A000", "26000"]);

export type Statements = <Row>(
  text: string,
  values?: readonly SqlValue[],
) => Promise<readonly Row[]>;

/** A driver's error as far as it may be told; anything without a SQLSTATE is not an answer. */
function failureOf(thrown: unknown): SqlFailure {
  if (!(thrown instanceof Error) || !("severity" in thrown)) return {};
  const field = (name: "code" | "table" | "constraint"): string | undefined => {
    const value: unknown = Reflect.get(thrown, name);
    return typeof value === "string" ? value : undefined;
  };
  return { sqlState: field("code"), table: field("table"), constraint: field("constraint") };
}

/** Bytes travel as they are, the rest as text, whatever type the statement gives them. */
function bindable(value: SqlValue): string | Uint8Array | null {
  return value === null || value instanceof Uint8Array ? value : String(value);
}

/** Runs statements on the engine; a text that comes a second time keeps its plan. */
export function engineStatements(engine: PGlite): Statements {
  /** Texts seen, with the name of the plan once there is one. */
  const plans = new Map<string, string | undefined>();
  let names = 0;

  const preparation = (text: string): { name: string; messages: readonly Uint8Array[] } => {
    const known = plans.get(text);
    if (known !== undefined) return { name: known, messages: [] };
    if (!plans.has(text)) {
      if (plans.size < statementPlansMax) plans.set(text, undefined);
      return { name: "", messages: [serialize.parse({ text })] };
    }
    const name = `p${++names}`;
    plans.set(text, name);
    return { name, messages: [serialize.parse({ name, text })] };
  };

  const run = async <Row>(text: string, values: readonly SqlValue[]): Promise<readonly Row[]> => {
    const { name, messages } = preparation(text);
    const message = Buffer.concat([
      ...messages,
      serialize.bind({ statement: name, values: values.map(bindable) }),
      serialize.describe({ type: "P" }),
      serialize.execute({}),
      serialize.sync(),
    ]);
    try {
      const answer = await engine.execProtocolStream(message, { syncToFs: false });
      const rows: readonly unknown[] = parse.parseResults(answer, parsers)[0]?.rows ?? [];
      // The statement's own text says what its rows hold.
      return rows as readonly Row[];
    } catch (error) {
      // The plan may not have come to be; the next use makes one under another name.
      plans.delete(text);
      throw error;
    }
  };

  return <Row>(text: string, values: readonly SqlValue[] = []) =>
    engine.runExclusive(async () => {
      try {
        if (engine.closed) throw new Error("the database is closed");
        return await run<Row>(text, values).catch((error: unknown) => {
          if (!outgrown.has(failureOf(error).sqlState ?? "")) throw error;
          return run<Row>(text, values);
        });
      } catch (error) {
        throw sqlFault(failureOf(error));
      }
    });
}
