// The control plane's HTTP app: one `fetch(Request)`, the same embedded and on a socket. The one
// place where a fault becomes an answer.

import { Elysia } from "elysia";
import { catalogRoutes } from "#control/routes/catalog";
import { commandRoutes } from "#control/routes/commands";
import { dispatchRoutes } from "#control/routes/dispatch";
import { executionRoutes } from "#control/routes/executions";
import { feedRoutes } from "#control/routes/feeds";
import { logRoutes } from "#control/routes/log";
import { mount } from "#control/routes/mount";
import { projectionRoutes } from "#control/routes/projections";
import { replayRoutes } from "#control/routes/replay";
import { runtimeRoutes } from "#control/routes/runtime";
import { stepLogRoutes } from "#control/routes/step-logs";
import { waitRoutes } from "#control/routes/waits";
import type { Executions } from "#control/services/executions";
import type { Membership } from "#control/services/membership";
import { Fault, InvariantViolation, messageOf } from "#core/model/fault";
import { api } from "#core/wire/api";
import { problemBody, statusOf } from "#core/wire/problem";

export interface ControlAppOptions {
  readonly executions: Executions;
  readonly membership: Membership;
  /** Told of errors that are nobody's fault but ours. */
  readonly report: (message: string) => void;
  /** Adds the OpenAPI page; left out where nobody will look (a one-off run). */
  readonly documentation?: (app: Elysia) => void;
}

export type Fetch = (request: Request) => Promise<Response>;

export function controlApp(options: ControlAppOptions): Fetch {
  const { executions, report } = options;
  const { clock, engineVersion } = executions.context;
  const startedMs = clock.nowMs();
  const app = new Elysia({ aot: false });
  options.documentation?.(app);
  app.onError(({ error, code }) => {
    const fault = code === "NOT_FOUND" ? noRoute : faultOf(error);
    if (fault.code === "internal") report(describe(error));
    return Response.json(problemBody(fault), {
      status: statusOf(fault.code),
      headers: retryHeaders(fault),
    });
  });
  mount(app, api.health, async () => {
    // Any question will do: a store that can't answer it throws what the caller should hear.
    await executions.context.log.nextDueMs();
    return {
      status: "ok" as const,
      version: engineVersion,
      uptime_seconds: (clock.nowMs() - startedMs) / 1000,
    };
  });
  executionRoutes(app, executions);
  logRoutes(app, executions);
  replayRoutes(app, executions);
  projectionRoutes(app, executions);
  feedRoutes(app, executions.context);
  catalogRoutes(app, executions.context);
  commandRoutes(app, executions);
  dispatchRoutes(app, executions);
  runtimeRoutes(app, executions, options.membership);
  stepLogRoutes(app, executions);
  waitRoutes(app, executions);
  return (request) => Promise.resolve(app.handle(withLongHost(request)));
}

/** Elysia looks for the path from this place of an address on. */
const pathFrom = 11;

/** A host of a letter or two ends before that, and its requests would find no route. */
function withLongHost(request: Request): Request {
  const at = request.url.indexOf("/", "http://".length);
  const slash = at === "http://".length ? request.url.indexOf("/", at + 1) : at;
  if (slash < 0 || slash >= pathFrom) return request;
  return new Request(`http://control${request.url.slice(slash)}`, request);
}

/** When to try again: said by the fault's details, or a second for what may pass by itself. */
function retryHeaders({ details, retryable }: Fault): Record<string, string> {
  const isTold =
    typeof details === "object" && details !== null && "retry_after_seconds" in details;
  if (isTold) return { "retry-after": String(details.retry_after_seconds) };
  return retryable ? { "retry-after": "1" } : {};
}

const noRoute = new Fault("not_found", "no such route");

/** Anything that isn't a fault is a bug of ours: the caller learns only that. */
function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof URIError)
    return new Fault("invalid", "the address is not encoded as it should be");
  return new Fault("internal", "internal error", { cause: error });
}

function describe(error: unknown): string {
  if (error instanceof InvariantViolation && error.stack !== undefined) return error.stack;
  const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : "";
  return cause === "" ? messageOf(error) : `${messageOf(error)}: ${cause}`;
}
