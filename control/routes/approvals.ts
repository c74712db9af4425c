// Signals and approvals.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import type { Executions } from "#control/services/executions";
import { answerWait, type WaitAnswer } from "#control/services/waits";
import { type Decision, decisionOutput, mayAnswer } from "#control/waits/approvals";
import {
  answerable,
  pageOfWaits,
  type ShownWait,
  type WaitPage,
  waitsOf,
  waitUnder,
} from "#control/waits/open-waits";
import { readWaitToken, type WaitClaim, waitToken } from "#control/waits/tokens";
import { type AnswerStatus, answerStatus } from "#control/waits/verdicts";
import { localAdmin, type Principal } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { waitTokenMsDefault } from "#core/model/schedule-limits";
import { storableText } from "#core/model/storable-text";
import { api, pageSize } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function approvalsRoutes(app: Elysia, executions: Executions): void {
  signalRoutes(app, executions);
  listRoutes(app, executions);
  decisionRoutes(app, executions);
  linkRoutes(app, executions);
}

function signalRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.signalExecution, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    const key = body.key ?? body.signal ?? body.name;
    if (key === undefined) throw new Fault("invalid", "expected key, found none");
    const who = principalOf(http);
    const output = { status: "ok" as const, data: (body.data ?? null) as Json };
    const given: WaitAnswer = { key, as: "signal", output, by: who.subject };
    const status = answerStatus(await answerWait(executions, id, given), id, "a signal");
    if (status === "accepted") {
      const entry = { action: "execution.signal", object: `execution/${id}`, about: { key } };
      await audited(executions.context, who, entry);
    }
    return { status, execution_id: id, key };
  });
}

function listRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.executionWaits, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const waits = await waitsOf(executions, id);
    return { execution_id: id, waits: waits.map(waitView) };
  });
  mount(app, api.executionApprovals, async ({ params }, http) => {
    const id = parseExecutionId(params.id);
    const who = principalOf(http);
    const waits = (await waitsOf(executions, id)).filter((wait) => wait.for === "approval");
    const approvals = waits.map((wait) => ({ ...waitView(wait), allowed: mayAnswer(who, wait) }));
    return { execution_id: id, approvals };
  });
  mount(app, api.listWaits, async ({ query }, http) => {
    const { for: kind, execution_id: id, after, limit } = query;
    const page = await pageOfWaits(executions, {
      tenant: tenantFor(http),
      limit: pageSize(limit),
      ...(kind === undefined ? {} : { for: kind }),
      ...(id === undefined ? {} : { executionId: parseExecutionId(id) }),
      ...(after === undefined ? {} : { after }),
    });
    return pageView(page);
  });
  mount(app, api.listApprovals, async ({ query: { after, limit } }, http) => {
    const start = after === undefined ? {} : { after };
    const filter = { tenant: tenantFor(http), limit: pageSize(limit), ...start };
    const wanted = { ...filter, for: "approval" } as const;
    return pageView(await answerable(executions, wanted, principalOf(http)));
  });
}

function decisionRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.answerApproval, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    const { key } = params;
    const who = principalOf(http);
    const status = await decide(executions, {
      ...{ id, key, who },
      ...decisionOf(executions, body, who.subject),
      isAllowed: (wait) => mayAnswer(who, wait),
    });
    return { status, execution_id: id, key };
  });
}

interface DecisionText {
  readonly decision: "approve" | "reject";
  readonly comment?: string;
}

function decisionOf(
  { context }: Executions,
  { decision, comment }: DecisionText,
  by: string,
): { readonly decided: Decision } {
  const said = comment === undefined ? {} : { comment: storableText(comment) };
  return { decided: { decision, ...said, by, atMs: context.clock.nowMs() } };
}

interface Deciding extends Pick<WaitAnswer, "isAllowed" | "commandId"> {
  readonly id: ExecutionId;
  readonly key: string;
  readonly who: Principal;
  readonly decided: Decision;
}

