// Flags that many commands have, said the same way in all of them.

import type { Flag } from "#cli/arguments";

export const serverFlag: Flag = {
  kind: "text",
  value: "URL",
  also: ["server-url", "endpoint"],
  group: "server",
  about: "the control plane; see `noetl help context` for what stands for it",
};

export const jsonFlag: Flag = {
  kind: "switch",
  short: "j",
  about: "one JSON document on standard output",
};

/** Which control plane, and as whom: of every command that talks to one. */
export const serverFlags: Readonly<Record<string, Flag>> = {
  server: serverFlag,
  host: { kind: "text", value: "HOST", group: "server", about: "its host (127.0.0.1)" },
  port: { kind: "text", short: "p", value: "PORT", group: "server", about: "its port (8082)" },
  context: { kind: "text", value: "NAME", group: "server", about: "one of `noetl context list`" },
  token: {
    kind: "text",
    value: "TOKEN",
    also: ["session-token"],
    group: "server",
    about: "as whom; better given as NOETL_TOKEN",
  },
};

/** Of every command that asks a control plane something. */
export const remoteFlags: Readonly<Record<string, Flag>> = { json: jsonFlag, ...serverFlags };

/** What an execution is started with. */
export const inputFlags: Readonly<Record<string, Flag>> = {
  set: {
    kind: "list",
    value: "KEY=VALUE",
    about: "one value of the input; a.b=1 for maps in maps",
  },
  payload: {
    kind: "text",
    value: "JSON",
    also: ["workload"],
    about: "the input as a JSON map",
  },
  input: {
    kind: "text",
    short: "i",
    value: "FILE",
    about: "the input from a YAML or JSON file",
  },
};
