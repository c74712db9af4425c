// The control plane's HTTP app: one `fetch(Request)`, the same embedded and on a socket. The one
// place where a fault becomes an answer.

import { Elysia } from "elysia";
import { type Access, attach, nobody, type Observe, openAccess } from "#control/access/admission";
import { ownership } from "#control/access/ownership";
import { refusalsAudited } from "#control/access/refusals";
import { accessRoutes } from "#control/routes/access";
import { approvalsRoutes } from "#control/routes/approvals";
import { auditRoutes } from "#control/routes/audit";
import { batchesRoutes } from "#control/routes/batches";
import { catalogRoutes } from "#control/routes/catalog";
import { catalogMoreRoutes } from "#control/routes/catalog-more";
import { commandRoutes } from "#control/routes/commands";
import { credentialsRoutes } from "#control/routes/credentials";
import { dispatchRoutes } from "#control/routes/dispatch";
import { eventsRoutes } from "#control/routes/events";
import { executionRoutes } from "#control/routes/executions";
import { feedRoutes } from "#control/routes/feeds";
import { framesRoutes } from "#control/routes/frames";
import { keychainRoutes } from "#control/routes/keychain";
import { logRoutes } from "#control/routes/log";
import { mcpRoutes } from "#control/routes/mcp";
import { metricsRoutes } from "#control/routes/metrics";
import { mount } from "#control/routes/mount";
import { outboxRoutes } from "#control/routes/outbox";
import { projectionRoutes } from "#control/routes/projections";
import { queueRoutes } from "#control/routes/queue";
import { replayRoutes } from "#control/routes/replay";
import { rerunsRoutes } from "#control/routes/reruns";
import { runtimeRoutes } from "#control/routes/runtime";
import { schedulesRoutes } from "#control/routes/schedules";
import { searchRoutes } from "#control/routes/search";
import { stepLogRoutes } from "#control/routes/step-logs";
import { systemRoutes } from "#control/routes/system";
import { waitRoutes } from "#control/routes/waits";
import type { Executions } from "#control/services/executions";
import type { Membership } from "#control/services/membership";
import type { Principal } from "#core/model/access";
import { Fault, InvariantViolation, messageOf } from "#core/model/fault";
import { api } from "#core/wire/api";
import { problemBody, statusOf } from "#core/wire/problem";

export interface ControlAppOptions {
  readonly executions: Executions;
  readonly membership: Membership;
  /** Finds out who asks. */
  readonly access: Access;
  /** Told of errors that are nobody's fault but ours. */
  readonly report: (message: string) => void;
  /** Told of each answer of a route. */
  readonly observe?: Observe;
  /** Adds the OpenAPI page; left out where nobody will look (a one-off run). */
  readonly documentation?: (app: Elysia) => void;
}

export type Fetch = (request: Request) => Promise<Response>;

export interface ControlApp {
  /** Answers whoever the request says it is from. */
  readonly fetch: Fetch;
  /** Why somebody is not let in who asks for a way to ask: undefined for who is known. */
  refusal(request: Request): Promise<Response | undefined>;
  /** Answers as if all requests came from this one. */
  fetchAs(principal: Principal): Fetch;
}

/** Groups of routes that ask for nothing else. */
const groups: readonly ((app: Elysia, executions: Executions) => void)[] = [
  executionRoutes,
  logRoutes,
  replayRoutes,
  projectionRoutes,
  commandRoutes,
  dispatchRoutes,
  stepLogRoutes,
  waitRoutes,
  accessRoutes,
  auditRoutes,
  credentialsRoutes,
  keychainRoutes,
  eventsRoutes,
  queueRoutes,
  batchesRoutes,
  rerunsRoutes,
  framesRoutes,
  outboxRoutes,
  systemRoutes,
  mcpRoutes,
  catalogMoreRoutes,
  schedulesRoutes,
  approvalsRoutes,
  metricsRoutes,
  searchRoutes,
];

export function controlApp(options: ControlAppOptions): ControlApp {
  const { executions, report } = options;
  const { clock, engineVersion } = executions.context;
  const startedMs = clock.nowMs();
  const app = new Elysia({ aot: false });
  options.documentation?.(app);
  app.onError(({ error, code }) => answerOf(code === "NOT_FOUND" ? noRoute : error, report));
  mount(app, api.health, async () => {
    // Any question will do: a store that can't answer it throws what the caller should hear.
    await executions.context.log.nextDueMs();
    return {
      status: "ok" as const,
      version: engineVersion,
      uptime_seconds: (clock.nowMs() - startedMs) / 1000,
    };
  });
  for (const group of groups) group(app, executions);
  feedRoutes(app, executions.context);
  catalogRoutes(app, executions.context);
  runtimeRoutes(app, executions, options.membership);
  const { access, observe } = options;
  const around = {
    owns: ownership(executions.context),
    onRefused: refusalsAudited(executions.context),
    ...(access.signIn === undefined ? {} : { signIn: access.signIn }),
    ...(observe === undefined ? {} : { observe }),
  };
  const fetchBy =
    ({ authenticate }: Access): Fetch =>
    async (request) => {
      const handled = withLongHost(request);
      try {
        // What is known of a request by the socket is known of the very one that came.
        attach(handled, { ...(await authenticate(request)), ...around });
      } catch (error) {
        return answerOf(error, report);
      }
      return app.handle(handled);
    };
  return {
    fetch: fetchBy(access),
    fetchAs: (principal) => fetchBy(openAccess(principal)),
    refusal: async (request) => {
      try {
        const { principal, refused } = await access.authenticate(request);
        if (refused !== undefined) throw refused;
        if (principal === undefined) throw nobody();
        return undefined;
      } catch (error) {
        return answerOf(error, report);
      }
    },
  };
}

/** What a route, or the way to it, answers where it fails. */
function answerOf(error: unknown, report: (message: string) => void): Response {
  const fault = faultOf(error);
  if (fault.code === "internal") report(describe(error));
  return Response.json(problemBody(fault), {
    status: statusOf(fault.code),
    headers: retryHeaders(fault),
  });
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
