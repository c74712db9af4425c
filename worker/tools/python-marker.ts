// Finds the end of one call's output in a stream that many calls share: everything before the
// call's marker is its output, however the bytes are cut into chunks.

export interface MarkedText {
  /** Takes a chunk; true once the marker was found. */
  write(chunk: Buffer): boolean;
  /** Gives out what was held back because it could have been the beginning of the marker. */
  flush(): void;
  readonly ended: boolean;
}

export function markedText(marker: string, output: (bytes: Uint8Array) => void): MarkedText {
  const end = Buffer.from(marker);
  let held: Buffer = Buffer.alloc(0);
  let ended = false;
  const give = (bytes: Buffer): void => {
    if (bytes.length > 0) output(bytes);
  };
  return {
    write: (chunk) => {
      if (ended) return true;
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const found = bytes.indexOf(end);
      ended = found !== -1;
      const cut = ended ? found : bytes.length - beginningAtEnd(bytes, end);
      give(bytes.subarray(0, cut));
      held = ended ? Buffer.alloc(0) : bytes.subarray(cut);
      return ended;
    },
    flush: () => {
      give(held);
      held = Buffer.alloc(0);
    },
    get ended() {
      return ended;
    },
  };
}

/** How many of the last bytes could be the beginning of the marker. */
function beginningAtEnd(bytes: Buffer, marker: Buffer): number {
  const from = Math.max(0, bytes.length - marker.length + 1);
  for (let at = bytes.indexOf(marker[0] ?? 0, from); at !== -1; ) {
    const tail = bytes.subarray(at);
    if (marker.subarray(0, tail.length).equals(tail)) return tail.length;
    at = bytes.indexOf(marker[0] ?? 0, at + 1);
  }
  return 0;
}
