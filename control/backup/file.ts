// The file of a backup: lines of JSON in frames of zstd, each behind a skippable frame that says how
// long it is. Any zstd tool reads it; here one frame at a time is in memory, and a file that was cut
// is told from one that was damaged.

import type { FileHandle } from "node:fs/promises";
import { open, rename, rm } from "node:fs/promises";
import { backupFrameBytes, backupLineBytesMax } from "#core/model/cli-limits";
import { Fault, messageOf } from "#core/model/fault";

/** The number that zstd gives to frames that are passed over, and their length: four bytes. */
const skippableMagic = 0x18_4d_2a_50;
const lengthBytes = 4;
const prefixBytes = 12;

export interface BackupWriter {
  write(line: string): Promise<void>;
  /** What stands in the file is whole from here on, under its own name. */
  finish(): Promise<number>;
  /** Takes away what was written; after `finish`, nothing. */
  abandon(): Promise<void>;
}

/**
 * Writes beside the file and gives it its name in the end; it is its owner's alone.
 * @param replaces whether a file of the name may be there.
 * @throws Fault `conflict` for a file that is there, `unavailable` for one that can't be written.
 */
export async function backupWriter(path: string, replaces: boolean): Promise<BackupWriter> {
  if (!replaces && (await Bun.file(path).exists())) {
    throw new Fault("conflict", `${path} is there already: expected a new file, or --force`);
  }
  const unfinished = `${path}.${process.pid}.unfinished`;
  const file = await opened(unfinished, "w");
  let lines: string[] = [];
  let size = 0;
  let written = 0;
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const frame = await Bun.zstdCompress(Buffer.from(`${lines.join("\n")}\n`));
    lines = [];
    size = 0;
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32LE(skippableMagic, 0);
    prefix.writeUInt32LE(lengthBytes, 4);
    prefix.writeUInt32LE(frame.byteLength, 8);
    await file.writev([prefix, frame]);
    written += prefixBytes + frame.byteLength;
  };
  let isOpen = true;
  return {
    write: async (line) => {
      lines.push(line);
      size += line.length;
      if (size >= backupFrameBytes) await flush();
    },
    finish: async () => {
      await flush();
      await file.sync();
      await file.close();
      isOpen = false;
      await rename(unfinished, path);
      return written;
    },
    abandon: async () => {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
      await rm(unfinished, { force: true });
    },
  };
}

async function opened(path: string, flags: "r" | "w"): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (thrown) {
    throw new Fault("unavailable", `${path} can't be opened: ${messageOf(thrown)}`);
  }
}

/**
 * The lines of a backup, in order.
 * @throws Fault `invalid` saying up to where the file is one.
 */
export async function* backupLines(path: string): AsyncGenerator<string> {
  const file = await opened(path, "r");
  try {
    for (let at = 0; ; ) {
      const prefix = await bytesAt(file, at, prefixBytes);
      if (prefix.byteLength === 0) return;
      const length = frameLength(prefix, path, at);
      const frame = await bytesAt(file, at + prefixBytes, length);
      if (frame.byteLength < length) throw cut(path, at);
      yield* linesIn(frame, path, at);
      at += prefixBytes + length;
    }
  } finally {
    await file.close();
  }
}

function frameLength(prefix: Buffer, path: string, at: number): number {
  if (prefix.byteLength < prefixBytes) throw cut(path, at);
  const isPrefix =
    prefix.readUInt32LE(0) === skippableMagic && prefix.readUInt32LE(4) === lengthBytes;
  const length = prefix.readUInt32LE(8);
  if (isPrefix && length > 0 && length <= backupLineBytesMax) return length;
  if (at === 0) throw new Fault("invalid", `${path} is no backup of noetl`);
  throw damaged(path, at);
}

async function* linesIn(frame: Buffer, path: string, at: number): AsyncGenerator<string> {
  let text: string;
  try {
    const bytes = await Bun.zstdDecompress(frame);
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw damaged(path, at);
  }
  if (!text.endsWith("\n")) throw damaged(path, at);
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    yield text.slice(from, end);
    from = end + 1;
  }
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await file.read(buffer, got, length - got, at + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return buffer.subarray(0, got);
}

function cut(path: string, at: number): Fault {
  return new Fault("invalid", `${path} was cut off: it is whole up to byte ${at} and has no end`);
}

function damaged(path: string, at: number): Fault {
  return new Fault("invalid", `${path} is damaged behind byte ${at}`);
}
