/** What was taken in and is not kept yet. While there is too much of it, who sends is not read on: HTTP/2's flow control makes them wait. */
export interface Backlog {
  readonly isCongested: boolean;
  /** Resolves when that is over. Never rejects. */
  drained(): Promise<void>;
}

/** For a collector whose state lives as long as its process. */
export const noBacklog: Backlog = { isCongested: false, drained: () => Promise.resolve() };
