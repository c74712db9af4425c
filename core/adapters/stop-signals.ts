// How a process is asked to stop: SIGINT or SIGTERM once, and it ends what it does; twice, and it
// ends at once.

/** The exit code of a process that was told twice, as shells give it for SIGINT. */
export const exitInterrupted = 130;

/** Resolves with the first signal; the second one ends the process. To be asked for once. */
export function stopAsked(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(exitInterrupted);
    asked = true;
    resolve();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return promise;
}
