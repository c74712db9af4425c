// The control plane where a platform starts it for a request and stops it after the reply: one
// `fetch` handler and one for a cron call. Every request has a control plane of its own, because
// such a platform lets no request wait for what another one began; between requests only plain
// data is kept: parsed playbooks and the lease of a machine id. It runs no migrations.

import "./edge-schemas.ts";
import { createHash } from "node:crypto";
import { accessOf } from "#control/access/authenticate";
import { tokenCheck } from "#control/access/token-check";
import { secretsOf } from "#control/secrets/secrets";
import { type LeasedIds, leasedIds } from "#control/services/leased-ids";
import { Plans } from "#control/services/plans";
import { sqlCatalog } from "#control/store/catalog";
import { openNeonHttp } from "#control/store/neon-http";
import { sqlRuntime } from "#control/store/runtime";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { natsSocketBus } from "#core/adapters/nats-socket-bus";
import { silentBus } from "#core/adapters/silent-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { Fault, messageOf } from "#core/model/fault";
import { machineLeaseMs, sweepMs } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import type { Stores } from "#core/ports/stores";
import { problemBody, statusOf } from "#core/wire/problem";
import manifest from "../package.json";
import { type Control, startControl } from "./control.ts";
import { type EdgeSettings, readEdgeSettings, settingCredentials } from "./edge-settings.ts";

/** What a platform hands over with a request, as far as we use it. */
export interface EdgeContext {
  /** Lets the work go on after the reply. */
  waitUntil(work: Promise<unknown>): void;
}

export type EdgeEnvironment = Readonly<Record<string, unknown>>;

/** What requests share: nothing of it waits, and nothing of it is a connection. */
interface Isolate {
  readonly settings: EdgeSettings;
  readonly sql: Sql;
  /** One set for all requests: what was read of tokens is kept by their store. */
  readonly stores: Stores;
  readonly plans: Plans;
  ids: LeasedIds | undefined;
  leasedAtMs: number;
  sweptAtMs: number;
}

const clock = systemClock();
let shared: Isolate | undefined;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function report(message: string): void {
  // biome-ignore lint/suspicious/noConsole: what a platform keeps of an isolate is what it writes here.
  console.error(`noetl: ${message}`);
}

function isolateOf(environment: EdgeEnvironment): Isolate {
  if (shared !== undefined) return shared;
  const settings = readEdgeSettings(environment);
  const { DATABASE_URL: url, NOETL_NEON_ENDPOINT: fetchEndpoint } = settings;
  const sql = openNeonHttp(url, fetchEndpoint === undefined ? {} : { fetchEndpoint });
  shared = {
    settings,
    sql,
    stores: sqlStores(sql),
    plans: new Plans(sqlCatalog(sql)),
    ids: undefined,
    leasedAtMs: 0,
    sweptAtMs: clock.nowMs(),
  };
  return shared;
}

/** Asked for by whichever request comes when it is due: none waits for another's. */
async function idsOf(isolate: Isolate): Promise<LeasedIds> {
  const nowMs = clock.nowMs();
  const { ids } = isolate;
  if (ids === undefined) {
    const taken = await leasedIds({
      registry: sqlRuntime(isolate.sql),
      clock,
      name: `edge-${crypto.randomUUID()}`,
      mint: (machineId) => snowflakeMint(clock, machineId),
    });
    // Two first requests take two ids; the second one's rests until its lease has run out.
    isolate.ids ??= taken;
    isolate.leasedAtMs = nowMs;
    return isolate.ids;
  }
  if (nowMs - isolate.leasedAtMs > machineLeaseMs / 3) {
    isolate.leasedAtMs = nowMs;
    await ids.renew();
  }
  return ids;
}

interface Opened {
  readonly control: Control;
  readonly bus: Bus;
}

async function open(isolate: Isolate): Promise<Opened> {
  const { settings, plans } = isolate;
  const { NATS_URL: servers, NOETL_PUBLIC_URL: serverUrl, NOETL_CREDENTIALS: document } = settings;
  const { ids } = await idsOf(isolate);
  const bus =
    servers === undefined
      ? silentBus()
      : natsSocketBus({ servers, name: "noetl-edge", onNotice: report });
  const { stores } = isolate;
  const tokens = tokenCheck({ people: stores.people, sha256, clock, report });
  const { seals, credentials } = secretsOf(settings, stores, {
    ...{ clock, report, credentials: settingCredentials(document) },
  });
  const control = startControl(
    {
      ...stores,
      bus,
      clock,
      ids,
      sha256,
      credentials,
      ...(seals === undefined ? {} : { seals }),
      engineVersion: manifest.version,
      ...(serverUrl === undefined ? {} : { serverUrl }),
    },
    { access: accessOf({ settings, tokens, sha256, clock }), report, resident: false, plans },
  );
  return { control, bus };
}

/** After the reply: what the request began for others, a sweep when it is time, the last message. */
async function close({ control, bus }: Opened, isolate: Isolate): Promise<void> {
  try {
    await control.finish();
    if (clock.nowMs() - isolate.sweptAtMs >= sweepMs) {
      isolate.sweptAtMs = clock.nowMs();
      await control.sweep.sweepOnce();
      await control.finish();
    }
  } catch (thrown) {
    report(`after a request: ${messageOf(thrown)}`);
  } finally {
    await bus.close();
  }
}

/** The app answers its own faults; what comes here is a database that is away, or our settings. */
function problem(thrown: unknown): Response {
  report(messageOf(thrown));
  const isAway = thrown instanceof Fault && thrown.retryable;
  const fault = isAway ? thrown : new Fault("internal", "internal error", { cause: thrown });
  return Response.json(problemBody(fault), {
    status: statusOf(fault.code),
    headers: fault.retryable ? { "retry-after": "1" } : {},
  });
}

/** Serves the API. */
async function fetch(
  request: Request,
  environment: EdgeEnvironment,
  context: EdgeContext,
): Promise<Response> {
  try {
    const isolate = isolateOf(environment);
    const opened = await open(isolate);
    const response = await opened.control.fetch(request);
    context.waitUntil(close(opened, isolate));
    return response;
  } catch (thrown) {
    return problem(thrown);
  }
}

/** The sweep as a cron call: what has fallen due while no request came. */
async function scheduled(
  _call: unknown,
  environment: EdgeEnvironment,
  _context: EdgeContext,
): Promise<void> {
  const isolate = isolateOf(environment);
  isolate.sweptAtMs = 0;
  await close(await open(isolate), isolate);
}

export default { fetch, scheduled };
