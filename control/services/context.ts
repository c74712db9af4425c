// What the services of the control plane share: the ports, and what is built once upon them.

import type { Sha256 } from "#core/model/codec";
import type { Bus } from "#core/ports/bus";
import type { Clock, IdMint } from "#core/ports/clock";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { Stores } from "#core/ports/stores";
import type { Plans } from "./plans.ts";

/** Where credentials come from; undefined for an alias that nobody has. */
export type CredentialSource = (alias: string) => Promise<CredentialRecord | undefined>;

/** Who opened the ports closes them. */
export interface ControlPorts extends Omit<Stores, "close"> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: IdMint;
  readonly sha256: Sha256;
  readonly credentials: CredentialSource;
  /** Where workers reach this control plane; told in hints. */
  readonly serverUrl?: string;
  /** Named in the first event of every execution. */
  readonly engineVersion: string;
}

export interface ControlContext extends ControlPorts {
  readonly plans: Plans;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
}
