// A process that hears a flood over a bus, and answers each ping: to be frozen by a test.

import { natsBus } from "#core/adapters/nats-bus";

const bus = natsBus({
  servers: process.argv[2] ?? "",
  name: "listener",
  onNotice: (message) => void process.stdout.write(`${message}\n`),
});
bus.subscribe("flood", () => {});
bus.subscribe("ping", ({ data }) => bus.publish("pong", data));
