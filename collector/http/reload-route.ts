import type { ConfigChange } from '../reload/config-changes.ts';
import { jsonAnswer, type Route } from './route.ts';

/** `POST /reload`: reads the configuration again and puts it in force. Answers with what changed, or with what is wrong; then everything is as it was. */
export function reloadRoute(reload: () => Promise<readonly ConfigChange[]>): Route {
  return {
    method: 'POST',
    path: '/reload',
    summary: 'Reads the configuration again, puts it in force, and tells what changed.',
    handle: async () => jsonAnswer({ changes: await reload() }),
  };
}
