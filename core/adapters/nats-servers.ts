// What NATS_URL says: servers, how to prove who we are, and whether the line is encrypted. The
// text holds passwords, so no error shows any of it.

import { Fault } from "#core/model/fault";

export interface NatsServers {
  /** `host:port`, without credentials: fit to be shown. */
  readonly servers: readonly string[];
  readonly credentials?: NatsCredentials;
  readonly isEncrypted: boolean;
}

export type NatsCredentials =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "password"; readonly user: string; readonly password: string };

const defaultPort = "4222";

/**
 * Reads servers with commas between them: `nats://user:pass@host:4222`, `tls://token@host`, `host`.
 * One set of credentials serves for all servers that name none.
 * @throws Fault `invalid` that says which of the servers is wrong, and never shows it.
 */
export function natsServers(text: string): NatsServers {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (parts.length === 0) throw invalid("no server was given");
  const found = parts.map((part, index) => serverOf(part, index, parts.length));
  const credentials = found.flatMap(({ login }) => (login === undefined ? [] : [login]));
  const [first] = credentials;
  if (credentials.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
    throw invalid("the servers name different credentials, expected the same for all");
  }
  return {
    servers: found.map(({ server }) => server),
    ...(first === undefined ? {} : { credentials: first }),
    isEncrypted: found.some(({ isEncrypted }) => isEncrypted),
  };
}

interface Server {
  readonly server: string;
  readonly isEncrypted: boolean;
  readonly login: NatsCredentials | undefined;
}

function serverOf(part: string, index: number, count: number): Server {
  const url = URL.parse(part.includes("://") ? part : `nats://${part}`);
  const isEncrypted = url?.protocol === "tls:";
  const isKnown = isEncrypted || url?.protocol === "nats:";
  if (
    url === null ||
    !isKnown ||
    url.hostname === "" ||
    (url.pathname !== "" && url.pathname !== "/")
  ) {
    const which = count === 1 ? "the server" : `server ${index + 1} of ${count}`;
    throw invalid(`${which} is not an address like nats://user:password@host:4222 or tls://host`);
  }
  const server = `${url.hostname}:${url.port === "" ? defaultPort : url.port}`;
  return { server, isEncrypted, login: loginOf(url) };
}

function loginOf(url: URL): NatsCredentials | undefined {
  if (url.username === "") return undefined;
  const user = decoded(url.username);
  if (url.password === "") return { kind: "token", token: user };
  return { kind: "password", user, password: decoded(url.password) };
}

/** A bare percent sign in a password is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(reason: string): Fault {
  return new Fault("invalid", `NATS_URL: ${reason}`);
}
