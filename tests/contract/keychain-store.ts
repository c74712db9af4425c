// The contract of keychain entries, told against the port alone.
import type { PlatformWorld } from "./platform.ts";

export function keychainStoreContract(_world: PlatformWorld): void {}
