// What stands around executions, put together from the settings of a process: who may ask for what,
// the sealing of secrets, and the roles that tell others of what happened.

import { type Access, openAccess } from "#control/access/admission";
import type { Role } from "#control/roles/lease";
import type { Duty } from "#control/roles/system";
import type { ControlPorts, CredentialSource } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import type { Clock } from "#core/ports/clock";
import type { Seals } from "#core/ports/seals";
import type { Stores } from "#core/ports/stores";
import type { ControlSettings } from "./config.ts";

export interface PlatformSurroundings {
  readonly clock: Clock;
  readonly sha256: (text: string) => string;
  /** Where credentials come from that are not in the store. */
  readonly credentials: CredentialSource;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
}

export interface Platform {
  readonly access: Access;
  readonly credentials: CredentialSource;
  readonly seals?: Seals;
  /** What tokens of waits are signed with. */
  readonly waitKey?: string;
  /** What the stores of these parts need every few minutes. */
  readonly duties: readonly Duty[];
  /** Roles of this process beside those of the log. */
  beside(executions: Executions, ports: ControlPorts): readonly Role[];
}

/** @throws Fault `invalid` for settings that can't be followed. */
export function platformOf(
  _settings: Partial<ControlSettings>,
  _stores: Stores,
  { credentials }: PlatformSurroundings,
): Platform {
  return { access: openAccess(), credentials, duties: [], beside: () => [] };
}