/** @throws Fault `conflict` for what was decided before. */
async function decide(executions: Executions, asked: Deciding): Promise<AnswerStatus> {
  const { id, key, who, decided, ...rest } = asked;
  const output = decisionOutput(decided);
  const answer: WaitAnswer = { ...rest, key, as: "approval", output, by: decided.by };
  const verdict = await answerWait(executions, id, answer);
  const about = { decision: decided.decision, key };
  const entry = { action: "approval.decide", object: `execution/${id}`, about };
  if (verdict === "forbidden") {
    await audited(executions.context, who, { ...entry, outcome: "refused" });
  }
  const status = answerStatus(verdict, id, "an approval");
  if (status === "duplicate")
    throw new Fault("conflict", "it has been decided before, or its time was over");
  if (status === "accepted") await audited(executions.context, who, entry);
  return status;
}

function linkRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.approvalLink, async ({ body }, http) => {
    const id = parseExecutionId(body.execution_id);
    const who = principalOf(http);
    const wait = await waitUnder(executions, id, body.key);
    if (!mayAnswer(who, wait)) {
      throw new Fault("forbidden", "expected somebody whom the step lets give it");
    }
    const { role, expires_in_seconds: seconds = waitTokenMsDefault / 1_000 } = body;
    const expiresAtMs = context.clock.nowMs() + seconds * 1_000;
    const token = await waitToken(context, {
      ...{ executionId: id, key: wait.key, commandId: wait.commandId, expiresAtMs },
      for: kindOf(wait),
      by: who.subject,
      ...(role === undefined ? {} : { role }),
    });
    const about = { key: wait.key, role: role ?? null, step: wait.step };
    await audited(context, who, { action: "approval.link", object: `execution/${id}`, about });
    return { url_token: token, expires_at: new Date(expiresAtMs).toISOString() };
  });
  mount(app, api.answerWait, async ({ body }) => {
    const claim = await readWaitToken(context, body.token);
    const { executionId: id, key } = claim;
    const status = await answerByLink(executions, claim, body);
    return { status, execution_id: id, key };
  });
}

function kindOf({ for: kind }: ShownWait): WaitClaim["for"] {
  if (kind !== "timer") return kind;
  throw new Fault("conflict", "nobody is asked for the end of a timer");
}

type LinkAnswer = RouteRequest<typeof api.answerWait.parts>["body"];

async function answerByLink(
  executions: Executions,
  claim: WaitClaim,
  { decision, comment, data }: LinkAnswer,
): Promise<AnswerStatus> {
  const { executionId: id, key, commandId, for: kind } = claim;
  const by = `${claim.role ?? kind} by a link of ${claim.by ?? "the platform"}`;
  const meant = commandId === undefined ? {} : { commandId };
  if (kind === "approval") {
    if (decision === undefined || data !== undefined) {
      throw new Fault("invalid", "expected a decision alone: the token is for an approval");
    }
    const tenant = (await executions.context.log.head(id))?.row.tenant;
    const who = linkHolder(by, tenant);
    const text = comment === undefined ? { decision } : { decision, comment };
    return decide(executions, { ...meant, id, key, who, ...decisionOf(executions, text, by) });
  }
  if (decision !== undefined || comment !== undefined) {
    throw new Fault("invalid", `expected data alone: the token is for a ${kind}`);
  }
  const output = { status: "ok" as const, data: (data ?? null) as Json };
  const verdict = await answerWait(executions, id, { ...meant, key, as: kind, output, by });
  return answerStatus(verdict, id, `a ${kind}`);
}

/** As whom the audit log names them. */
function linkHolder(subject: string, tenant = localAdmin.tenant): Principal {
  return { kind: "person", subject, tenant, role: "viewer", via: "token" };
}

function pageView({ waits, nextAfter }: WaitPage) {
  return { waits: waits.map(waitView), next_after: nextAfter ?? null };
}

function waitView(wait: ShownWait) {
  const { who, about, dueMs } = wait;
  return {
    command_id: wait.commandId,
    execution_id: wait.executionId,
    step: wait.step,
    key: wait.key,
    for: wait.for,
    since: new Date(wait.sinceMs).toISOString(),
    due: dueMs === undefined ? null : new Date(dueMs).toISOString(),
    ...(who === undefined ? {} : { who: { ...who } }),
    ...(about === undefined ? {} : { about: { ...about } }),
  };
}
