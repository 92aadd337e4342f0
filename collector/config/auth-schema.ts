import { z } from 'zod';
import { duration, durationText, filePath, section, text, withDefault } from '../../otel/config/fields.ts';
import { type AttributeValue, attributes, noAttributes } from '../../otel/model/attributes.ts';
import {
  type AuthConfig,
  defaultPermissions,
  authDefaults as defaults,
  type GrantConfig,
  permissions,
} from './auth-config.ts';

// A key that a variable which is not set makes null would let in more than was meant, so null is a mistake in most of these.

const permission = z.array(z.enum(permissions)).max(permissions.length);
const patterns = z.array(text()).max(1024).meta({ allowed: 'a list of texts; * and ? are wildcards' });

const forced = z
  .record(z.string().min(1), z.union([z.string(), z.boolean(), z.int()]))
  .transform((map) =>
    attributes(
      Object.entries(map).map(([key, value]): [string, AttributeValue] => [
        key,
        typeof value === 'number' ? BigInt(value) : value,
      ]),
    ),
  )
  .meta({ allowed: 'a mapping of attribute keys to text, whole numbers, true or false' });

function grant(who: string) {
  return {
    permissions: permission
      .default([...defaultPermissions])
      .describe(
        `What ${who} may do: \`stream\` as an agent, \`otlp\` send OTLP, \`read\` metrics, \`admin\` use the admin port.`,
      )
      .meta({ allowed: `a list of ${permissions.join(', ')}`, defaultText: defaultPermissions.join(', ') }),
    agents: patterns
      .default(['*'])
      .describe(`Agents, by their \`agent_id\`, that ${who} may speak for.`)
      .meta({ defaultText: 'all' }),
    resource: section({
      forced: forced
        .default(noAttributes)
        .describe(
          'Attributes that each resource gets, each `key: value`. One that says otherwise is refused, and so is a member that another value was forced upon.',
        )
        .meta({ defaultText: 'none' }),
      forbidden: patterns
        .default([])
        .describe('Attributes, by their keys, that no resource may have.')
        .meta({ defaultText: 'none' }),
    }).describe(`What resources ${who} may write.`),
  };
}

interface GrantFile {
  readonly permissions: GrantConfig['permissions'];
  readonly agents: readonly string[];
  readonly resource: Pick<GrantConfig, 'forced' | 'forbidden'>;
}

function grantConfig({ permissions, agents, resource }: GrantFile): GrantConfig {
  return { permissions, agents, forced: resource.forced, forbidden: resource.forbidden };
}

const client = z.strictObject({
  name: text().describe(
    "A name in the client's certificate (subject alternative name): a URI, as a SPIFFE id is, or a DNS name. `*` stands for any characters.",
  ),
  ...grant('these clients'),
});

const token = z.strictObject({
  name: text().describe('For the log.'),
  token_file: filePath().describe(
    'A file with a token on each line; each of them holds, so that they can be replaced one after the other. Lines that begin with # do not count.',
  ),
  ...grant('who has such a token'),
});

/** A list whose absence opens what its presence closes: a key without a value is an empty list. */
function listOrNone<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null ? [] : value), schema.optional());
}

/** `auth`: who may come in, beyond what `tls` of the ports asks for. */
export const auth = section({
  clients: listOrNone(z.array(client).max(10_000))
    .describe(
      'Clients by the names in their certificates, for ports with `tls.client_ca_file`. The first entry that a name matches holds; who matches none is refused.',
    )
    .meta({ defaultText: 'none: every certificate that verifies may do everything' }),
  tokens: listOrNone(z.array(token).max(1000))
    .describe(
      'Bearer tokens. With this key, everything needs one but health checks, server reflection and what `without_token` names.',
    )
    .meta({ defaultText: 'none: nothing asks for a token' }),
  without_token: permission
    .default([])
    .describe('What may be done without a token all the same.')
    .meta({ allowed: `a list of ${permissions.join(', ')}`, defaultText: 'nothing' }),
  reload_interval: withDefault(duration(100), defaults.reloadIntervalMs)
    .describe('How often files of tokens are looked at. Broken ones leave everything as it was.')
    .meta({ defaultText: durationText(defaults.reloadIntervalMs) }),
}).describe('Who may come in, and what for.');

/** The typed form of `auth`. */
export function authConfig(file: z.output<typeof auth>): AuthConfig {
  return {
    clients: file.clients?.map(({ name, ...rest }) => ({ name, ...grantConfig(rest) })),
    tokens: file.tokens?.map(({ name, token_file, ...rest }) => ({
      name,
      tokenFile: token_file,
      ...grantConfig(rest),
    })),
    withoutToken: file.without_token,
    reloadIntervalMs: file.reload_interval,
  };
}
