/**
 * What is in an amphora's image, as lists: the architectures it is made for, the packages of Debian
 * it is made from, the programs taken from them, and the modules of the kernel. Pure.
 */
export const ARCHITECTURES = ['amd64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export interface Target {
  /** As Node.js calls it. */
  readonly node: string
  /** Folder of the libraries. */
  readonly triplet: string
  /** The dynamic loader, below the root. */
  readonly loader: string
  readonly kernel_package: string
  /** The boot loader for UEFI, in systemd-boot-efi and on the disk. */
  readonly efi: { readonly from: string; readonly to: string }
  /** Whether there are machines with a BIOS, which start syslinux. */
  readonly bios: boolean
  readonly console: string
  /** Of the kernel, besides those of all. */
  readonly options: string
}

export const TARGETS: Readonly<Record<Architecture, Target>> = {
  amd64: {
    node: 'x64',
    triplet: 'x86_64-linux-gnu',
    loader: 'lib64/ld-linux-x86-64.so.2',
    // The cloud kernel has no AHCI: with a config drive on q35's SATA it never comes up.
    kernel_package: 'linux-image-amd64',
    efi: { from: 'systemd-bootx64.efi', to: 'BOOTX64.EFI' },
    bios: true,
    console: 'ttyS0',
    // Where it is emulated on a busy host the kernel finds the timer too slow, and panics.
    options: ' no_timer_check',
  },
  arm64: {
    node: 'arm64',
    triplet: 'aarch64-linux-gnu',
    loader: 'lib/ld-linux-aarch64.so.1',
    kernel_package: 'linux-image-arm64',
    efi: { from: 'systemd-bootaa64.efi', to: 'BOOTAA64.EFI' },
    bios: false,
    console: 'ttyAMA0',
    options: '',
  },
}

/** Debian packages besides the kernel; what they depend on comes with them. */
export const PACKAGES = [
  'busybox-static',
  'dash',
  'dropbear-bin',
  'haproxy',
  'iproute2',
  'ipvsadm',
  'keepalived',
  'kmod',
  'netbase',
  'nftables',
  'systemd-boot-efi',
  'tzdata',
  'util-linux',
] as const

/** Programs that go into the image, with the libraries they need; busybox has all others. */
export const PROGRAMS = [
  'bin/dash',
  'bin/ip',
  'bin/kmod',
  'bin/ss',
  'sbin/ipvsadm',
  'sbin/tc',
  'usr/bin/dropbearkey',
  'usr/bin/nsenter',
  'usr/bin/unshare',
  'usr/sbin/dropbear',
  'usr/sbin/haproxy',
  'usr/sbin/keepalived',
  'usr/sbin/nft',
] as const

/** Loaded by name at run time, so no program lists them: for names and users, and for threads. */
export const LIBRARIES = [
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libpthread.so.0',
  'libresolv.so.2',
] as const

/** The modules that reach the root, in the initramfs. */
export const EARLY_MODULES = [
  'virtio_pci',
  'virtio_blk',
  'virtio_scsi',
  'sd_mod',
  'nvme',
  'ata_piix',
  'ahci',
  'squashfs',
] as const

/** All other modules, by what they are for. Those of one architecture are missing in the other. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  disks: ['virtio_rng', 'virtio_balloon', 'virtio_console', 'virtio_mmio', 'sr_mod', 'ata_generic'],
  'file systems': ['ext4', 'isofs', 'vfat', 'nls_cp437', 'nls_iso8859-1', 'nls_utf8', 'nls_ascii'],
  cards: [
    'virtio_net',
    'ena',
    'ixgbevf',
    'iavf',
    'mlx5_core',
    'mlx4_en',
    'e1000',
    'e1000e',
    '8139cp',
  ],
  power: ['button', 'evdev', 'softdog', 'i6300esb', 'qemu_fw_cfg'],
  'virtual servers': [
    ...['', '_rr', '_wrr', '_lc', '_wlc', '_sh', '_mh', '_sed', '_nq', '_fo', '_ovf', '_dh'].map(
      (scheduler) => `ip_vs${scheduler}`,
    ),
  ],
  'packet filter': [
    ...[
      'nf_conntrack',
      'nf_conntrack_netlink',
      'nf_nat',
      'nf_tables',
      'nfnetlink',
      'nf_log_syslog',
    ],
    ...[
      'ct',
      'chain_nat',
      'compat',
      'counter',
      'limit',
      'log',
      'masq',
      'nat',
      'redir',
      'reject',
    ].map((name) => `nft_${name}`),
    ...['reject_inet', 'reject_ipv4', 'reject_ipv6', 'hash', 'numgen', 'quota', 'connlimit'].map(
      (name) => `nft_${name}`,
    ),
    ...['fib', 'fib_inet', 'fib_ipv4', 'fib_ipv6', 'socket', 'objref'].map((name) => `nft_${name}`),
    ...['ip_tables', 'ip6_tables', 'x_tables', 'xt_conntrack', 'xt_tcpudp', 'xt_set', 'ip_set'],
  ],
  protocols: [
    'sctp',
    'sctp_diag',
    'tcp_diag',
    'udp_diag',
    'inet_diag',
    'unix_diag',
    'tls',
    'tcp_bbr',
  ],
  interfaces: ['veth', 'macvlan', 'dummy', '8021q', 'vxlan', 'tun', 'bonding'],
  queues: ['sch_fq', 'sch_fq_codel', 'sch_htb', 'sch_ingress', 'cls_u32', 'act_police'],
}

/** What busybox is called for: by the scripts, by the agent, and by operators who look around. */
export const APPLETS = [
  ...['acpid', 'arping', 'awk', 'base64', 'basename', 'blkid', 'cat', 'chgrp', 'chmod', 'chown'],
  ...['clear', 'cmp', 'cp', 'cut', 'date', 'dd', 'df', 'diff', 'dirname', 'dmesg', 'du', 'echo'],
  ...['egrep', 'env', 'expr', 'false', 'find', 'free', 'fsync', 'fuser', 'grep', 'gunzip', 'gzip'],
  ...[
    'head',
    'hexdump',
    'hostname',
    'id',
    'kill',
    'killall',
    'less',
    'ln',
    'logger',
    'losetup',
    'ls',
  ],
  ...['md5sum', 'mkdir', 'mkfifo', 'mknod', 'mktemp', 'more', 'mount', 'mountpoint', 'mv', 'nc'],
  ...['netstat', 'nice', 'nohup', 'nproc', 'nslookup', 'od', 'pidof', 'ping', 'ping6', 'printenv'],
  ...[
    'printf',
    'ps',
    'pwd',
    'readlink',
    'realpath',
    'renice',
    'rm',
    'rmdir',
    'sed',
    'seq',
    'setsid',
  ],
  ...[
    'sha1sum',
    'sha256sum',
    'sleep',
    'sort',
    'stat',
    'stty',
    'sync',
    'sysctl',
    'tail',
    'tar',
    'tee',
  ],
  ...['test', 'time', 'timeout', 'top', 'touch', 'tr', 'traceroute', 'true', 'tty', 'udhcpc'],
  ...[
    'uevent',
    'umount',
    'uname',
    'uniq',
    'uptime',
    'usleep',
    'vi',
    'watch',
    'wc',
    'wget',
    'which',
  ],
  ...['whoami', 'xargs', 'yes', 'zcat'],
] as const
