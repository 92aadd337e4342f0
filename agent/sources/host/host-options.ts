/**
 * What the host source reads and how often. Names in filters may hold `*` (any run of characters) and `?` (any one character).
 */
export interface HostOptions {
  /** system.cpu.time and the numbers of CPUs. */
  readonly cpu: GroupOptions;
  /** system.memory.*. */
  readonly memory: GroupOptions;
  /** system.paging.*. */
  readonly paging: GroupOptions;
  /** system.cpu.load_average.*. */
  readonly load: GroupOptions;
  /** system.disk.* of whole disks; a partition's traffic is in its disk's. */
  readonly disk: DiskOptions;
  /** system.filesystem.*. */
  readonly filesystem: FilesystemOptions;
  /** system.network.* of interfaces. */
  readonly network: NetworkOptions;
  /**
   * system.network.connection.count. The kernel walks its whole table of connections for it, some milliseconds on any host, so
   * the default interval is 10 s; a scan that took `t` is not repeated before 1,000 `t` have passed, and the values stand until then.
   */
  readonly connections: GroupOptions;
  /**
   * system.process.*. One file is read for each process, about 8 µs each, so the default interval is 10 s; a scan that took `t` is
   * not repeated before 1,000 `t` have passed, and the counts by state stand until then.
   */
  readonly processes: GroupOptions;
  /** system.uptime. */
  readonly uptime: GroupOptions;
}

export interface GroupOptions {
  /** Default: true. */
  readonly enabled: boolean;
  /** Milliseconds between collections. Default: 1,000; of connections and processes 10,000. */
  readonly intervalMs: number;
}

/** A name passes when it matches one of `include`, or `include` is empty, and matches none of `exclude`. */
export interface NameFilterOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface DiskOptions extends GroupOptions {
  /** By the kernel's name (`sda`, `nvme0n1`, `dm-0`). Default: all but ram disks, loop devices and floppies. */
  readonly devices: NameFilterOptions;
}

export interface FilesystemOptions extends GroupOptions {
  /** By path. Default: all but those below /dev, /proc, /sys and the storage of container engines. */
  readonly mountPoints: NameFilterOptions;
  /** By the kernel's name (`ext4`). Default: all but virtual and network file systems. */
  readonly fsTypes: NameFilterOptions;
}

export interface NetworkOptions extends GroupOptions {
  /** By name (`eth0`). Default: all. */
  readonly interfaces: NameFilterOptions;
}

const each = (intervalMs: number): GroupOptions => ({ enabled: true, intervalMs });

/** What holds where nothing is configured. */
export const hostDefaults: HostOptions = {
  cpu: each(1000),
  memory: each(1000),
  paging: each(1000),
  load: each(1000),
  disk: { ...each(1000), devices: { include: [], exclude: ['ram*', 'zram*', 'loop*', 'fd*'] } },
  filesystem: {
    ...each(1000),
    mountPoints: {
      include: [],
      exclude: [
        '/dev',
        '/dev/*',
        '/proc',
        '/proc/*',
        '/sys',
        '/sys/*',
        '/run/credentials/*',
        '/var/lib/docker/*',
        '/var/lib/containers/storage/*',
      ],
    },
    fsTypes: {
      include: [],
      exclude: [
        // Virtual: no storage of their own.
        'autofs',
        'binfmt_misc',
        'bpf',
        'cgroup',
        'cgroup2',
        'configfs',
        'debugfs',
        'devpts',
        'devtmpfs',
        'efivarfs',
        'fusectl',
        'fuse.lxcfs',
        'fuse.portal',
        'fuse.gvfsd-fuse',
        'hugetlbfs',
        'mqueue',
        'nsfs',
        'overlay',
        'proc',
        'pstore',
        'ramfs',
        'rootfs',
        'rpc_pipefs',
        'securityfs',
        'selinuxfs',
        'sysfs',
        'tmpfs',
        'tracefs',
        // Read-only images: always full.
        'erofs',
        'iso9660',
        'squashfs',
        // On the network: they can hang, and belong to their server.
        '9p',
        'afs',
        'ceph',
        'cifs',
        'fuse.ceph*',
        'fuse.gcsfuse',
        'fuse.glusterfs',
        'fuse.rclone',
        'fuse.s3fs',
        'fuse.sshfs',
        'gfs2',
        'glusterfs',
        'lustre',
        'ncpfs',
        'nfs',
        'nfs4',
        'nfsd',
        'ocfs2',
        'smb3',
        'smbfs',
      ],
    },
  },
  network: { ...each(1000), interfaces: { include: [], exclude: [] } },
  connections: each(10_000),
  processes: each(10_000),
  uptime: each(1000),
};
