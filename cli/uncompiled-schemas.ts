// How processes that may end at once have their schemas.

/**
 * Schemas check values as they are, instead of through functions compiled for each of them: that
 * takes a third off the start of a process that may end in half a second. Of use only before the
 * first schema is made.
 */
export async function withoutCompiledSchemas(): Promise<void> {
  const { configure } = await import("arktype/config");
  configure({ jitless: true });
}
