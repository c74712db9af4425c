// The time that the API's limits and delays go by; a test brings its own.

export interface ApiClock {
  nowMs(): number;
  sleep(delayMs: number): Promise<void>;
}

export const wallClock: ApiClock = {
  nowMs: () => Date.now(),
  sleep: (delayMs) => Bun.sleep(delayMs),
};
