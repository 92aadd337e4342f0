import { bootId } from '../otel/stream/boot-id.ts';
import type { Identity } from '../otel/stream/identity.ts';
import type { AgentConfig } from './config/agent-config.ts';
import type { AgentLog } from './log.ts';
import { containerId } from './resource/container-id.ts';
import { detectResource } from './resource/detect-resource.ts';
import { machineId } from './resource/machine-id.ts';
import { memberId } from './resource/member-id.ts';

/**
 * Who the agent is, from its configuration and the machine it runs on.
 * @param incarnation a random token for this run, 16 bytes
 * @param onUnusableStateDirectory called when the state directory cannot be used, after the warning that says so
 * @throws StreamgaugeError `config` when the configured id, or the kept one, is not valid
 */
export function agentIdentity(
  config: AgentConfig,
  incarnation: Uint8Array,
  version: string,
  log: AgentLog,
  onUnusableStateDirectory?: () => void,
): Identity {
  const root = config.host.rootPath;
  return {
    memberId: memberId({
      configured: config.agentId,
      stateDirectory: config.stateDir,
      machineId: machineId(root),
      containerId: root === '' ? containerId() : undefined,
      log,
      onUnusable: onUnusableStateDirectory,
    }),
    incarnation,
    bootId: bootIdOrNone(),
    resource: detectResource({ root, attributes: config.resource }),
    userAgent: version === '' ? 'streamgauge' : `streamgauge/${version}`,
  };
}

/** Without a boot id a collector cannot tell a restart from a clone as early; the agent works all the same. */
function bootIdOrNone(): string {
  try {
    return bootId();
  } catch {
    return '';
  }
}
