// Neon over HTTP: every statement is one request, nothing stays open between two. For runtimes that
// keep no connection, and for those that may not share one between requests.

import { neon, neonConfig } from "@neondatabase/serverless";
import { databaseSilenceMs } from "#core/model/limits";
import { neonFailure, neonTypes } from "./neon-values.ts";
import { type Sql, type SqlValue, sqlFault } from "./sql.ts";

export interface NeonHttpOptions {
  /** Where statements are sent; by default where Neon takes those of the address's host. */
  readonly fetchEndpoint?: string;
  /** No answer within so many milliseconds counts as lost. */
  readonly silenceMs?: number;
}

/** The driver has one setting for the whole process: it looks up here what a host was given. */
const endpoints = new Map<string, string>();

function sendTo(url: string, endpoint: string): void {
  const usual = neonConfig.fetchEndpoint;
  if (endpoints.size === 0) {
    neonConfig.fetchEndpoint = (host, port, options) => {
      const given = endpoints.get(`${port}` === "" ? host : `${host}:${port}`);
      if (given !== undefined) return given;
      return typeof usual === "string" ? usual : usual(host, port, options);
    };
  }
  endpoints.set(new URL(url).host, endpoint);
}

/**
 * The database behind the address. Nothing is opened, and nothing of one request is used by
 * another: one may serve any number of them, also where a runtime keeps requests apart.
 */
export function openNeonHttp(url: string, options: NeonHttpOptions = {}): Sql {
  const { fetchEndpoint, silenceMs = databaseSilenceMs } = options;
  if (fetchEndpoint !== undefined) sendTo(url, fetchEndpoint);
  const sql = neon(url, { disableWarningInBrowsers: true });
  let isClosed = false;
  return {
    query: async <Row>(text: string, values: readonly SqlValue[] = []) => {
      if (isClosed) throw sqlFault({});
      try {
        // The driver's type of this option leaves out that it takes any parser by number.
        const rows: unknown = await sql.query(text, values.map(bindable), {
          types: neonTypes as never,
          fetchOptions: { signal: AbortSignal.timeout(silenceMs) },
        });
        // The statement's own text says what its rows hold.
        return rows as readonly Row[];
      } catch (thrown) {
        throw sqlFault(neonFailure(thrown));
      }
    },
    close: async () => {
      isClosed = true;
    },
  };
}

/** Parameters travel in a JSON document: bytes as the text that the server takes for them. */
function bindable(value: SqlValue): string | null {
  if (value === null || typeof value === "string") return value;
  return value instanceof Uint8Array ? `\\x${hexadecimal(value)}` : String(value);
}

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hexadecimal(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += pairs[byte];
  return text;
}
