// Catches what a program prints: each line goes to the step log as it comes, the beginning is kept
// for the outcome. Endless output costs no memory: past both bounds the bytes are only counted.

import { logCharsMax, logLineCharsMax, stdoutCharsMax } from "#core/model/limits";
import type { LogStream, ToolContext } from "./tool.ts";

export interface CapturedText {
  write(bytes: Uint8Array): void;
  /** Logs the last line if it had no end. Nothing may be written afterwards. */
  end(): void;
  /** What was printed, cut at `stdoutCharsMax` with a last line that says so. */
  text(): string;
  readonly truncated: boolean;
}

/** Captures one stream of one call; bytes that are not UTF-8 become replacement characters. */
export function captureText(stream: LogStream, log: ToolContext["log"]): CapturedText {
  const decoder = new TextDecoder();
  const lines = lineLog(stream, log);
  let kept = "";
  let bytes = 0;
  let truncated = false;
  const take = (text: string): void => {
    const room = stdoutCharsMax - kept.length;
    if (text.length > room) truncated = true;
    if (room > 0) kept += text.slice(0, room);
    lines.write(text);
  };
  return {
    write: (chunk) => {
      bytes += chunk.length;
      if (!truncated || lines.open) take(decoder.decode(chunk, { stream: true }));
    },
    end: () => {
      take(decoder.decode());
      lines.end();
    },
    text: () =>
      truncated ? `${kept}\n[cut at ${stdoutCharsMax} characters of ${bytes} bytes]` : kept,
    get truncated() {
      return truncated;
    },
  };
}

interface LineLog {
  write(text: string): void;
  end(): void;
  /** False once `logCharsMax` characters were logged. */
  readonly open: boolean;
}

function lineLog(stream: LogStream, log: ToolContext["log"]): LineLog {
  let rest = "";
  let logged = 0;
  const put = (line: string): void => {
    if (logged >= logCharsMax) return;
    logged += line.length + 1;
    log(stream, line.endsWith("\r") ? line.slice(0, -1) : line);
    if (logged >= logCharsMax) log("log", `${stream} beyond ${logCharsMax} characters is not kept`);
  };
  return {
    write: (text) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) put(line);
      while (rest.length >= logLineCharsMax) {
        put(rest.slice(0, logLineCharsMax));
        rest = rest.slice(logLineCharsMax);
      }
    },
    end: () => {
      if (rest !== "") put(rest);
      rest = "";
    },
    get open() {
      return logged < logCharsMax;
    },
  };
}
