import fs from 'node:fs';

/** 64 hexadecimal digits (Docker, containerd, CRI-O, Podman), or a task of AWS Fargate: 32 digits and a number. */
const id = '[0-9a-f]{64}|[0-9a-f]{32}-[0-9]{6,}';

/** The last part of a control group's path: `/docker/<id>`, `/…/cri-containerd-<id>.scope`, `…:cri-containerd:<id>`. */
const inControlGroup = new RegExp(`(?:[/:-])(${id})(?:\\.scope)?$`);

/**
 * The subtree from which an engine mounts the container's own files: `/…/docker/containers/<id>/hostname`,
 * `/…/overlay-containers/<id>/userdata/hosts`. The directories of sandboxes hold the id of the pod, not of the container.
 */
const inSubtree = new RegExp(`containers/(${id})/`);
const ownFiles = new Set(['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']);

/**
 * The id of the container that this process runs in: from /proc/self/cgroup (control groups v1, and v2 without a namespace), else
 * from the container's own files in /proc/self/mountinfo.
 *
 * @param root - stands before /proc; '' but in tests
 * @returns `undefined` when there is none to be seen
 */
export function containerId(root = ''): string | undefined {
  for (const line of lines(`${root}/proc/self/cgroup`)) {
    // hierarchy:controllers:path
    const path = line.split(':').slice(2).join(':');
    const found = inControlGroup.exec(path)?.[1];
    if (found !== undefined) return found;
  }
  for (const line of lines(`${root}/proc/self/mountinfo`)) {
    const [, , , subtree = '', mountPoint = ''] = line.split(' ');
    const found = ownFiles.has(mountPoint) ? inSubtree.exec(subtree)?.[1] : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function lines(path: string): string[] {
  try {
    return fs.readFileSync(path, 'latin1').split('\n');
  } catch {
    // Another operating system, or a hardened one: then no id is to be had from here.
    return [];
  }
}
