import { attributesKey } from '../../../otel/model/attributes.ts';
import { type Resource, resourceKey } from '../../../otel/model/resource.ts';
import type { ResourceHeader } from '../../../otel/otlp/decode/request-headers.ts';
import { serviceIdentity } from '../../../otel/otlp/service-identity.ts';
import type { ResourceEntry } from '../../../otel/state/interned-resources.ts';
import type { Member } from '../../../otel/state/members.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import type { Grant } from '../../security/grant.ts';
import { withForced } from '../../security/permitted-member.ts';

/** A resource of a request, as a member of the fleet. */
export interface Source {
  readonly member: Member;
  /** Where its series are: `undefined`, the member's own resource, or one of another process with the same identity. */
  readonly resource: Resource | undefined;
  /** Handles of series hold under this number: a series would be another one as soon as member or own resource are others. */
  readonly stamp: number;
}

export interface Refused {
  readonly cause: 'denied' | 'invalid';
  readonly fieldPath: string;
  readonly reason: string;
}

interface Known {
  readonly grant: Grant | undefined;
  readonly source: Source;
  readonly own: ResourceEntry;
}

/**
 * Which member a resource is, and where its series are. The first resource that a member is seen with is its own; others under the same identity are kept
 * apart from it, as those of a process that was restarted with a new process.pid, or of a second process. What is remembered here
 * says nothing that is not found again without it.
 */
export class SourceMembers {
  readonly #store: MetricStore;
  readonly #isAgent: (memberId: string) => boolean;
  #known = new WeakMap<ResourceHeader, Known>();
  #stamps = 0;

  /** @param isAgent whether an agent speaks or has spoken for the member */
  constructor(store: MetricStore, isAgent: (memberId: string) => boolean) {
    this.#store = store;
    this.#isAgent = isAgent;
  }

  /** What the same bytes of a resource stand under when they came with different credentials. */
  static root(grant: Grant | undefined): string {
    return grant === undefined ? '' : attributesKey(grant.forced);
  }

  of(header: ResourceHeader, grant: Grant | undefined, nowUs: number): Source | Refused {
    const known = this.#known.get(header);
    if (known !== undefined && known.grant === grant && this.#holds(known)) return known.source;
    if (header.problem !== undefined) return { cause: 'invalid', ...header.problem };
    const said = header.resource;
    const { id } = serviceIdentity(said);
    const problem = grant === undefined ? undefined : this.#denied(grant, id, said);
    if (problem !== undefined) return { cause: 'denied', fieldPath: 'resource.attributes', reason: problem };
    const resource = grant === undefined ? said : withForced(grant, said);
    const member = this.#store.members.get(id) ?? this.#store.join(id, resource, nowUs);
    const own = member.resource;
    if (known !== undefined && known.source.member === member && known.own === own) {
      this.#known.set(header, { ...known, grant });
      return known.source;
    }
    // A stamp is kept in 32 bits, and 0 is none.
    this.#stamps = (this.#stamps % 0x7fff_fffe) + 1;
    const isOwn = own.key === resourceKey(resource);
    const source = { member, resource: isOwn ? undefined : resource, stamp: this.#stamps };
    if (header.id !== 0) this.#known.set(header, { grant, source, own });
    return source;
  }

  #holds({ source: { member }, own }: Known): boolean {
    return !member.isEvicted && member.resource === own;
  }

  /** What holds for a resource holds for what is held of its member: that of one tenant does not become another's. */
  #denied(grant: Grant, id: string, said: Resource): string | undefined {
    const problem = grant.resourceProblem(said.attributes);
    if (problem !== undefined) return `${problem}: change the resource, or the credentials`;
    if (this.#isAgent(id) && !grant.permitsMember(id))
      return `an agent is ${JSON.stringify(id)}, and these credentials do not permit to speak for it: give the service another service.instance.id`;
    const held = this.#store.members.get(id)?.resource.resource.attributes ?? [];
    const forcedKeys = new Set(grant.forced.map(([key]) => key));
    if (grant.resourceProblem(held.filter(([key]) => forcedKeys.has(key))) === undefined) return undefined;
    return 'a member of this identity is held that was written with other credentials: give the service another service.instance.id';
  }
}
