// Where the file of a playbook may run.

export const runtimes = ["auto", "local", "distributed"] as const;
/** Where `noetl run FILE` runs: in this process, on the server, or as the command line says. */
export type Runtime = (typeof runtimes)[number];
