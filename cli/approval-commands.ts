// `noetl approvals` and `noetl waits`: what executions wait for, and the decisions that people give.

import type { ApiClient } from "#core/adapters/api-client";
import { type Arguments, UsageError } from "./arguments.ts";
import { saidOf } from "./execution-ends.ts";
import { given, idOf, oneOf, seconds, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

type Waits = Awaited<ReturnType<ApiClient["listWaits"]>>;

export const waitKinds = ["timer", "signal", "approval", "callback"] as const;

export async function listWaits(args: Arguments): Promise<number> {
  const [id] = args.operands;
  const kind = oneOf(args, "for", waitKinds);
  const query = given({ for: kind, after: args.text("after"), limit: wholeNumber(args, "limit") });
  const { client } = await neededServer(args);
  if (id === undefined) return printed(args, await client.listWaits({ query }), waitLines);
  const { waits } = await client.executionWaits({ params: { id: idOf(args) } });
  const kept = waits.filter((wait) => kind === undefined || wait.for === kind);
  return printed(args, { execution_id: id, waits: kept, next_after: null }, waitLines);
}

function waitLines({ waits, next_after: next }: Waits): readonly string[] {
  if (waits.length === 0 && next === null) return ["nothing waits"];
  return [
    ...tableLines(
      ["EXECUTION", "STEP", "FOR", "KEY", "SINCE", "DUE", "ABOUT"],
      waits.map((wait) => [
        wait.execution_id,
        wait.step,
        wait.for,
        wait.key,
        wait.since,
        wait.due ?? "",
        wait.about === undefined ? "" : JSON.stringify(wait.about),
      ]),
    ),
    ...(next === null ? [] : [`more with --after ${next}`]),
  ];
}

/** Those that whoever asks may give. */
export async function listApprovals(args: Arguments): Promise<number> {
  const query = given({ after: args.text("after"), limit: wholeNumber(args, "limit") });
  const { client } = await neededServer(args);
  return printed(args, await client.listApprovals({ query }), waitLines);
}

/** `approvals approve|reject ID KEY [--comment TEXT]`. */
export async function decide(args: Arguments, decision: "approve" | "reject"): Promise<number> {
  const id = idOf(args);
  const [, key = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.answerApproval({
    params: { id, key },
    body: { decision, ...given({ comment: args.text("comment") }) },
  });
  const done = decision === "approve" ? "approved" : "rejected";
  return printed(args, answer, ({ status }) => [
    `${id}: ${key}: ${status === "accepted" ? done : saidOf(status)}`,
  ]);
}

/** A token by which somebody without an account gives one answer. */
export async function approvalLink(args: Arguments): Promise<number> {
  const id = idOf(args);
  const [, key = ""] = args.operands;
  if (key === "") throw new UsageError("expected ID KEY");
  const expires = args.text("expires");
  const { client } = await neededServer(args);
  const answer = await client.approvalLink({
    body: {
      execution_id: id,
      key,
      ...given({
        role: args.text("role"),
        expires_in_seconds: expires === undefined ? undefined : seconds(expires, "expires"),
      }),
    },
  });
  if (!args.has("json")) console.error(`good until ${answer.expires_at}, for one answer:`);
  return printed(args, answer, ({ url_token: token }) => [token]);
}
