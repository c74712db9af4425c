// A real NATS server with streams for one test file.

export {
  type NatsOptions,
  natsMissing,
  type ScratchNats,
  scratchNats as startNats,
} from "#scripts/scratch-nats";
