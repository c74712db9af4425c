// Settings of the control plane's part `keychain`.

import type { Settings } from "#core/model/settings";

export const keychainSettings = {} as const satisfies Settings;
