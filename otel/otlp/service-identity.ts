import { createHash } from 'node:crypto';
import { attributeOf } from '../model/attributes.ts';
import { type Resource, resourceKey } from '../model/resource.ts';

/** What a source of OTLP is known by. */
export interface ServiceIdentity {
  /** Its member id. */
  readonly id: string;
  /**
   * What it was made of: `instance` of service.instance.id, `host` of service.name and host, `resource` of the whole resource, as neither is
   * told: then a source whose resource changes is another one.
   */
  readonly from: 'instance' | 'host' | 'resource';
}

/** Longer parts of an id are made short by a hash, as ids are shown and logged. */
const maxPartLength = 200;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The member that a resource speaks of, from what the source says of itself: before anything is added to it on the way, so that the same service is the same member
 * whichever way it comes.
 * - `service.instance.id` alone where it is a UUID; any other one is unique within `service.namespace` and `service.name` only, and stands behind them:
 *   `shop/checkout/7`.
 * - else `service.name` with `host.id`, or without one `host.name`: `shop/checkout@web-3`.
 * - else a hash of the whole resource: `resource:5f3a…`.
 */
export function serviceIdentity(resource: Resource): ServiceIdentity {
  const instance = text(resource, 'service.instance.id');
  if (uuid.test(instance)) return { id: instance.toLowerCase(), from: 'instance' };
  const name = text(resource, 'service.name');
  const namespace = text(resource, 'service.namespace');
  const service = namespace === '' ? name : `${namespace}/${name}`;
  if (instance !== '') return { id: `${service}/${instance}`, from: 'instance' };
  const host = text(resource, 'host.id') || text(resource, 'host.name');
  if (name !== '' && host !== '') return { id: `${service}@${host}`, from: 'host' };
  return { id: `resource:${hash(resourceKey(resource))}`, from: 'resource' };
}

/** A slash or at sign within a part would make two identities one. */
function text({ attributes }: Resource, key: string): string {
  const value = attributeOf(attributes, key);
  if (typeof value !== 'string' || value === '') return '';
  const part = value.replace(/[%/@]/g, (character) => encodeURIComponent(character));
  return part.length > maxPartLength ? `${part.slice(0, maxPartLength - 33)}~${hash(value)}` : part;
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 32);
}
