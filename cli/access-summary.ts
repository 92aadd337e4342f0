import { permissions } from '../collector/config/auth-config.ts';
import type { CollectorConfig } from '../collector/config/collector-config.ts';

/** Who may come in, in lines for `check`: nothing where nobody is asked for anything. */
export function accessSummary({ auth, grpc, http, admin, readers }: CollectorConfig): string[] {
  const pull = readers.filter((reader) => reader.kind === 'prometheus');
  const ports = [
    { name: 'grpc', tls: grpc.tls },
    { name: 'http', tls: http.tls },
    { name: 'admin', tls: admin.tls },
    ...pull,
  ];
  const asking = ports.filter(({ tls }) => tls?.clientCaFile !== undefined).map(({ name }) => name);
  const lines: string[] = [];
  if (asking.length > 0) {
    const whose =
      auth.clients === undefined
        ? 'any that verifies'
        : `for one of ${auth.clients.length} entries of auth.clients`;
    lines.push(`asks for client certificates: ${asking.join(', ')}; ${whose}`);
  }
  if (auth.tokens === undefined) return lines;
  const free = permissions.filter((permission) => auth.withoutToken.includes(permission));
  lines.push(
    `asks for tokens: ${auth.tokens.length} files; without one: ${free.length === 0 ? 'nothing' : free.join(', ')}`,
  );
  for (const permission of permissions) {
    const isHeld = auth.tokens.some((token) => token.permissions.includes(permission));
    if (!isHeld && !free.includes(permission))
      lines.push(`note: no token permits ${permission}, so nobody has it`);
  }
  return lines;
}
