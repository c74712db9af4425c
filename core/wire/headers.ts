// Headers of our own that every reply of a control plane may carry.

/** Stands for the set of replicas: another one means that the map of shards has changed. */
export const epochHeader = "x-noetl-epoch";

/** Which database the replica works on. A request may carry it too, and is refused by another. */
export const clusterHeader = "x-noetl-cluster";
