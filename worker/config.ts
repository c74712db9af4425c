// The settings of a worker as a process of its own.

import { type } from "arktype";
import { javascriptProcessesMax, pythonRunnersMax } from "#core/model/limits";
import {
  address,
  addresses,
  count,
  durationMs,
  flag,
  megabytes,
  names,
  pairs,
  port,
  type Settings,
  type SettingValues,
  text,
} from "#core/model/settings";

/** Of the tools that run something elsewhere; the embedded worker has them too. */
export const runToolSettings = {
  NOETL_MCP_SERVERS: {
    shape: pairs,
    text: "Addresses of MCP servers by name, `name=url` with commas between them, for steps that name a server.",
  },
  NOETL_MCP_URL: {
    shape: address,
    text: "The MCP server for steps that name one without an address of its own.",
  },
  NOETL_CONTAINER_RUNTIME: {
    shape: type("'none' | 'kubernetes' | 'podman' | 'docker'").describe(
      "none, kubernetes, podman or docker",
    ),
    default: "none",
    text: "Where container steps run: as jobs of a cluster, or by a program on this machine. `none` refuses them.",
  },
  NOETL_CALLBACK_URL: {
    shape: address,
    text: "The control plane as containers reach it; the first one of NOETL_SERVER_URL without it.",
  },
  NOETL_KUBERNETES_URL: {
    shape: address,
    text: "The cluster's API; in a pod, the cluster's own without it.",
  },
  NOETL_KUBERNETES_TOKEN_FILE: {
    shape: text,
    text: "A file with the token that jobs are made with; in a pod, that of its account without it.",
  },
  NOETL_KUBERNETES_CA_FILE: {
    shape: text,
    text: "Certificates in PEM that the cluster's is checked against; in a pod, those of its account without it.",
  },
  NOETL_KUBERNETES_NAMESPACE: {
    shape: text,
    text: "Where jobs are made that name no namespace; in a pod, the pod's own without it.",
  },
} as const satisfies Settings;

export const workerSettings = {
  NOETL_SERVER_URL: {
    shape: addresses,
    text:
      "The control plane, or several replicas of it with commas between them. Without it, the one " +
      "that `noetl dev` runs from this directory.",
  },
  NOETL_INTERNAL_API_TOKEN: {
    shape: text,
    secret: true,
    text: "What the worker shows the control plane to be let in: one of the tokens that it has under this name.",
  },
  NATS_URL: {
    shape: text,
    secret: true,
    text: "NATS servers, with commas between them; `tls://` for an encrypted line. Without it, the worker looks for work once a second.",
  },
  NATS_CA_FILE: {
    shape: text,
    text: "Certificates in PEM that those of the NATS servers are checked against; the line is then encrypted.",
  },
  NOETL_POOLS: {
    shape: names,
    default: "default",
    text: "The pools whose commands it runs, with commas between them.",
  },
  NOETL_LABELS: {
    shape: names,
    text: "What it can do that others can't, with commas between them: commands may ask for it.",
  },
  NOETL_SLOTS: {
    shape: count,
    default: "64",
    text: "Commands that one worker process runs at the same time.",
  },
  NOETL_PROCESSES: {
    shape: count,
    default: "1",
    text: "Worker processes; more than one are started and watched by a parent.",
  },
  NOETL_WORKER_ID: {
    shape: text,
    text: "The beginning of its name, for lists and logs; the host's name without it.",
  },
  NOETL_WORKER_ALLOW_SHELL: {
    shape: flag,
    default: "false",
    text: "Whether steps may run shell commands as the user of the worker.",
  },
  NOETL_WORKER_FILE_ROOTS: {
    shape: names,
    text: "Folders below which steps may read scripts and database files, with commas between them.",
  },
  NOETL_PYTHON_PROCESSES: {
    shape: count,
    default: String(pythonRunnersMax),
    text: "Python processes that one worker process keeps for one interpreter.",
  },
  NOETL_JAVASCRIPT_PROCESSES: {
    shape: count,
    default: String(javascriptProcessesMax),
    text: "JavaScript sandboxes that one worker process keeps.",
  },
  NOETL_DUCKDB_EXTENSIONS: {
    shape: text,
    text: "A folder with extensions of DuckDB that its steps may need; without it, only those that are built in.",
  },
  ...runToolSettings,
  NOETL_TOOL_MEMORY_MB: {
    shape: megabytes,
    text:
      "Address space of each python process and of each program of a shell step. Without it, " +
      "16384 for python and no limit for shell.",
  },
  NOETL_SPOOL_DIRECTORY: {
    shape: text,
    default: ".noetl/spool",
    text: "Where outcomes wait that could not be reported; workers of one machine may share it.",
  },
  NOETL_STOP_GRACE_MS: {
    shape: durationMs,
    default: "20000",
    text: "How long running tools may go on when the worker is asked to stop.",
  },
  NOETL_HEALTH_PORT: {
    shape: port,
    text: "Answers `GET /healthz` on this port of all addresses; not listened to without it.",
  },
} as const satisfies Settings;

export type WorkerSettings = SettingValues<typeof workerSettings>;
export type RunToolSettings = SettingValues<typeof runToolSettings>;
