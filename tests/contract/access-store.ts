// The contract of people and their tokens, told against the port alone.
import type { PlatformWorld } from "./platform.ts";

export function accessStoreContract(_world: PlatformWorld): void {}
