import fs from 'node:fs';

/**
 * The directory, below the root, of a process whose network and mount namespaces are the host's. The agent's own are, unless the
 * host's root is mounted somewhere: then the agent runs in a container, and the host's first process is asked.
 */
export function hostProcess(root: string): '/proc/1' | '/proc/self' {
  return root !== '' && fs.existsSync(`${root}/proc/1/net/dev`) ? '/proc/1' : '/proc/self';
}
