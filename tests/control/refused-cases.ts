// What the tables of route cases are told with: a request that goes well, and those that are refused.

export interface RefusedCase {
  readonly path?: string;
  /** JSON, or text that is sent as it is. */
  readonly body?: unknown;
  readonly status: number;
  readonly code: string;
}

export interface RouteCase {
  readonly path: string;
  readonly body?: unknown;
  /** Of the answer, where there is nothing that it could be asked for with success; 200 without it. */
  readonly status?: number;
  /** What the answer holds, among other things. */
  readonly answer: unknown;
  readonly refused: readonly RefusedCase[];
}

export const unknown = "1234567890123456789";

export const refusedIds = (suffix = "", body?: unknown): readonly RefusedCase[] => [
  { path: `/api/executions/${unknown}${suffix}`, body, status: 404, code: "not_found" },
  { path: `/api/executions/x12${suffix}`, body, status: 422, code: "invalid" },
  { path: `/api/executions/0${suffix}`, body, status: 422, code: "invalid" },
  { path: `/api/executions/99999999999999999999${suffix}`, body, status: 422, code: "invalid" },
];

export const invalid = (body: unknown): RefusedCase => ({ body, status: 422, code: "invalid" });
export const badBodies = ["{", "", "[]", '"text"', "null", 12].map(invalid);
