// Flags that many commands have, said the same way in all of them.

import type { Flag } from "#cli/arguments";

export const serverFlag: Flag = {
  kind: "text",
  value: "URL",
  about: "the control plane; without it NOETL_SERVER_URL, or the running `noetl dev`",
};

export const jsonFlag: Flag = { kind: "switch", about: "one JSON document on standard output" };
