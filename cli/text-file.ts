// Texts that the command line is pointed at: read whole, or with the reason why they can't be.

import { stat } from "node:fs/promises";

/** The text of a file; `-` is standard input. */
export async function readText(
  file: string,
): Promise<{ readonly text: string } | { readonly unreadable: string }> {
  try {
    if (file !== "-" && (await stat(file)).isDirectory()) {
      return { unreadable: "a directory, expected a playbook file" };
    }
    const bytes = await (file === "-" ? Bun.stdin : Bun.file(file)).bytes();
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (thrown) {
    return { unreadable: unreadable(thrown) };
  }
}

function unreadable(thrown: unknown): string {
  if (thrown instanceof TypeError) return "not UTF-8 text, expected a playbook file";
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES" || code === "EPERM") return "not allowed to read the file";
  return `can't be read${code === "" ? "" : ` (${code})`}`;
}
