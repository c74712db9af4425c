// Every bound of tests of playbooks (`noetl test`), with its reason.

/** Real time that one test may take: tools that run for real can hang. */
export const testRealMsMax = 60_000;
/** Virtual time that one test may take: the longest wait of the language. */
export const testVirtualMsMax = 10 * 366 * 86_400_000;
/** Events of one test, over all its executions: a playbook without an end comes to this. */
export const testEventsMax = 100_000;
/** Mocks, injected failures or answers of one test. */
export const testMocksMax = 100_000;
/** Times in a row that time is moved by a sweep while nothing at all happens. */
export const testQuietSweepsMax = 300;
/** Lines that tell of one test that failed: its steps, and one difference. */
export const testStoryLinesMax = 60;
export const testValueCharsMax = 300;
