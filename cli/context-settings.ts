// Settings by which the commands know where a control plane is and who they are to it.

import { type Settings, text } from "#core/model/settings";

export const contextSettings = {
  NOETL_TOKEN: {
    shape: text,
    secret: true,
    text: "The access token that commands show to the control plane of NOETL_SERVER_URL, or to one that a flag names.",
  },
  NOETL_SESSION_TOKEN: {
    shape: text,
    secret: true,
    text: "The same, where there is no NOETL_TOKEN.",
  },
  NOETL_CONTEXT: {
    shape: text,
    text: "The context that commands use, instead of the current one.",
  },
  NOETL_CONFIG_HOME: {
    shape: text,
    text: "The folder with contexts.json; `noetl` below XDG_CONFIG_HOME or `~/.config` without it.",
  },
} as const satisfies Settings;
