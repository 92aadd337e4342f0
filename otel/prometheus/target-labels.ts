import { createHash } from 'node:crypto';
import { attributeOf, attributeText } from '../model/attributes.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import { escapeLabelValue, labelName, labelsText } from './label-text.ts';

/** Who made the samples: the labels that every sample of a resource has. */
export interface Target {
  readonly job: string;
  /** '' when the resource does not say. */
  readonly instance: string;
  /** `job="…",instance="…"`. */
  readonly labels: string;
}

/** The attributes that job and instance are made of, which `target_info` does not repeat. */
const identifying = new Set(['service.name', 'service.namespace', 'service.instance.id']);

/** What may stand in for `service.instance.id`, the first that is present. */
const instanceKeys = [
  'host.name',
  'host.id',
  'container.id',
  'k8s.pod.uid',
  'k8s.node.name',
  'server.address',
];

/** The job of a host's own resource, which has no service.name. */
const hostJob = 'host';
/** The job of all other resources without a name, after the default of OpenTelemetry's SDKs. */
const unknownJob = 'unknown_service';

/** The job of what merging views make, when they do not keep the service's name. */
const mergedJob = 'streamgauge';

const rememberedTargets = 65_536;
const forgetAfterMs = 3_600_000;

export interface TargetLabelsOptions {
  /** The `service.instance.id` that all merged outputs have. */
  readonly writerId?: string | undefined;
  /** Milliseconds of a clock that does not go back. */
  readonly now?: (() => number) | undefined;
}

interface Owner {
  readonly identity: string;
  seenMs: number;
}

/**
 * Gives each resource its `job` and `instance`. With a `service.name` they are `service.namespace/service.name` and
 * `service.instance.id`, as OpenTelemetry's compatibility specification has it; where the instance is missing the host's name (or id,
 * or the container's id …) stands in for it, so that the same service on two hosts stays two. A host's own resource, which has no
 * service.name, is job `host` with the host's name as instance.
 *
 * What merging views make has the writer's id as its `service.instance.id`, whatever resource attributes it keeps; these follow
 * the id: `1f2e…/host.name=web-1`.
 *
 * Host names are not unique. The first host under a name has it; another host with the same name (its `host.id`, or else its whole
 * resource, differs) has eight hexadecimal digits of its identity behind it: `localhost#1f0a93bc`. The first keeps the name until
 * it was not seen for an hour, so that no series is continued with another host's values. At most 65,536 names are remembered.
 */
export class TargetLabels {
  readonly #owners = new Map<string, Owner>();
  readonly #writerId: string;
  readonly #now: () => number;

  constructor(options: TargetLabelsOptions = {}) {
    this.#writerId = options.writerId ?? '';
    this.#now = options.now ?? (() => performance.now());
  }

  target(resource: Resource): Target {
    const text = (key: string) => textOf(resource, key);
    const name = text('service.name');
    const id = text('service.instance.id');
    if (id !== '' && id === this.#writerId) return merged(resource, id, name, text('service.namespace'));
    const substitute = instanceKeys.map(text).find((value) => value !== '') ?? '';
    if (name !== '') {
      const job = jobOf(text('service.namespace'), name);
      // The triplet of namespace, name and instance id is unique by definition: no need to look for a second one.
      if (id !== '') return target(job, id);
      return target(job, substitute === '' ? '' : this.#unique(job, substitute, resource));
    }
    const isHost = text('host.name') !== '' || text('host.id') !== '';
    const job = isHost ? hostJob : unknownJob;
    if (id !== '') return target(job, id);
    if (substitute !== '') return target(job, this.#unique(job, substitute, resource));
    return target(job, resource.attributes.length === 0 ? '' : digest(resourceKey(resource)));
  }

  #unique(job: string, instance: string, resource: Resource): string {
    const key = JSON.stringify([job, instance]);
    const hostId = textOf(resource, 'host.id');
    const identity = hostId === '' ? resourceKey(resource) : hostId;
    const now = this.#now();
    const owner = this.#owners.get(key);
    if (owner?.identity === identity) {
      owner.seenMs = now;
      return instance;
    }
    if (owner !== undefined && now - owner.seenMs < forgetAfterMs) return `${instance}#${digest(identity)}`;
    if (this.#owners.size >= rememberedTargets) this.#forget(now);
    if (this.#owners.size < rememberedTargets) this.#owners.set(key, { identity, seenMs: now });
    return instance;
  }

  #forget(now: number): void {
    for (const [key, owner] of this.#owners)
      if (now - owner.seenMs >= forgetAfterMs) this.#owners.delete(key);
  }
}

/** The labels of `target_info`: the resource's attributes but those of job and instance, each with a comma before it. */
export function targetInfoLabels(resource: Resource): string {
  return labelsText(resource.attributes, (key) => {
    if (identifying.has(key)) return undefined;
    const name = labelName(key);
    return name === 'job' || name === 'instance' ? `exported_${name}` : name;
  });
}

function merged(resource: Resource, id: string, name: string, namespace: string): Target {
  const kept = resource.attributes
    .filter(([key]) => !identifying.has(key))
    .map(([key, value]) => `${key}=${attributeText(value)}`);
  const job = name === '' ? mergedJob : jobOf(namespace, name);
  return target(job, kept.length === 0 ? id : `${id}/${kept.join(',')}`);
}

function jobOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function target(job: string, instance: string): Target {
  const labels = `job="${escapeLabelValue(job)}"`;
  return {
    job,
    instance,
    labels: instance === '' ? labels : `${labels},instance="${escapeLabelValue(instance)}"`,
  };
}

function textOf(resource: Resource, key: string): string {
  const value = attributeOf(resource.attributes, key);
  return value === undefined || value === null ? '' : attributeText(value);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
