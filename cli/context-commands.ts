// `noetl context`: the control planes that a person works with, by name. Tokens are read from
// standard input or typed, never from the command line, and never shown again.

import { type Arguments, UsageError } from "./arguments.ts";
import {
  type Context,
  contextName,
  contextNamed,
  contextsFile,
  readContexts,
  writeContexts,
} from "./contexts.ts";

import { printed } from "./printed.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import { readSecret } from "./secret-input.ts";
import { serverAt } from "./server.ts";
import { tableLines } from "./table.ts";

/** `context add NAME --server-url URL [--token-stdin]`: the first one becomes the current one. */
export async function addContext(args: Arguments): Promise<number> {
  const name = contextName(args.operands[0] ?? "");
  const url = args.text("server");
  if (url === undefined) throw new UsageError("expected --server-url URL");
  const runtime = runtimeOf(args.text("runtime") ?? "auto");
  const tenant = args.text("tenant");
  const token = args.has("token-stdin") ? await readSecret("token: ") : undefined;
  // Says what is wrong with an address or a token before either is kept.
  const server = serverAt(url, token);
  const kept = readContexts();
  const context: Context = {
    server_url: server.url,
    ...(token === undefined ? {} : { token }),
    ...(tenant === undefined ? {} : { tenant }),
    runtime,
  };
  const isCurrent = args.has("set-current") || kept.current === undefined;
  const current = isCurrent ? name : kept.current;
  writeContexts({
    ...(current === undefined ? {} : { current }),
    contexts: { ...kept.contexts, [name]: context },
  });
  return printed(args, { name, current: isCurrent, ...shown(context) }, () => [
    `${name}: ${server.url}${isCurrent ? ", now the current context" : ""}`,
  ]);
}

function runtimeOf(text: string): Runtime {
  const found = runtimes.find((runtime) => runtime === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `expected runtime ${runtimes.join(", ")}, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** What may be told of a context: that it has a token, not which one. */
function shown({ server_url, token, tenant, runtime }: Context) {
  return {
    server_url,
    has_token: token !== undefined,
    ...(tenant === undefined ? {} : { tenant }),
    runtime,
  };
}

export async function listContexts(args: Arguments): Promise<number> {
  const { current, contexts } = readContexts();
  const items = Object.entries(contexts).map(([name, context]) => ({
    name,
    current: name === current,
    ...shown(context),
  }));
  return printed(args, { contexts: items }, () =>
    items.length === 0
      ? ["no contexts: noetl context add NAME --server-url URL"]
      : tableLines(
          ["", "NAME", "SERVER", "TOKEN", "RUNTIME", "TENANT"],
          items.map((item) => [
            item.current ? "*" : "",
            item.name,
            item.server_url,
            item.has_token ? "yes" : "",
            item.runtime,
            item.tenant ?? "",
          ]),
        ),
  );
}

export async function useContext(args: Arguments): Promise<number> {
  const name = args.operands[0] ?? "";
  const kept = readContexts();
  const context = contextNamed(kept, name);
  writeContexts({ ...kept, current: name });
  return printed(args, { name, current: true, ...shown(context) }, () => [
    `${name}: ${context.server_url}, now the current context`,
  ]);
}

export async function currentContext(args: Arguments): Promise<number> {
  const kept = readContexts();
  const { current } = kept;
  if (current === undefined) throw new UsageError("no current context: noetl context use NAME");
  const context = contextNamed(kept, current);
  return printed(args, { name: current, current: true, ...shown(context) }, () => [
    `${current}: ${context.server_url}`,
  ]);
}

/** `context set-runtime RUNTIME [NAME]`: of the current context without a name. */
export async function setRuntime(args: Arguments): Promise<number> {
  const [text = "", given] = args.operands;
  const runtime = runtimeOf(text);
  const kept = readContexts();
  const name = given ?? kept.current;
  if (name === undefined) throw new UsageError("no current context: noetl context use NAME");
  const context: Context = { ...contextNamed(kept, name), runtime };
  writeContexts({ ...kept, contexts: { ...kept.contexts, [name]: context } });
  return printed(args, { name, current: name === kept.current, ...shown(context) }, () => [
    `${name}: runtime ${runtime}`,
  ]);
}

export async function deleteContext(args: Arguments): Promise<number> {
  const name = args.operands[0] ?? "";
  const { current, contexts } = readContexts();
  contextNamed({ contexts }, name);
  const { [name]: _gone, ...others } = contexts;
  const isCurrent = name === current;
  writeContexts({ ...(isCurrent || current === undefined ? {} : { current }), contexts: others });
  if (isCurrent) console.error("noetl: that was the current context; there is none now");
  return printed(args, { name, deleted: true, file: contextsFile() }, () => [`${name}: deleted`]);
}
