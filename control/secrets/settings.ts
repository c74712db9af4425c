// Settings of the control plane's part `secrets`.

import type { Settings } from "#core/model/settings";

export const secretSettings = {} as const satisfies Settings;
