// A server in the test's own process that stands for any place: keeps what it was sent, and answers
// as the test says.

export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

type Answer = (seen: Seen) => Response | Promise<Response>;
const open: { stop(force: boolean): Promise<void> }[] = [];

/** For after each test. */
export async function stopPlaces(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.stop(true)));
}

export function startPlace(answer: Answer = () => new Response("")) {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { method, headers, url } = request;
      const one = { method, headers, url: new URL(url), body: await request.text() };
      seen.push(one);
      return answer(one);
    },
  });
  open.push(server);
  const host = `127.0.0.1:${server.port}`;
  return { host, url: `http://${host}` as const, seen };
}
