// The part of a process that keeps secrets, put together from its settings: the ring of keys, the
// sealing, where commands get credentials from, and what goes on in the background.

import type { Duty } from "#control/roles/system";
import type { CredentialSource } from "#control/services/context";
import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { Seals } from "#core/ports/seals";
import type { Stores } from "#core/ports/stores";
import { fixedKeys, type KeyFile, type KeyRing, keysOfFile } from "./key-ring.ts";
import { rotationSteps } from "./rotation.ts";
import { sealsOf } from "./sealed.ts";
import { vaultCredentials } from "./source.ts";

export interface SecretSettings {
  readonly NOETL_MASTER_KEY?: string | undefined;
  readonly NOETL_MASTER_KEY_FILE?: string | undefined;
}

export interface SecretSurroundings {
  readonly clock: Pick<Clock, "nowMs">;
  readonly report: (message: string) => void;
  /** Where credentials come from that are not in the store. */
  readonly credentials: CredentialSource;
  /** Opens a file of keys; without it there are no files here. */
  readonly keyFile?: (path: string) => KeyFile;
}

export interface Secrets {
  /** Absent without a master key: then nothing secret is kept. */
  readonly seals?: Seals;
  readonly credentials: CredentialSource;
  readonly duties: readonly Duty[];
}

/** @throws Fault `invalid` for keys that are none. */
export function secretsOf(
  settings: SecretSettings,
  { vault }: Pick<Stores, "vault">,
  surroundings: SecretSurroundings,
): Secrets {
  const { clock, report, credentials: next } = surroundings;
  const ring = keyRingOf(settings, surroundings);
  const nowMs = (): number => clock.nowMs();
  const seals = ring === undefined ? undefined : sealsOf(ring);
  const credentials = vaultCredentials({ vault, seals, nowMs, next });
  if (seals === undefined) return { credentials, duties: [] };
  const step = rotationSteps({ vault, seals, nowMs, report });
  return {
    seals,
    credentials,
    duties: [{ name: "credentials of older keys", run: async () => (await step()).looked }],
  };
}

/** The keys that the settings name; undefined where they name none. */
export function keyRingOf(
  { NOETL_MASTER_KEY: text, NOETL_MASTER_KEY_FILE: path }: SecretSettings,
  { clock, report, keyFile }: Pick<SecretSurroundings, "clock" | "report" | "keyFile">,
): KeyRing | undefined {
  if (text !== undefined && path !== undefined) {
    throw new Fault("invalid", "expected NOETL_MASTER_KEY or NOETL_MASTER_KEY_FILE, found both");
  }
  if (text !== undefined) return fixedKeys(text);
  if (path === undefined) return undefined;
  if (keyFile === undefined) {
    throw new Fault(
      "invalid",
      "NOETL_MASTER_KEY_FILE: there are no files here, set NOETL_MASTER_KEY",
    );
  }
  return keysOfFile(keyFile(path), { nowMs: () => clock.nowMs(), report });
}
