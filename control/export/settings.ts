// Settings of the control plane's part `export`.

import type { Settings } from "#core/model/settings";

export const exportSettings = {} as const satisfies Settings;
