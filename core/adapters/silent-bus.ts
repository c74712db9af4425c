// No bus at all, for a process that was given none: nothing is sent and nothing is heard, which by
// the contract of the bus costs speed alone.

import type { Bus } from "#core/ports/bus";

export function silentBus(): Bus {
  const status = { messagesLost: 0, hintsLost: 0 };
  let closed = false;
  return {
    publish: () => {},
    hint: () => {},
    subscribe: () => ({ close: () => {} }),
    hints: () => ({ wake: () => {}, close: () => {} }),
    status: () => ({ ...status, state: closed ? "closed" : "connecting", reason: "there is none" }),
    close: async () => {
      closed = true;
    },
  };
}
