// Commands on where control planes are and who one is to them.

import { runtimes } from "#cli/runtimes";
import type { Command } from "./command.ts";
import { jsonFlag as json } from "./flags.ts";

const named = { operands: "NAME", operandsMin: 1, operandsMax: 1 } as const;
const alone = { operands: "", operandsMin: 0, operandsMax: 0 } as const;

const add: Command = {
  name: "add",
  ...named,
  about: "keep a control plane, and the token that is shown to it",
  flags: {
    server: { kind: "text", value: "URL", also: ["server-url"], about: "its address" },
    "token-stdin": { kind: "switch", about: "read a token from standard input, or type it" },
    runtime: {
      kind: "text",
      value: "RUNTIME",
      among: runtimes,
      about: "where files run: auto, local or distributed (auto)",
    },
    tenant: { kind: "text", value: "NAME", about: "for who may choose: on whose behalf" },
    "set-current": { kind: "switch", about: "and use it from now on" },
    json,
  },
  run: async (args) => (await import("#cli/context-commands")).addContext(args),
};

export const contextCommands: readonly Command[] = [
  {
    name: "context",
    ...alone,
    about: "the control planes that you work with",
    flags: {},
    sub: [
      add,
      {
        name: "list",
        ...alone,
        about: "all of them",
        flags: { json },
        run: async (args) => (await import("#cli/context-commands")).listContexts(args),
      },
      {
        name: "use",
        ...named,
        about: "what commands talk to from now on",
        flags: { json },
        run: async (args) => (await import("#cli/context-commands")).useContext(args),
      },
      {
        name: "current",
        ...alone,
        about: "what commands talk to now",
        flags: { json },
        run: async (args) => (await import("#cli/context-commands")).currentContext(args),
      },
      {
        name: "set-runtime",
        operands: "RUNTIME [NAME]",
        operandsMin: 1,
        operandsMax: 2,
        about: "where `noetl run FILE` runs: auto, local or distributed",
        flags: { json },
        run: async (args) => (await import("#cli/context-commands")).setRuntime(args),
      },
      {
        name: "delete",
        ...named,
        about: "forget a control plane and its token",
        flags: { json },
        run: async (args) => (await import("#cli/context-commands")).deleteContext(args),
      },
    ],
  },
];
