// Containers as jobs of a Kubernetes cluster: the job is posted under a name made of the command,
// so that a second attempt finds the first one's job, and the call is parked until the job's program
// says how it ended. Nothing is polled, and no slot is held.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import { configFailure } from "./call-config.ts";
import {
  askCluster,
  type Cluster,
  type ClusterAnswer,
  clusterOf,
  type KubernetesOptions,
} from "./container-cluster.ts";
import type { ContainerCall } from "./container-config.ts";
import { jobDocument, jobLabels, namespaceOf } from "./container-job.ts";
import type { WorkerEnvironment } from "./process-group.ts";
import { type ToolContext, ToolFailure, ToolParked } from "./tool.ts";

export interface JobPost {
  readonly config: JsonObject;
  readonly context: ToolContext;
  readonly options: KubernetesOptions;
  readonly worker: WorkerEnvironment;
}

/**
 * Makes the job, or finds the one that an attempt before made.
 * @throws ToolParked once the job is there, ToolFailure when it can't be made.
 */
export async function postJob(call: ContainerCall, post: JobPost): Promise<never> {
  const { config, context, options, worker } = post;
  const callbackUrl = options.callbackUrl?.();
  if (callbackUrl === undefined) {
    throw configFailure(
      "NOETL_CALLBACK_URL: expected a control plane that containers can reach, found none",
    );
  }
  const cluster = await clusterOf(options, worker);
  const namespace = namespaceOf(config, cluster.namespace);
  const place = { namespace, callbackUrl, callbackToken: await context.callbackToken() };
  const body = jobDocument(call, config, { context, place });
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const answer = await askCluster(cluster, { method: "POST", path, body }, context);
  const job = isTaken(answer)
    ? await adopted(call, { cluster, path, context })
    : made(answer, namespace);
  throw new ToolParked({
    key: `container:${context.commandId}`,
    timeoutMs: Math.ceil(call.timeoutSeconds * 1_000),
    about: { job_name: call.name, ...job, namespace, labels: jobLabels(call, context) },
  });
}

function isTaken({ status, body }: ClusterAnswer): boolean {
  return status === 409 && body.reason === "AlreadyExists";
}

function made(answer: ClusterAnswer, namespace: string): JsonObject {
  const { status } = answer;
  if (status === 200 || status === 201 || status === 202) return { job_uid: uidOf(answer) };
  throw refused(answer, `the job could not be made in namespace ${namespace}`);
}

function uidOf({ body }: ClusterAnswer): Json {
  const { metadata } = body;
  return isJsonObject(metadata) && typeof metadata.uid === "string" ? metadata.uid : null;
}

interface Adoption {
  readonly cluster: Cluster;
  readonly path: string;
  readonly context: ToolContext;
}

/** The job of that name, if it is of this command and goes on. */
async function adopted(
  call: ContainerCall,
  { cluster, path, context }: Adoption,
): Promise<JsonObject> {
  const found = await askCluster(cluster, { method: "GET", path: `${path}/${call.name}` }, context);
  if (found.status !== 200) throw refused(found, `job ${call.name} could not be read`);
  const { metadata } = found.body;
  const labels = isJsonObject(metadata) ? metadata.labels : undefined;
  if (isJsonObject(labels) && labels["noetl.io/execution"] === context.executionId) {
    return { job_uid: uidOf(found) };
  }
  throw new ToolFailure({
    kind: "container",
    code: 409,
    message: `job ${call.name} is there already and is not of this execution`,
    retryable: false,
  });
}

/** The cluster's own words, which say what was wrong with the job or who may not make it. */
function refused({ status, body }: ClusterAnswer, what: string): ToolFailure {
  const said = typeof body.message === "string" ? `: ${body.message}` : "";
  return new ToolFailure({
    kind: "container",
    code: status,
    message: `${what}: HTTP ${status}${said}`.slice(0, errorMessageCharsMax),
    retryable: status === 429 || status >= 500,
  });
}
