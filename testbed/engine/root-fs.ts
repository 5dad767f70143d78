import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Log } from '../plane/go-program.ts';
import { machineEnvironment } from '../plane/machine.ts';
import { engineFolder, hashOf } from './folder.ts';

/** The release of Debian whose packages are in images. */
const suite = 'bookworm';

/** What nobody reads in a container: nodes pull and unpack it all. */
const unneeded = ['doc', 'info', 'locale', 'man'].map((name) => `/usr/share/${name}`);

/** The packages of each root file system, beside those that Debian calls required, and apt. */
const packagesOf = {
  /** Of a kind node (kind 0.33.0, images/base/Dockerfile), without NFS, iSCSI and fuse-overlayfs, with containerd, runc and CNI's plugins. */
  node: [
    'systemd,systemd-sysv,dbus,conntrack,iptables,nftables,iproute2,ethtool,util-linux,mount,kmod',
    'libseccomp2,pigz,e2fsprogs,bash,ca-certificates,curl,jq,procps',
    'containerd,runc,containernetworking-plugins,ebtables,socat,hostname,findutils',
  ],
  /** Of all images of programs: what kube-proxy calls, the library of C++ that Node needs, and nginx, for workloads. */
  base: ['iptables,conntrack,kmod,ca-certificates,ipset,ebtables,iproute2,libstdc++6,nginx-light'],
  /** Of images of servers that Debian packages. */
  servers: ['postgresql-15,docker-registry,ca-certificates'],
};

export type RootFs = keyof typeof packagesOf;

/** The path of a root file system (.tar), made by mmdebstrap once for each list of packages. */
export async function rootFs(name: RootFs, log: Log): Promise<string> {
  const packages = packagesOf[name].join(',');
  const folder = join(engineFolder(), 'root-fs');
  const file = join(folder, `${name}-${hashOf(suite, packages, ...unneeded)}.tar`);
  if (existsSync(file)) return file;
  log(`making the root file system "${name}" of packages of Debian ${suite}`);
  await mkdir(folder, { recursive: true });
  // mmdebstrap takes the format from the name's end.
  const scratch = join(folder, `unfinished-${process.pid}-${name}.tar`);
  try {
    const excluded = unneeded.map((path) => `--dpkgopt=path-exclude=${path}/*`);
    const args = ['--variant=minbase', ...excluded, `--include=${packages}`, suite, scratch];
    // It mounts this machine's /dev/shm, /proc and /sys: in a namespace of its own, none of them stays mounted if it is killed.
    const options = { env: machineEnvironment(), extendEnv: false };
    await execa('unshare', ['--mount', 'mmdebstrap', ...args], options);
    await rename(scratch, file);
  } finally {
    await rm(scratch, { force: true });
  }
  return file;
}
