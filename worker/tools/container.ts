// The container tool: which runtime a call gets. The worker's operator decides whether there is
// one at all; a playbook may ask for one, and is refused where the worker has another.

import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { configFailure, textField } from "./call-config.ts";
import { outputOf } from "./code-call.ts";
import type { KubernetesOptions } from "./container-cluster.ts";
import { containerCall } from "./container-config.ts";
import { postJob } from "./container-kubernetes.ts";
import { runLocally } from "./container-local.ts";
import { cleanEnvironment, type WorkerEnvironment } from "./process-group.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export type ContainerRuntime = "kubernetes" | "podman" | "docker";

export interface ContainerToolOptions {
  readonly runtime?: ContainerRuntime | "none";
  readonly kubernetes?: KubernetesOptions;
  /** The worker's environment, of which a local runtime gets what it needs to find its daemon. */
  readonly environment?: WorkerEnvironment;
}

/**
 * On a cluster the call is parked with the job's handle, and ends when the job says so. On the
 * worker's own machine: `{exit_code, stdout, stderr, job_name}`.
 */
export function containerTool(options: ContainerToolOptions = {}): Tool {
  const worker = options.environment ?? process.env;
  const environment = { ...cleanEnvironment(worker), ...daemonEnvironment(worker) };
  const run = async (config: JsonObject, context: ToolContext): Promise<Output> => {
    const runtime = runtimeOf(options.runtime ?? "none", textField(config, "runtime")?.value);
    const call = containerCall(config, context);
    switch (runtime) {
      case "kubernetes":
        return postJob(call, { config, context, options: options.kubernetes ?? {}, worker });
      case "podman":
      case "docker":
        return runLocally(call, { program: runtime, config, context, environment });
      default:
        return runtime satisfies never;
    }
  };
  return { kind: "container", run: (config, context) => outputOf(() => run(config, context)) };
}

function runtimeOf(own: ContainerRuntime | "none", asked: string | undefined): ContainerRuntime {
  if (own === "none") {
    throw forbidden(
      "this worker runs no containers; its operator can allow them with NOETL_CONTAINER_RUNTIME",
    );
  }
  if (asked === undefined || asked === own) return own;
  if (asked === "kubernetes" || asked === "podman" || asked === "docker") {
    throw forbidden(`this worker runs containers with ${own}, the step asks for ${asked}`);
  }
  throw configFailure("runtime: expected kubernetes, podman or docker");
}

function forbidden(message: string): ToolFailure {
  return new ToolFailure({ kind: "forbidden", message, retryable: false });
}

const daemonNames = ["DOCKER_HOST", "DOCKER_CONFIG", "CONTAINER_HOST", "XDG_RUNTIME_DIR"];

function daemonEnvironment(worker: WorkerEnvironment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    daemonNames.flatMap((name) => {
      const value = worker[name];
      return value === undefined || value === "" ? [] : [[name, value] as const];
    }),
  );
}
