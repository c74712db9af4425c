// The contract of schedules, told against the port alone.
import type { PlatformWorld } from "./platform.ts";

export function scheduleStoreContract(_world: PlatformWorld): void {}
