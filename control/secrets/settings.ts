// Settings of the keys that credentials are sealed by.

import { type Settings, text } from "#core/model/settings";

export const secretSettings = {
  NOETL_MASTER_KEY: {
    shape: text,
    secret: true,
    text:
      "Keys that seal what is secret in the database: `id:key`, the key 32 bytes in base64, with " +
      "commas between several. The first one seals, all of them open. Without a key, no credentials are kept.",
  },
  NOETL_MASTER_KEY_FILE: {
    shape: text,
    text: "A file with such keys, one a line, in place of `NOETL_MASTER_KEY`. It is read anew when it has changed.",
  },
} as const satisfies Settings;
