// What a real stream holds of the log, read message by message over a connection of its own.
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { MirrorMessage } from "#core/ports/event-mirror";
import { eventStream } from "#core/wire/subjects";

/** Every message of the stream, oldest first; none where there is no stream. */
export async function mirroredMessages(url: string): Promise<readonly MirrorMessage[]> {
  const connection = await connect({ servers: [url] });
  try {
    const { streams } = await jetstreamManager(connection, { checkAPI: false });
    const info = await streams.info(eventStream).catch(() => undefined);
    if (info === undefined) return [];
    const { first_seq: first, last_seq: last } = info.state;
    const seqs = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
    const found = await Promise.all(
      seqs.map((seq) => streams.getMessage(eventStream, { seq }).catch(() => null)),
    );
    return found
      .filter((stored) => stored !== null)
      .map((stored) => ({
        subject: stored.subject,
        id: stored.header.get("Nats-Msg-Id"),
        body: stored.string(),
      }));
  } finally {
    await connection.close();
  }
}

export async function deleteMirroredStream(url: string): Promise<void> {
  const connection = await connect({ servers: [url] });
  const { streams } = await jetstreamManager(connection, { checkAPI: false });
  await streams.delete(eventStream);
  await connection.close();
}
