// Settings of the control plane's part `access`.

import type { Settings } from "#core/model/settings";

export const accessSettings = {} as const satisfies Settings;
