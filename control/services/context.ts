// What the services of the control plane share: the ports, and what is built once upon them.

import type { KeychainOptions } from "#control/keychain/options";
import type { ExecutionSearch } from "#control/search/search";
import type { Sha256 } from "#core/model/codec";
import type { ExecutionId } from "#core/model/ids";
import type { Bus } from "#core/ports/bus";
import type { Clock, IdMint } from "#core/ports/clock";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { Metrics } from "#core/ports/metrics";
import type { OutsideSql } from "#core/ports/outside-sql";
import type { Seals } from "#core/ports/seals";
import type { Stores } from "#core/ports/stores";
import type { Plans } from "./plans.ts";

/** For what a credential is asked: read off the log and the lease, never off a request. */
export interface CredentialAsk {
  readonly tenant: string;
  /** The playbook's path in the catalog. */
  readonly path: string;
  readonly pool: string;
  readonly executionId: ExecutionId;
  readonly worker: string;
}

/**
 * Where credentials come from; undefined for an alias that nobody has. Without an ask nothing is
 * given that is only for some.
 */
export type CredentialSource = (
  alias: string,
  ask?: CredentialAsk,
) => Promise<CredentialRecord | undefined>;

/** Who opened the ports closes them. */
export interface ControlPorts extends Omit<Stores, "close"> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: IdMint;
  readonly sha256: Sha256;
  readonly credentials: CredentialSource;
  /** Absent where there is no master key: then nothing secret is kept. */
  readonly seals?: Seals;
  /** What tokens of waits are signed with. */
  readonly waitKey?: string;
  readonly metrics?: Metrics;
  /** Finds ended executions by what a question says of them; absent where nothing keeps them so. */
  readonly search?: ExecutionSearch;
  /** Reaches databases that credentials name; absent where nothing can be connected to. */
  readonly outsideSql?: OutsideSql;
  /** How providers of secrets are reached. */
  readonly keychainOptions?: KeychainOptions;
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
