import { jsonAnswer, type Route } from './route.ts';

export interface AdminData {
  /** The whole status, as plain values. */
  readonly status: () => unknown;
  /** The agents, as an array of plain values. */
  readonly agents: () => unknown;
}

/** `/` lists the routes; `/status` and `/agents` show what the collector knows of itself, as JSON. */
export function adminRoutes(data: AdminData, more: readonly Route[] = []): readonly Route[] {
  const routes: readonly Route[] = [
    { method: 'GET', path: '/status', summary: 'Status as JSON.', handle: () => jsonAnswer(data.status()) },
    {
      method: 'GET',
      path: '/agents',
      summary: 'The agents as JSON.',
      handle: () => jsonAnswer(data.agents()),
    },
    ...more,
  ];
  const list: Route = {
    method: 'GET',
    path: '/',
    summary: 'This list.',
    handle: () => ({
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: [list, ...routes].map(({ method, path, summary }) => `${method} ${path}  ${summary}\n`).join(''),
    }),
  };
  return [list, ...routes];
}
