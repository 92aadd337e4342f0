/** So long one piece of work may keep the event loop. */
export const longestTurnMs = 4;

const waiting: (() => void)[] = [];

/**
 * For work that takes long: resolves in the next iteration of the event loop, after what came in meanwhile, in which no other such
 * work has its turn. However much is exported and scraped at a time, whoever waits for the event loop waits for one turn of {@link longestTurnMs}.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(giveTurn);
}
