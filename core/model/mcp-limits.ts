// Limits of the endpoint that speaks the Model Context Protocol. The idea of their form is that of
// limits.ts.

/** Bytes of a message to it. */
export const mcpRequestBytesMax = 4 * 1_048_576;

/** Entries of the catalog that are looked through for tools. */
export const mcpEntriesMax = 5_000;

/** Tools, or resources, on one page of a list. */
export const mcpPageMax = 100;

/** Characters of a tool's name: what clients of large models take. */
export const mcpNameCharsMax = 64;

/** How long a call waits for its playbook, unless the playbook says otherwise. */
export const mcpWaitMsDefault = 90_000;
export const mcpWaitMsMax = 600_000;

/** How often a waiting call looks at the log itself; messages tell it sooner. */
export const mcpLookMs = 1_000;

/** Characters of a text that a call or a resource answers with. */
export const mcpTextCharsMax = 1_048_576;

/** Events, or lines, of an execution that one resource shows. */
export const mcpRowsMax = 1_000;
