// Events as log lines of VictoriaLogs. A line that is written twice is there twice, under one id.

import { flatEvent } from "./flat-event.ts";
import { type ExportedEvent, type ExportSink, placeOf } from "./sink.ts";

const query = "_stream_fields=tenant,path,event_type&_time_field=_time&_msg_field=_msg";

export function victoriaLogs(url: string): ExportSink {
  return {
    name: "victorialogs",
    place: placeOf(url),
    begin: () => ({ items: async (events) => events.map(lineOf) }),
    request: (items) => ({
      method: "POST",
      url: `${url.replace(/\/+$/, "")}/insert/jsonline?${query}`,
      headers: { "content-type": "application/stream+json" },
      body: items.join("\n"),
    }),
  };
}

function lineOf(told: ExportedEvent): string {
  const event = flatEvent(told);
  const { step, status, type, worker, errorKind, attempt } = event;
  const message = [type, step, status.toLowerCase(), errorKind].filter((part) => part !== "");
  return JSON.stringify({
    _time: new Date(event.timeMs).toISOString(),
    _msg: message.join(" "),
    event_id: event.eventId,
    execution_id: event.executionId,
    seq: String(event.seq),
    event_type: type,
    status,
    tenant: event.tenant,
    path: event.path,
    version: String(event.version),
    ...(step === "" ? {} : { step }),
    ...(attempt === 0 ? {} : { attempt: String(attempt) }),
    ...(worker === "" ? {} : { worker }),
    ...("duration_ms" in told.event ? { duration_seconds: String(event.durationSeconds) } : {}),
    ...(errorKind === "" ? {} : { error_kind: errorKind, error: event.errorMessage }),
  });
}
