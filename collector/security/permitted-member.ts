import { mergeAttributes } from '../../otel/model/attributes.ts';
import type { Resource } from '../../otel/model/resource.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { DeniedError } from './denial.ts';
import { type Grant, notPermitted } from './grant.ts';

/**
 * The resource of a member, with what is forced upon it. What holds for its own also holds for what is held of it: a member of one tenant
 * does not become another's, whatever its id.
 * @throws DeniedError naming the field, when the grant does not permit the member, the resource, or the resource that the member has here
 */
export function permittedMember(
  grant: Grant,
  memberId: string,
  said: Resource,
  store: Pick<MetricStore, 'members'>,
): Resource {
  if (!grant.permitsMember(memberId))
    throw new DeniedError(
      notPermitted(
        grant,
        'agent_id',
        `these credentials do not permit to speak for ${JSON.stringify(memberId)}: give the agent an agent_id that they do, or add this one to agents of their entry in auth`,
      ),
      'hello.member_id',
    );
  const problem = grant.resourceProblem(said.attributes);
  if (problem !== undefined)
    throw new DeniedError(
      notPermitted(grant, 'resource', `${problem}: change the agent's resource, or its credentials`),
      'hello.resource',
    );
  const held = store.members.get(memberId)?.resource.resource.attributes ?? [];
  const forcedKeys = new Set(grant.forced.map(([key]) => key));
  if (grant.resourceProblem(held.filter(([key]) => forcedKeys.has(key))) !== undefined)
    throw new DeniedError(
      notPermitted(
        grant,
        'agent_id',
        'a member of this id is held that was written with other credentials: give the agent another agent_id',
      ),
      'hello.member_id',
    );
  return withForced(grant, said);
}

/** The resource with what is forced upon it. */
export function withForced(grant: Grant, resource: Resource): Resource {
  const attributes = mergeAttributes(resource.attributes, grant.forced);
  return { attributes, schemaUrl: resource.schemaUrl };
}
