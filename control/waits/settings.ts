// Settings of the tokens by which somebody without an account answers what is waited for.

import { type Settings, text } from "#core/model/settings";

export const waitSettings = {
  NOETL_WAIT_KEY: {
    shape: text,
    secret: true,
    text:
      "Keys that sign the links of approvals and callbacks, each at least 32 characters, with commas " +
      "between several: the first one signs, all of them are taken. Made of the master keys without it.",
  },
} as const satisfies Settings;
