// Which control plane a command talks to, and the token that is shown to it: what the flags or the
// environment name, else the running `noetl dev` of the directory, else the current context. A token
// is sent to the server that it belongs to, and never along a redirection.

import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { tokenCharsMax } from "#core/model/cli-limits";
import { Fault } from "#core/model/fault";
import { faultOf } from "#core/wire/problem";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { type CommandValues, configured } from "./config.ts";
import { type Context, contextNamed, readContexts } from "./contexts.ts";
import { type DevFile, readDevFile, runningDev } from "./dev-file.ts";

type Fetch = (request: Request) => Promise<Response>;

export interface Server {
  readonly url: string;
  readonly client: ApiClient;
  /** As the client asks: with the token, and told apart what was refused. */
  readonly fetch: Fetch;
  /** The tenant that the context is about. */
  readonly tenant?: string;
}

const healthTimeoutMs = 2_000;

/** What the flags, the environment, the directory or the contexts name; undefined without any. */
export async function findServer(args: Arguments): Promise<Server | undefined> {
  const values = configured();
  const named = namedUrl(args) ?? contextOf(args, values)?.server_url ?? values.NOETL_SERVER_URL;
  if (named !== undefined) return serverOf(args, named, values);
  const dev = runningDev(values.NOETL_DIRECTORY);
  if (dev !== undefined) {
    const server = serverAt(dev.url, args.text("token") ?? devToken(dev, values));
    if (await answers(server)) return server;
  }
  const { current, contexts } = readContexts();
  if (current === undefined) return undefined;
  return serverInContext(args, contextNamed({ contexts }, current), values);
}

/** Whether the command line itself says which one. */
export function isServerNamed(args: Arguments): boolean {
  return ["server", "host", "port", "context"].some((flag) => args.text(flag) !== undefined);
}

/** @throws UsageError when there is none to talk to. */
export async function neededServer(args: Arguments): Promise<Server> {
  const server = await findServer(args);
  if (server !== undefined) return server;
  throw new UsageError(
    "no control plane: expected --server URL, NOETL_SERVER_URL, a running `noetl dev` in this " +
      "directory, or a context (noetl context add)",
  );
}

/** The address that the flags give. @throws UsageError for ports that aren't any. */
function namedUrl(args: Arguments): string | undefined {
  const url = args.text("server");
  if (url !== undefined) return url;
  const [host, port] = [args.text("host"), args.text("port")];
  if (host === undefined && port === undefined) return undefined;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw new UsageError(`--port: expected a port, found ${JSON.stringify(port)}`);
  }
  return `http://${host ?? "127.0.0.1"}:${port ?? "8082"}`;
}

/** The context that was asked for by its name. */
function contextOf(args: Arguments, values: CommandValues): Context | undefined {
  const name = args.text("context") ?? values.NOETL_CONTEXT;
  return name === undefined ? undefined : contextNamed(readContexts(), name);
}

function serverOf(args: Arguments, url: string, values: CommandValues): Server {
  const context = namedUrl(args) === undefined ? contextOf(args, values) : undefined;
  if (context !== undefined) return serverInContext(args, context, values);
  const token = givenToken(args, url, values) ?? keptToken(url, values);
  return serverAt(url, token);
}

function serverInContext(args: Arguments, context: Context, values: CommandValues): Server {
  const { server_url: url, tenant } = context;
  const own = args.text("token") ?? context.token ?? givenToken(args, url, values);
  return { ...serverAt(url, own), ...(tenant === undefined ? {} : { tenant }) };
}

/** That of the flag; that of the environment, where the environment doesn't name another server. */
function givenToken(args: Arguments, url: string, values: CommandValues): string | undefined {
  const flag = args.text("token");
  if (flag !== undefined) {
    console.error("noetl: --token can be seen by others on this machine: expected NOETL_TOKEN");
    return flag;
  }
  const home = values.NOETL_SERVER_URL;
  if (home !== undefined && originOf(home) !== originOf(url)) return undefined;
  return values.NOETL_TOKEN ?? values.NOETL_SESSION_TOKEN;
}

/** That of the context, or of the running `noetl dev`, whose server this is. */
function keptToken(url: string, values: CommandValues): Token {
  const origin = originOf(url);
  const dev = runningDev(values.NOETL_DIRECTORY);
  if (dev !== undefined && originOf(dev.url) === origin) return devToken(dev, values);
  const { contexts } = readContexts();
  return Object.values(contexts).find(
    ({ server_url: own, token }) => token !== undefined && originOf(own) === origin,
  )?.token;
}

/** As the file says now: each start of `noetl dev` has another one. What isn't text is none. */
function devToken({ url, token: first }: DevFile, { NOETL_DIRECTORY: directory }: CommandValues) {
  let known: unknown = first;
  return (): string | undefined => {
    const now = readDevFile(directory);
    if (now !== undefined && originOf(now.url) === originOf(url)) known = now.token;
    return typeof known === "string" && /^[\x21-\x7e]+$/.test(known) ? known : undefined;
  };
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/** Who asks: as it is, or as it is now where it may change. */
type Token = string | undefined | (() => string | undefined);

/**
 * @param token who asks, for a control plane that wants to know.
 * @throws UsageError for text that isn't an address.
 */
export function serverAt(text: string, token?: Token): Server {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(
      `--server: expected an http or https address, found ${JSON.stringify(text)}`,
    );
  }
  const url = text.replace(/\/+$/, "");
  if (typeof token === "string") {
    checkToken(token);
    if (isReadableOnTheWay(url)) {
      console.error(`noetl: ${url} is not https: the token can be read on the way`);
    }
  }
  const send = typeof token === "function" ? renewed(url, token) : sender(url, token);
  return { url, client: apiClient({ fetch: send, baseUrl: url }), fetch: send };
}

/** Asks once; what a server redirects to never sees the token, so that it isn't asked at all. */
function sender(url: string, token: string | undefined): Fetch {
  return async (request) => {
    if (token !== undefined) request.headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(request, { redirect: "manual" });
    if (response.status >= 300 && response.status < 400) {
      throw new Fault("unavailable", `${url} redirects to another address: expected that one`);
    }
    if (response.status !== 401) return response;
    const { message } = faultOf(401, await response.json().catch(() => undefined));
    throw new Fault("unauthenticated", `not signed in to ${url}: ${message}`);
  };
}

const renewalMs = 2_000;
const renewalLookMs = 50;

/** A server that makes a token at each start tells the new one a moment after it listens. */
function renewed(url: string, token: () => string | undefined): Fetch {
  return async (request) => {
    const again = request.clone();
    const used = token();
    try {
      return await sender(url, used)(request);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== "unauthenticated") throw thrown;
      const until = performance.now() + renewalMs;
      while (token() === used && performance.now() < until) await Bun.sleep(renewalLookMs);
      if (token() === used) throw thrown;
      return sender(url, token())(again);
    }
  };
}

/** @throws UsageError for text that no header can carry; what refuses it later would quote it. */
function checkToken(token: string): void {
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= tokenCharsMax) return;
  throw new UsageError("expected a token of visible ASCII characters without spaces");
}

function isReadableOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:") return false;
  return !/^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Whether the control plane says that it is well. */
export async function answers({ client }: Server): Promise<boolean> {
  try {
    const { status } = await client.health(undefined, AbortSignal.timeout(healthTimeoutMs));
    return status === "ok";
  } catch (thrown) {
    if (thrown instanceof Fault) return false;
    throw thrown;
  }
}
