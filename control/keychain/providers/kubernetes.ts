// Secrets of a Kubernetes cluster, by the API of the cluster that the control plane runs in or that
// the operator names.

import { Fault } from "#core/model/fault";
import { isJsonObject } from "#core/model/json";
import { type ProviderParts, pathOf, type ReadSecret, textOf, textOfBase64 } from "./provider.ts";

const what = "Kubernetes";
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

export function kubernetesSecrets(parts: ProviderParts): ReadSecret {
  return async ({ ref, auth, namespace: asked }) => {
    const token = textOf(auth, "token") ?? (await accountFile(parts, "token"));
    if (token === undefined) {
      throw new Fault("invalid", `${what}: expected token, or to run in a pod`);
    }
    const own = textOf(auth, "namespace") ?? (await accountFile(parts, "namespace"));
    const namespace = asked ?? own ?? "default";
    const named = parts.settings.NOETL_SECRETS_KUBERNETES_URL?.replace(/\/+$/, "");
    const ca = textOf(auth, "ca") ?? (await accountFile(parts, "ca.crt"));
    const { data } = await parts.ask({
      what,
      url: `${named ?? "https://kubernetes.default.svc"}/api/v1/namespaces/${pathOf(what, namespace)}/secrets/${pathOf(what, ref)}`,
      trusted: true,
      headers: { authorization: `Bearer ${token}` },
      ...(ca === undefined ? {} : { ca }),
    });
    if (!isJsonObject(data)) throw new Fault("invalid", `${what}'s answer: expected data`);
    const fields = Object.entries(data).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, textOfBase64(what, value)] as const] : [],
    );
    return { value: Object.fromEntries(fields) };
  };
}

/** A file that the cluster puts into every pod; undefined elsewhere. */
export async function accountFile(
  { readText }: ProviderParts,
  file: "token" | "namespace" | "ca.crt",
): Promise<string | undefined> {
  try {
    return (await readText?.(`${accountFolder}/${file}`))?.trim();
  } catch {
    return undefined;
  }
}
