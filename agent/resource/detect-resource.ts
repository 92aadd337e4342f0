import fs from 'node:fs';
import os from 'node:os';
import { type Attributes, attributes, mergeAttributes, noAttributes } from '../../otel/model/attributes.ts';
import type { Resource } from '../../otel/model/resource.ts';
import { containerId } from './container-id.ts';
import { machineId } from './machine-id.ts';
import { osRelease } from './os-release.ts';

export interface DetectResourceOptions {
  /** Where the host's root is mounted, when the agent runs in a container and speaks for its host. Default ''. */
  readonly root?: string;
  /** Configured attributes: of two with one key, these hold. */
  readonly attributes?: Attributes;
}

/** Node's names, where the semantic conventions have others. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'arm32', ia32: 'x86' };
const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };

/**
 * What the agent runs on, after version 1.44.0 of OpenTelemetry's semantic conventions: host.name, host.id (the machine id; not in
 * a container, whose image may bring any), host.arch, os.type, os.name, os.version, os.build_id, os.description and, in a container,
 * container.id. With a root, all is said of the host that is mounted there. Does not throw: what cannot be known is left out.
 */
export function detectResource(options: DetectResourceOptions = {}): Resource {
  const root = (options.root ?? '').replace(/\/+$/, '');
  const container = root === '' ? containerId() : undefined;
  const release = osRelease(root);
  const kernel = os.release();
  const description = release.get('PRETTY_NAME') ?? release.get('NAME');
  const detected = attributes({
    'host.name': (root === '' ? undefined : hostName(root)) ?? os.hostname(),
    'host.id': container === undefined ? machineId(root) : undefined,
    'host.arch': architectures[process.arch] ?? process.arch,
    'os.type': systems[process.platform] ?? process.platform,
    'os.name': release.get('NAME') ?? os.type(),
    'os.version': release.get('VERSION_ID') ?? kernel,
    'os.build_id': release.get('BUILD_ID') ?? kernel,
    'os.description': `${description === undefined ? '' : `${description}, `}${os.type()} ${kernel}`,
    'container.id': container,
  });
  return {
    attributes: mergeAttributes(detected, options.attributes ?? noAttributes),
    schemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
  };
}

function hostName(root: string): string | undefined {
  try {
    return fs.readFileSync(`${root}/etc/hostname`, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
