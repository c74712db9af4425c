// The tool `secrets`: has a secret read from its provider and kept for the execution, under a name
// by which later fields of tools read it. The secret itself never comes here, nor into an output.

import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import {
  configFailure,
  field,
  objectField,
  scalarText,
  textField,
  withDeadline,
} from "./call-config.ts";
import type { Tool, ToolContext } from "./tool.ts";

export function secretsTool(): Tool {
  return {
    kind: "secrets",
    run: (config, context) => withDeadline(config, context, () => read(config, context)),
  };
}

const optionalTexts = ["project_id", "region", "vault_url", "namespace", "residency"] as const;

async function read(config: JsonObject, context: ToolContext): Promise<Output> {
  if (context.iteration?.frame !== undefined) {
    throw configFailure(
      "expected a step without a cursor: its rows would read each other's secrets",
    );
  }
  const provider = textField(config, "provider")?.value ?? "gcp";
  const ref = textField(config, "ref", "secret_name", "secret_id", "secret")?.value;
  const map = objectField(config, "map")?.value;
  if (ref === undefined && map === undefined) {
    throw configFailure("expected secret_name or ref, or a map of secrets");
  }
  const version = scalarText(field(config, "version")?.value);
  const auth = field(config, "auth", "credential")?.value;
  const allowed: Json | undefined = field(config, "allowed_regions")?.value;
  const texts = optionalTexts.flatMap((name) => {
    const text = textField(config, name)?.value;
    return text === undefined ? [] : [[name, text] as const];
  });
  const as = textField(config, "as")?.value ?? context.step;
  const keys = await context.secret(as, {
    provider,
    ...(ref === undefined ? {} : { ref }),
    ...(map === undefined ? {} : { map }),
    ...(version === undefined ? {} : { version }),
    ...(auth === undefined ? {} : { auth }),
    ...(allowed === undefined ? {} : { allowed_regions: allowed }),
    ...Object.fromEntries(texts),
  });
  const named = {
    ...(ref === undefined ? {} : { name: ref }),
    ...(version === undefined ? {} : { version }),
  };
  return { status: "ok", data: { status: "success", provider, as, ...named, keys: [...keys] } };
}
