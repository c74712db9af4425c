// What stands around executions, put together from the settings of a process: who may ask for what,
// the sealing of secrets, and the roles that tell others of what happened.

import type { Access } from "#control/access/admission";
import { accessOf } from "#control/access/authenticate";
import { tokenCheck } from "#control/access/token-check";
import { countedLog } from "#control/export/control-metrics";
import { exportRoles, metricsPush, searchOf } from "#control/export/export-roles";
import { keychainDuties } from "#control/keychain/duties";
import type { Role } from "#control/roles/lease";
import type { Duty } from "#control/roles/system";
import { keyFile } from "#control/secrets/key-file";
import { secretsOf } from "#control/secrets/secrets";
import type { ControlPorts, CredentialSource } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { waitKeyOf } from "#control/waits/wait-key";
import { memoryKeychain } from "#core/adapters/memory-keychain";
import { metrics } from "#core/adapters/metrics";
import { peerOf } from "#core/adapters/peers";
import { tokenRestMs, tokensPurgedMax } from "#core/model/access-limits";
import { roleShareBesideApi } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { Stores } from "#core/ports/stores";
import type { ControlSettings } from "./config.ts";

export interface PlatformSurroundings {
  readonly clock: Clock;
  readonly sha256: (text: string) => string;
  /** Where credentials come from that are not in the store. */
  readonly credentials: CredentialSource;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
  /** A token for the administrator of this machine, good as long as the process lives. */
  readonly localToken?: string;
  /** Reads a file of this machine; absent where there are none. */
  readonly readText?: (path: string) => Promise<string>;
}

/** What services are given of it. */
export type PlatformPorts = Pick<
  ControlPorts,
  "credentials" | "seals" | "waitKey" | "metrics" | "keychainOptions" | "search" | "log"
>;

export interface Platform {
  readonly access: Access;
  readonly ports: PlatformPorts;
  /** What the stores of these parts need every few minutes. */
  readonly duties: readonly Duty[];
  /** Roles of this process beside those of the log. */
  beside(executions: Executions, ports: ControlPorts): readonly Role[];
}

/** @throws Fault `invalid` for settings that can't be followed. */
export function platformOf(
  settings: Partial<ControlSettings>,
  stores: Stores,
  surroundings: PlatformSurroundings,
): Platform {
  const { clock, sha256, report, localToken, readText } = surroundings;
  const { people } = stores;
  const tokens = tokenCheck({ people, sha256, clock, report });
  const secrets = secretsOf(settings, stores, {
    ...{ clock, report, credentials: surroundings.credentials },
    keyFile: (path) => keyFile(path, report),
  });
  const read = (path: string): string => keyFile(path, () => {}).read();
  const waitKey = waitKeyOf(settings, { sha256, read });
  const numbers = metrics();
  const search = searchOf(settings);
  // Where nothing can be sealed, nothing goes into the store.
  const unsealed = memoryKeychain(clock);
  return {
    access: accessOf({
      ...{ settings, tokens, sha256, clock, peerOf },
      ...(localToken === undefined ? {} : { localToken }),
    }),
    ports: {
      metrics: numbers,
      log: countedLog(stores.log, numbers, clock),
      ...(search === undefined ? {} : { search }),
      credentials: secrets.credentials,
      ...(secrets.seals === undefined ? {} : { seals: secrets.seals }),
      ...(waitKey === undefined ? {} : { waitKey }),
      keychainOptions: {
        ...{ settings, unsealed },
        ...(readText === undefined ? {} : { readText }),
      },
    },
    duties: [
      ...secrets.duties,
      ...keychainDuties({ log: stores.log, keychain: secrets.seals ? stores.keychain : unsealed }),
      {
        name: "access tokens",
        run: () => people.purgeTokens(clock.nowMs() - tokenRestMs, tokensPurgedMax),
      },
    ],
    beside: (_executions, ports) => exporters(settings, ports, surroundings),
  };
}

/** What tells others of the log, where this process has the role. */
function exporters(
  settings: Partial<ControlSettings>,
  ports: ControlPorts,
  { report, sha256, clock }: PlatformSurroundings,
): readonly Role[] {
  const { NOETL_ROLES: roles } = settings;
  const owner = `exporter-${crypto.randomUUID()}`;
  const push =
    ports.metrics === undefined
      ? undefined
      : metricsPush(settings, { metrics: ports.metrics, clock, report, owner });
  const pushing = push === undefined ? [] : [push];
  if (roles !== undefined && !roles.includes("exporter")) return pushing;
  const share = roles === undefined || roles.includes("api") ? roleShareBesideApi : 1;
  return [...pushing, ...exportRoles(ports, settings, { owner, report, sha256, share })];
}
