import { type RequestOptions, request } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import type { AuthConfig, Permission } from '../../../collector/config/auth-config.ts';
import type { HttpListener } from '../../../collector/http/http-listener.ts';
import { type Route, textAnswer } from '../../../collector/http/route.ts';
import type { ServerTlsConfig } from '../../../otel/config/server-tls.ts';
import { TestFiles } from '../../certificates/certificate-files.ts';
import { TestAuthority } from '../../certificates/certificates.ts';
import { until } from '../../interop/until.ts';
import { security } from '../receivers/tls-receiver.ts';
import { startListener } from './start-listener.ts';

const authority = new TestAuthority();
const token = 'token-that-reads-0123456789';

const route = (path: string, permission?: Permission): Route => ({
  method: 'GET',
  path,
  summary: '',
  ...(permission !== undefined && { permission }),
  handle: () => textAnswer(200, 'here you are'),
});
const routes = [route('/healthz'), route('/metrics', 'read'), route('/status', 'admin')];

async function guarded(
  t: ExecutionContext,
  options: { tls?: Partial<ServerTlsConfig>; auth?: Partial<AuthConfig> },
) {
  const parts = security(t, options);
  const { listener, ask, failures } = await startListener(t, { routes, tls: parts.tls, guard: parts.guard });
  return { ...parts, listener, ask, failures };
}

function asks(listener: HttpListener, path: string, options: RequestOptions = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>(
    (resolve, reject) => {
      const { port } = listener;
      const call = request(
        { host: '127.0.0.1', port, path, agent: false, ca: authority.cert, ...options },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part) => {
            text += part;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, text }),
          );
        },
      );
      call.on('error', reject);
      call.end();
    },
  );
}

test('tokens: 401 without and with a wrong one, 403 with one for something else; health is open', async (t) => {
  const files = new TestFiles(t);
  const tokenFile = files.write('token', token);
  const tokens = [
    { name: 'r', tokenFile, permissions: ['read' as const], agents: [], forced: [], forbidden: [] },
  ];
  const { ask, counters, log } = await guarded(t, { auth: { tokens } });
  const presenting = (authorization?: string) => ({
    headers: authorization === undefined ? {} : { authorization },
  });
  t.is((await ask('/healthz')).status, 200);
  t.is((await ask('/metrics', presenting(`Bearer ${token}`))).status, 200);
  const missing = await ask('/metrics');
  t.like(missing, { status: 401, headers: { 'www-authenticate': 'Bearer realm="streamgauge"' } });
  t.regex(missing.text, /^Not let in: a bearer token is asked for/);
  const wrong = await ask('/metrics', presenting(`Bearer ${token}x`));
  t.like(wrong, {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="streamgauge", error="invalid_token"' },
  });
  const other = await ask('/status', presenting(`Bearer ${token}`));
  t.like(other, {
    status: 403,
    headers: { 'www-authenticate': 'Bearer realm="streamgauge", error="insufficient_scope"' },
  });
  t.like(await ask('/metrics', { method: 'HEAD' }), { status: 401, text: '' });
  t.like(counters, { token_missing: 2, token_invalid: 1, permission: 1 });
  t.notRegex(JSON.stringify([log.lines, missing, wrong, other]), new RegExp(token));
});

test('TLS: asked over it, with a certificate where one is asked for; new files hold for new connections', async (t) => {
  const files = new TestFiles(t);
  const tls = {
    ...files.writeIssued('server', authority.issue()),
    clientCaFile: files.write('ca', authority.cert),
  };
  const { listener, counters, failures } = await guarded(t, { tls });
  const client = authority.issue({ dns: ['prometheus'] });
  t.is((await asks(listener, '/metrics', client)).status, 200);
  for (const path of ['/healthz', '/metrics', '/nothing']) {
    const none = await asks(listener, path);
    t.is(none.status, 401, path);
    t.regex(none.text, /^Not let in: a client certificate is asked for/);
  }
  const stranger = new TestAuthority().issue({ dns: ['prometheus'] });
  t.is((await asks(listener, '/metrics', stranger)).status, 401);
  t.like(counters, { certificate_missing: 3, certificate_invalid: 1 });

  const next = new TestAuthority();
  files.writeIssued('server', next.issue());
  const isNew = () =>
    asks(listener, '/healthz', { ...client, ca: next.cert }).then(
      () => true,
      () => false,
    );
  let isSeen = false;
  await until(() => {
    void isNew().then((found) => {
      isSeen ||= found;
    });
    return isSeen;
  }, 'the new certificate');
  await t.throwsAsync(asks(listener, '/healthz', client), { message: /certificate|signature/ });
  t.deepEqual(failures, []);
});
