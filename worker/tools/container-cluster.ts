// The Kubernetes API as far as jobs need it: where it is, as whom the worker speaks to it, and one
// bounded request. In a cluster, what every pod is given is the default.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { kubernetesAnswerBytesMax, kubernetesRequestMs } from "#core/model/run-tool-limits";
import { configFailure, withDeadline } from "./call-config.ts";
import { jsonOrText } from "./exact-json.ts";
import { bodyBytes } from "./http-body.ts";
import { connectionFailure } from "./http-exchange.ts";
import type { WorkerEnvironment } from "./process-group.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

/** What the worker's operator says; what is missing is looked for as pods find it. */
export interface KubernetesOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly namespace?: string;
  /** The control plane as containers reach it. */
  readonly callbackUrl?: () => string | undefined;
  /** Where a pod finds its account; the usual place without it. */
  readonly accountFolder?: string;
}

export interface Cluster {
  readonly url: string;
  readonly token: string;
  readonly ca: string | undefined;
  /** Of jobs that name none. */
  readonly namespace: string;
}

export interface ClusterAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Read for each job: tokens are renewed in their files. @throws ToolFailure of kind `config`. */
export async function clusterOf(
  options: KubernetesOptions,
  worker: WorkerEnvironment,
): Promise<Cluster> {
  const folder = options.accountFolder ?? accountFolder;
  const url = options.url ?? urlInPod(worker);
  if (url === undefined) {
    throw configFailure("NOETL_KUBERNETES_URL: expected the cluster's address, found none");
  }
  const token = await fileText(options.tokenFile ?? join(folder, "token"));
  if (token === undefined) {
    throw configFailure("NOETL_KUBERNETES_TOKEN_FILE: expected a file with a token, found none");
  }
  const ca = await fileText(options.caFile ?? join(folder, "ca.crt"));
  if (ca === undefined && options.caFile !== undefined) {
    throw configFailure("NOETL_KUBERNETES_CA_FILE: expected a file of certificates, found none");
  }
  const namespace = options.namespace ?? (await fileText(join(folder, "namespace"))) ?? "default";
  return { url: url.replace(/\/+$/, ""), token, ca, namespace };
}

function urlInPod(worker: WorkerEnvironment): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = worker;
  if (host === undefined || host === "") return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function fileText(path: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path, "utf8")).trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

export interface ClusterRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

/** One request and its answer, whatever its status; redirects are answers. */
export function askCluster(
  cluster: Cluster,
  { method, path, body }: ClusterRequest,
  context: ToolContext,
): Promise<ClusterAnswer> {
  const url = new URL(cluster.url + path);
  const limit = { timeout_seconds: kubernetesRequestMs / 1_000 };
  return withDeadline(limit, context, async (deadline) => {
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${cluster.token}`,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body }),
        redirect: "manual",
        signal: deadline.signal,
        ...(cluster.ca === undefined ? {} : { tls: { ca: cluster.ca } }),
      });
      const text = new TextDecoder().decode(await bodyBytes(response, kubernetesAnswerBytesMax));
      const said = jsonOrText(text);
      return { status: response.status, body: isJsonObject(said) ? said : {} };
    } catch (error) {
      if (error instanceof ToolFailure) throw error;
      throw deadline.ended() ?? connectionFailure(url, error);
    }
  });
}
