// A container step as the description of a Kubernetes job. Secrets of the cluster are named in it,
// never shown; where to report the end and as which call is told in variables.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { containerJobBytesMax, containerJobKeptSeconds } from "#core/model/run-tool-limits";
import {
  configFailure,
  field,
  numberField,
  objectField,
  textField,
  wrongShape,
} from "./call-config.ts";
import type { ContainerCall, Variable } from "./container-config.ts";
import type { ToolContext } from "./tool.ts";

export interface JobPlace {
  readonly namespace: string;
  readonly callbackUrl: string;
  /** By which the job may tell of its end; empty where nothing asks for it. */
  readonly callbackToken: string;
}

const labelCharsMax = 63;
const namespacePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The namespace that the step names, or the worker's. */
export function namespaceOf(config: JsonObject, own: string): string {
  const namespace = textField(config, "namespace")?.value ?? own;
  if (namespacePattern.test(namespace)) return namespace;
  throw configFailure("namespace: expected lower-case letters, digits and dashes, at most 63");
}

/** By these the jobs of an execution are found in the cluster. */
export function jobLabels(call: ContainerCall, context: ToolContext): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "noetl",
    "noetl.io/execution": context.executionId,
    "noetl.io/step": labelValue(context.step),
    "noetl.io/command": call.name.slice(call.name.indexOf("-") + 1),
  };
}

/** Any text as a label may be: other characters become dashes. */
function labelValue(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, labelCharsMax);
  return plain.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

/** Where a job says how it ended. */
export function callbackAddress(base: string, context: ToolContext, token: string): string {
  const { executionId, step, commandId } = context;
  const path = `/api/internal/container-callback/${executionId}/${encodeURIComponent(step)}`;
  const shown = token === "" ? "" : `&token=${encodeURIComponent(token)}`;
  return `${base.replace(/\/+$/, "")}${path}?command_id=${encodeURIComponent(commandId)}${shown}`;
}

/** The job's description in JSON. @throws ToolFailure of kind `config` for fields of wrong shape. */
export function jobDocument(
  call: ContainerCall,
  config: JsonObject,
  { context, place }: { readonly context: ToolContext; readonly place: JobPlace },
): string {
  const labels = jobLabels(call, context);
  const { backoffLimit, pod } = podOf(config);
  const token = place.callbackToken;
  const callback = callbackAddress(place.callbackUrl, context, token);
  const variables = [
    ...call.variables,
    { name: "NOETL_CALLBACK_URL", value: callback },
    ...(token === "" ? [] : [{ name: "NOETL_CALLBACK_TOKEN", value: token }]),
  ];
  const container = {
    name: "main",
    image: call.image,
    ...(call.command === undefined ? {} : { command: call.command }),
    ...(call.args === undefined ? {} : { args: call.args }),
    env: variables.map(environmentEntry),
    ...(call.resources === undefined ? {} : { resources: call.resources }),
    ...listOf(config, "volume_mounts", "volumeMounts"),
  };
  const text = JSON.stringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: call.name, namespace: place.namespace, labels },
    spec: {
      backoffLimit,
      activeDeadlineSeconds: Math.ceil(call.timeoutSeconds),
      ttlSecondsAfterFinished: containerJobKeptSeconds,
      template: { metadata: { labels }, spec: { ...pod, containers: [container] } },
    },
  });
  const bytes = Buffer.byteLength(text);
  if (bytes <= containerJobBytesMax) return text;
  throw configFailure(`the job takes ${bytes} bytes, expected at most ${containerJobBytesMax}`);
}

/** What the step says of the pod beside its container. */
function podOf(config: JsonObject) {
  const restartPolicy = textField(config, "restart_policy")?.value ?? "Never";
  if (restartPolicy !== "Never" && restartPolicy !== "OnFailure") {
    throw configFailure("restart_policy: expected Never or OnFailure");
  }
  const backoffLimit = numberField(config, "backoff_limit")?.value ?? 0;
  if (!Number.isSafeInteger(backoffLimit) || backoffLimit < 0) {
    throw configFailure(`backoff_limit: expected a whole number, found ${backoffLimit}`);
  }
  const account = textField(config, "service_account")?.value;
  const nodes = objectField(config, "node_selector")?.value;
  const pod = {
    restartPolicy,
    ...(account === undefined ? {} : { serviceAccountName: account }),
    ...(nodes === undefined ? {} : { nodeSelector: nodes }),
    ...listOf(config, "tolerations", "tolerations"),
    ...listOf(config, "volumes", "volumes"),
  };
  return { backoffLimit, pod };
}

function environmentEntry(variable: Variable): JsonObject {
  if ("value" in variable) return { name: variable.name, value: variable.value };
  const { name, secretName, secretKey } = variable;
  return { name, valueFrom: { secretKeyRef: { name: secretName, key: secretKey } } };
}

function listOf(config: JsonObject, name: string, as: string): JsonObject {
  const given = field(config, name);
  if (given === undefined) return {};
  if (!Array.isArray(given.value)) throw wrongShape(name, "a list", given.value);
  const items: readonly Json[] = given.value;
  for (const item of items) {
    if (!isJsonObject(item)) throw wrongShape(name, "a list of maps", item);
  }
  return { [as]: items };
}
