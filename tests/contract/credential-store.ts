// The contract of credentials, told against the port alone.
import type { PlatformWorld } from "./platform.ts";

export function credentialStoreContract(_world: PlatformWorld): void {}
