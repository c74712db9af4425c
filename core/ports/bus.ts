// Messages between processes. The bus is a hint and never the truth: every message may be lost,
// doubled or late, and nothing but speed depends on it.

export interface BusMessage {
  readonly subject: string;
  readonly data: string;
}

export interface Subscription {
  close(): void;
}

export interface Bus {
  /** Hands the message on without waiting; never throws for a bus that is down. */
  publish(subject: string, data: string): void;
  /**
   * Messages whose subject matches: tokens separated by dots, `*` one token, `>` the rest.
   * With a `group`, each message goes to one of its subscribers. A handler must not throw.
   */
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options?: { readonly group?: string },
  ): Subscription;
  close(): Promise<void>;
}
