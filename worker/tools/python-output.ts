// Turns what became of a python call into the one envelope that every tool answers with.

import type { Json, JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import { type PrintedText, printedMeta, resultFailure, resultTooLarge } from "./code-call.ts";
import type { RunnerReply } from "./python-process.ts";

/** The output of a call that was not stopped; a stop is the caller's to tell apart. */
export function pythonOutput(
  reply: Exclude<RunnerReply, { readonly kind: "stopped" }>,
  printed: PrintedText,
  interpreter: string,
): Output {
  switch (reply.kind) {
    case "answer":
      return answerOutput(reply.answer, printed);
    case "died":
      return failed(death(reply.exitCode, reply.signal), printed);
    case "garbled":
      return failed(python("protocol", `the process sent ${reply.why}`), printed);
    case "unstartable":
      return failed(unstartable(reply.code, interpreter), printed);
    default:
      return reply satisfies never;
  }
}

function answerOutput(answer: JsonObject, printed: PrintedText): Output {
  const message = String(answer["message"] ?? "");
  switch (answer["status"]) {
    case "ok":
      return { status: "ok", data: answer["result"] ?? null, ...printedMeta(printed) };
    case "none":
      return {
        status: "ok",
        data: { stdout: printed.stdout.text(), stderr: printed.stderr.text() },
      };
    case "error":
      return {
        ...failed(python(String(answer["exception"]), message), printed),
        py: { exception: answer["exception"] ?? "", traceback: answer["traceback"] ?? "" },
      };
    case "exit":
      return failed(exited(answer["code"]), printed);
    case "not_json":
      return failed(resultFailure(`result is not JSON: ${message}`), printed);
    case "too_large":
      return failed(resultTooLarge(Number(answer["bytes"]), Number(answer["bytes_max"])), printed);
    default:
      return failed(python("protocol", "the process sent an answer without a status"), printed);
  }
}

function failed(error: Failure, printed: PrintedText): Output {
  return { status: "error", error, ...printedMeta(printed) };
}

function python(code: string | number, message: string): Failure {
  return { kind: "python", code, message, retryable: false };
}

function exited(code: Json | undefined): Failure {
  const exitCode = typeof code === "number" ? code : 1;
  return python(exitCode, `exited with code ${exitCode}`);
}

/** A process that ended in the middle of a call; only a kill from outside may pass by itself. */
function death(exitCode: number | null, signal: string | null): Failure {
  if (signal === null) {
    const code = exitCode ?? 1;
    return python(code, `exited with code ${code} before it gave a result`);
  }
  const message =
    signal === "SIGKILL"
      ? "killed by signal SIGKILL, as the kernel does when memory runs out"
      : `killed by signal ${signal}`;
  return { ...python(signal, message), retryable: signal === "SIGKILL" };
}

function unstartable(code: string, interpreter: string): Failure {
  if (code === "ENOENT" && interpreter === "python3") {
    const message = "python3 is not installed; install it with: apt-get install -y python3";
    return { kind: "missing_program", message, retryable: false };
  }
  if (code === "ENOENT") {
    const message = `${interpreter} is not installed on this worker`;
    return { kind: "missing_program", message, retryable: false };
  }
  const message = `${interpreter} could not be started: ${code}`;
  return { kind: "python", code, message, retryable: code !== "EACCES" };
}
