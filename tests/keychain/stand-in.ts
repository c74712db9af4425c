// A provider of secrets in the test's own process: answers as a test says, and keeps what it heard.

import type { KeychainSettings } from "#control/keychain/options";
import { type OutsideParts, outside } from "#control/keychain/outside";
import { type SecretProviders, secretProviders } from "#control/keychain/providers/index";
import { type VirtualClock, virtualClock } from "#tests/support/virtual-clock";

export interface Heard {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

export type Reply = (heard: Heard) => Response | Promise<Response>;

export interface StandIn {
  readonly url: `http://${string}`;
  /** With its port. */
  readonly host: string;
  readonly heard: Heard[];
  reply: Reply;
  close(): Promise<void>;
}

export function standIn(reply: Reply = () => Response.json({})): StandIn {
  const heard: Heard[] = [];
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const asked: Heard = {
        method: request.method,
        path: `${pathname}${search}`,
        headers: request.headers,
        body: await request.text(),
      };
      heard.push(asked);
      return self.reply(asked);
    },
  });
  const self: StandIn = {
    url: `http://127.0.0.1:${server.port}`,
    host: `127.0.0.1:${server.port}`,
    heard,
    reply,
    close: () => server.stop(true),
  };
  return self;
}

export interface Provided {
  readonly providers: SecretProviders;
  readonly clock: VirtualClock;
}

export function provided(
  settings: Partial<KeychainSettings> = {},
  given: Partial<OutsideParts & { readonly readText: (path: string) => Promise<string> }> = {},
): Provided {
  const clock = virtualClock();
  const { fetch = globalThis.fetch, hostsAllowed = [], readText } = given;
  const ask = outside({ fetch, clock, hostsAllowed });
  return { providers: secretProviders({ ask, clock, settings, readText }), clock };
}
