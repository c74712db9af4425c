// What starting an execution takes, alone or among others.

import { type } from "arktype";
import { dedupSecondsMax } from "#core/model/api-limits";
import { priorityMax } from "#core/model/limits";
import { requestKeyCharsMax } from "#core/model/request-limits";
import { id, map, name, ordinal, someName, tenantName } from "./shapes.ts";

const origin = type({ "request_id?": "string", "client_id?": "string", "subject?": "string" });

/** A key that stands for what it started, for so long. */
export const dedup = type({
  key: someName.and(`string <= ${requestKeyCharsMax}`),
  "window_secs?": type("number.integer").and(`1 <= number <= ${dedupSecondsMax}`),
});

export const executeBody = type({
  "path?": name,
  "catalog_id?": id,
  "version?": ordinal,
  "payload?": map,
  "workload?": map,
  "origin?": origin,
  "trace?": map,
  /** Of its commands and of its sub-playbooks: higher goes first. */
  "priority?": type("number.integer").and(`-${priorityMax} <= number <= ${priorityMax}`),
  /** On whose behalf: for who works for several; it is the asker's own otherwise. */
  "tenant?": tenantName,
  /** What is started: playbooks and agents can be. */
  "resource_kind?": "string",
  /** Listed as a child of this one; it isn't waited for, and isn't cancelled with it. */
  "parent_execution_id?": id,
  /** Refused: a playbook says by `spec.pool` where it runs. */
  "execution_pool?": "string",
  /** Started once for this key. */
  "dedup?": dedup,
});
