import type { Route } from './route.ts';

/** What a method and a path come to. */
export type Match =
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'method_not_allowed'; readonly allow: string };

/** The routes of a server, by path and method. */
export class RouteTable {
  readonly #byPath = new Map<string, Map<string, Route>>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      let methods = this.#byPath.get(route.path);
      if (methods === undefined) {
        methods = new Map();
        this.#byPath.set(route.path, methods);
      }
      methods.set(route.method, route);
    }
  }

  match(method: string, path: string): Match {
    const methods = this.#byPath.get(path);
    if (methods === undefined) return { kind: 'not_found' };
    const route = methods.get(method === 'HEAD' ? 'GET' : method);
    if (route !== undefined) return { kind: 'route', route };
    const allow = [...methods.keys()].flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
    return { kind: 'method_not_allowed', allow: allow.join(', ') };
  }

  /** For the sentence that a wrong path is answered with. */
  get paths(): readonly string[] {
    return [...this.#byPath]
      .filter(([, methods]) => [...methods.values()].some(({ isHidden }) => isHidden !== true))
      .map(([path]) => path);
  }
}
