// The contract of the audit log, told against the port alone.
import type { PlatformWorld } from "./platform.ts";

export function auditStoreContract(_world: PlatformWorld): void {}
