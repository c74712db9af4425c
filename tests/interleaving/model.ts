// What each operation says and does to a command that stands in some way: the table by which every
// interleaving is judged. It knows of no locks but who touches what, and who waits or passes by.

/**
 * How the row of a command stands. `w` holds it at first; `taken` is a lease of somebody else, and
 * `again` one that `w` had at the next attempt, run out: what it still says of the first attempt is
 * out of date, and must not prolong it either.
 */
export type Shape =
  | "none"
  | "ready"
  | "leased"
  | "late"
  | "handed"
  | "unheard"
  | "expired"
  | "timer"
  | "held"
  | "taken"
  | "again";

/** `late` and `unheard` are `leased` and `handed` with the time run out; `held` a timer in a sweep. */
export const beginnings = [
  ...(["ready", "leased", "late", "handed", "unheard", "expired", "timer", "held"] as const),
  "again",
] as const;

export interface Standing {
  readonly shape: Shape;
  readonly attempt: number;
  /** Events in the execution's log. */
  readonly head: number;
}

export const beginning = (shape: Shape): Standing =>
  shape === "again" ? { shape, attempt: 2, head: 2 } : { shape, attempt: 1, head: 1 };

export const acts = [
  ...(["claim", "renew", "release", "handed", "sweep", "due"] as const),
  ...(["settle", "cancel", "reissue", "park", "repair"] as const),
] as const;
export type Act = (typeof acts)[number];

interface LeaseAct {
  /** What is said of a row that it is not meant for, and of none at all. */
  readonly otherwise: string;
  readonly gone?: string;
  readonly on: Partial<Record<Shape, readonly [said: string, into: Shape]>>;
}

/** Renewals and the like are `w`'s, at attempt 1: nothing else has a lease of that shape. */
const leaseActs: Readonly<Record<string, LeaseAct>> = {
  claim: { otherwise: "none", on: { ready: ["got", "taken"] } },
  renew: {
    otherwise: "lost",
    gone: "gone",
    on: {
      leased: ["renewed", "leased"],
      late: ["renewed", "leased"],
      handed: ["renewed", "leased"],
      unheard: ["renewed", "leased"],
    },
  },
  release: {
    otherwise: "",
    on: {
      leased: ["", "ready"],
      late: ["", "ready"],
      handed: ["", "ready"],
      unheard: ["", "ready"],
    },
  },
  handed: { otherwise: "none", on: { handed: ["kept", "handed"], unheard: ["kept", "handed"] } },
  sweep: {
    otherwise: "none",
    on: { late: ["marked", "expired"], again: ["marked", "expired"], unheard: ["none", "ready"] },
  },
  due: { otherwise: "none", on: { timer: ["due", "held"] } },
};

/** What a transition on top of the first event makes of the row, whoever had it. */
const transitions: Readonly<Record<string, Omit<Standing, "head">>> = {
  settle: { shape: "none", attempt: 1 },
  cancel: { shape: "none", attempt: 1 },
  reissue: { shape: "ready", attempt: 2 },
  park: { shape: "timer", attempt: 1 },
};

/** A repair gives whoever works on the command a fresh lease, and a timer back to the sweep. */
const repaired: Partial<Record<Shape, Shape>> = {
  late: "leased",
  unheard: "handed",
  held: "timer",
};

export interface Told {
  readonly said: string;
  readonly left: Standing;
}

/** The act alone, on a command that stands so. */
export function told(act: Act, from: Standing): Told {
  const { shape, head } = from;
  const lease = leaseActs[act];
  if (lease !== undefined) {
    const [said, into] = lease.on[shape] ?? [
      shape === "none" ? (lease.gone ?? lease.otherwise) : lease.otherwise,
      shape,
    ];
    return { said, left: { ...from, shape: into } };
  }
  if (act === "repair") {
    if (head !== 1) return { said: "moved", left: from };
    return { said: "repaired", left: { ...from, shape: repaired[shape] ?? shape } };
  }
  const after = transitions[act];
  if (head !== 1 || after === undefined) return { said: "conflict", left: from };
  return { said: "accepted", left: { ...after, head: 2 } };
}

/** Whether the act has the row or its execution to itself until its commit. */
export const touches = (act: Act, { shape, head }: Standing): boolean => {
  const lease = leaseActs[act];
  return lease === undefined ? head === 1 : lease.on[shape] !== undefined;
};

/** These take any row that will do, and leave alone what another has just then. */
export const passesBy = (act: Act): boolean => ["claim", "handed", "sweep", "due"].includes(act);

export interface Meeting {
  /** Whether the second waits for the first. */
  readonly waits: boolean;
  readonly first: string;
  readonly second: string;
  readonly left: Standing;
}

export type Ending = "commits" | "dies";

/** The second begins while the first is not committed, and then the first commits or dies. */
export function meeting(pair: readonly [Act, Act], from: Standing, ending: Ending): Meeting {
  const [first, second] = pair;
  const did = told(first, from);
  const found = ending === "commits" ? did.left : from;
  const bothTouch = touches(first, from) && touches(second, from);
  // Sweeps note that they ran in one row, which they have one after the other.
  const waits = (first === "sweep" && second === "sweep") || (bothTouch && !passesBy(second));
  if (waits) {
    const { said, left } = told(second, found);
    return { waits, first: did.said, second: said, left };
  }
  if (bothTouch) return { waits, first: did.said, second: "none", left: found };
  const { said, left } = told(second, from);
  return { waits, first: did.said, second: said, left: touches(first, from) ? found : left };
}

export interface Orders {
  readonly said: readonly string[];
  readonly left: Standing;
}

/** What may come of acts that meet in any way: of some order, some passed by and did nothing. */
export function anyOrder(those: readonly Act[], from: Standing): readonly Orders[] {
  const found: Orders[] = [];
  const go = (said: readonly (string | undefined)[], at: Standing): void => {
    if (said.every((one) => one !== undefined)) found.push({ said: said as string[], left: at });
    for (const [index, act] of those.entries()) {
      if (said[index] !== undefined) continue;
      const one = told(act, at);
      go(said.with(index, one.said), one.left);
      if (passesBy(act)) go(said.with(index, "none"), at);
    }
  };
  go(
    those.map(() => undefined),
    from,
  );
  return found;
}
