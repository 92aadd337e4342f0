import { type Route, textAnswer } from './route.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, as a part of a sentence: "draining". */
  readonly reason?: string | undefined;
}

/** `/healthz`: the process is alive and its event loop turns. `/readyz`: it takes streams. */
export function healthRoutes(ready: () => Readiness): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      summary: '200 while the process is alive.',
      handle: () => textAnswer(200, 'alive'),
    },
    {
      method: 'GET',
      path: '/readyz',
      summary: '200 while the collector takes streams, else 503 with the reason.',
      handle: () => {
        const { ready: isReady, reason = 'no reason was given' } = ready();
        return isReady ? textAnswer(200, 'ready') : textAnswer(503, `not ready: ${reason}`);
      },
    },
  ];
}
