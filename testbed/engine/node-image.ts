/** The image of a kind node, as kind's own build makes it (kind 0.33.0, images/base/Dockerfile and pkg/build/nodeimage), without a registry. */
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { replaceIn } from '../replace-in.ts';
import { registryFiles } from './authority.ts';
import { docker } from './docker.ts';
import { engineFolder, hashOf } from './folder.ts';
import { buildImage, isPresent, type Recipe } from './image-build.ts';
import { canRaiseLimits } from './machine.ts';
import { kubernetesRelease, type Programs } from './programs.ts';

const nodeImage = `kindest/node:${kubernetesRelease}`;

/** The image that kind's configuration of containerd runs pods in (images/base/files/etc/containerd/config.toml). */
export const pause = 'registry.k8s.io/pause:3.10';

const hyperNames = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'],
  ...['kubectl', 'kubeadm'],
];
const link = (names: readonly string[], folder: string, target: string) =>
  `for name in ${names.join(' ')}; do ln -sf ${target} ${folder}/$name; done`;

/** Debian's nftables: not every kernel has the older tables any more. */
const byNftables = ['iptables', 'ip6tables']
  .map((name) => `update-alternatives --set ${name} /usr/sbin/${name}-nft`)
  .join(' && ');

/** @param roots the images of the root file systems @returns the name for kind, and the tag of what it is built on */
export async function buildNodeImage(
  programs: Programs,
  roots: { base: string; node: string },
): Promise<{ nodeImage: string; nodeBase: string }> {
  const images = await kubernetesImages(programs, roots.base);
  const base = await buildNodeBase(programs, roots.node);
  // The name is what kind knows; whether it is this content, the tag of its own says.
  const own = `stellarctl-engine/node:${hashOf(base, ...Object.entries(images).flat())}`;
  if (!(await isPresent(own))) await preload(base, images, own);
  await docker('tag', own, nodeImage);
  return { nodeImage, nodeBase: base };
}

export const pauseRecipe = (base: string): Recipe => ({
  on: base,
  lines: ['ENTRYPOINT ["sleep", "infinity"]'],
});

/** The images of Kubernetes by name: one content for all of its components. */
async function kubernetesImages(
  { paths }: Programs,
  base: string,
): Promise<Record<string, string>> {
  const hyper = await buildImage('hyper', {
    on: base,
    files: { '/usr/local/bin/hyper': paths.hyper },
    lines: [`RUN ${link(hyperNames, '/usr/local/bin', 'hyper')} && ${byNftables}`],
  });
  const coredns = await buildImage('coredns', {
    on: base,
    files: { '/coredns': paths.coredns },
    lines: ['ENTRYPOINT ["/coredns"]'],
  });
  const asleep = await buildImage('pause', pauseRecipe(base));
  const list = ['kubeadm', 'config', 'images', 'list', '--kubernetes-version', kubernetesRelease];
  const { stdout } = await execa(paths.hyper, list);
  const named = stdout.split('\n').map((name) => {
    if (name.includes('/pause:')) return [name, asleep];
    return [name, name.includes('/coredns/') ? coredns : hyper];
  });
  return { ...Object.fromEntries(named), [pause]: asleep };
}

async function buildNodeBase({ paths, nodeFiles }: Programs, root: string): Promise<string> {
  return buildImage('node-base', {
    on: root,
    files: {
      '/': await preparedFiles(nodeFiles),
      '/usr/bin/hyper': paths.hyper,
      '/usr/local/bin/crictl': paths.crictl,
      '/usr/local/share/ca-certificates/registry.crt': (await registryFiles()).authority,
      '/etc/cni/net.d/10-ptp.conflist': { text: network },
      '/kind/manifests/default-cni.yaml': { text: noNetwork },
      '/kind/manifests/default-storage.yaml': { text: storage },
    },
    lines: [`RUN ${prepareNode}`, 'ENV container=docker', 'STOPSIGNAL SIGRTMIN+3', entrypoint],
  });
}

/** The files of kind's module, with the modes that its Dockerfile sets: a module's zip has none. @returns a folder that is kept */
async function preparedFiles(nodeFiles: string): Promise<string> {
  const isLimited = !(await canRaiseLimits());
  const folder = join(engineFolder(), `node-files-${hashOf(nodeFiles, String(isLimited))}`);
  if (existsSync(folder)) return folder;
  const scratch = `${folder}-${process.pid}`;
  await cp(nodeFiles, scratch, { recursive: true });
  // The folders of modules are read-only.
  await execa('chmod', ['-R', 'u+w', scratch]);
  const programs = ['kind/bin', 'usr/local/bin'].map((path) => join(scratch, path));
  await execa('chmod', ['-R', 'a+rx', ...programs]);
  if (isLimited) await withoutLimits(scratch);
  await rename(scratch, folder);
  return folder;
}

/** Without CAP_SYS_RESOURCE, systemd cannot start a service above the hard limits, and containerd cannot lower oom_score_adj. */
async function withoutLimits(files: string): Promise<void> {
  await replaceIn(
    join(files, 'etc/systemd/system/containerd.service'),
    /^(?:Limit|OOMScoreAdjust).*\n/gm,
    '',
  );
  await replaceIn(
    join(files, 'etc/containerd/config.toml'),
    /restrict_oom_score_adj = false/g,
    'restrict_oom_score_adj = true',
  );
}

const entrypoint = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]';

/** What kind's Dockerfile does to Debian's systemd, and where kind looks for what Debian has elsewhere. */
const prepareNode = [
  'find /lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete',
  `rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* /lib/systemd/system/local-fs.target.wants/*`,
  'rm -f /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*',
  'rm -f /lib/systemd/system/basic.target.wants/* /lib/systemd/system/containerd.service',
  'echo ReadKMsg=no >> /etc/systemd/journald.conf',
  'ln -sf /usr/lib/systemd/systemd /sbin/init',
  link(['containerd', 'ctr'], '/usr/local/bin', '/usr/bin/$name'),
  link(['kubelet', 'kubeadm', 'kubectl'], '/usr/bin', 'hyper'),
  'mkdir -p /opt/cni/bin /etc/kubernetes/manifests',
  link(['host-local', 'loopback', 'ptp', 'portmap'], '/opt/cni/bin', '/usr/lib/cni/$name'),
  'systemctl enable kubelet.service containerd.service undo-mount-hacks.service',
  'systemctl mask systemd-binfmt.service',
  byNftables,
  'update-ca-certificates',
  `ctr oci spec | jq '.hooks.createContainer[.hooks.createContainer | length] |= . + {"path": "/kind/bin/mount-product-files.sh"} | del(.process.rlimits)' > /etc/containerd/cri-base.json`,
  `echo -n ${kubernetesRelease} > /kind/version`,
].join(' && ');

/** As kindnetd configures a cluster of one node. */
const network = JSON.stringify({
  cniVersion: '0.3.1',
  name: 'ptp',
  plugins: [
    {
      type: 'ptp',
      ipMasq: true,
      ipam: {
        type: 'host-local',
        dataDir: '/run/cni-ipam-state',
        routes: [{ dst: '0.0.0.0/0' }],
        ranges: [[{ subnet: '10.244.0.0/24' }]],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

/** kind applies this file; the network needs no object. */
const noNetwork = `apiVersion: v1
kind: ConfigMap
metadata: { name: network-of-the-image, namespace: kube-system }
`;

const storage = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: standard, annotations: { storageclass.kubernetes.io/is-default-class: "true" } }
provisioner: kubernetes.io/host-path
`;

/** Imports images into the containerd of a node that is not running, and keeps the result, as kind's build does. */
async function preload(
  base: string,
  images: Record<string, string>,
  result: string,
): Promise<void> {
  for (const [name, tag] of Object.entries(images)) await docker('tag', tag, name);
  const archive = join(engineFolder(), `kubernetes-${process.pid}.tar`);
  const flags = ['--detach', '--entrypoint', 'sleep', '--security-opt', 'seccomp=unconfined'];
  const container = await docker('run', ...flags, base, 'infinity');
  const inside = (script: string) => docker('exec', container, 'bash', '-c', script);
  try {
    await docker('save', '--output', archive, ...Object.keys(images));
    await inside(
      'containerd > /dev/null 2>&1 & until ctr version > /dev/null 2>&1; do sleep 0.2; done',
    );
    const load = [
      'ctr',
      '--namespace=k8s.io',
      'images',
      'import',
      '--all-platforms',
      '--no-unpack',
      '--digests',
      '-',
    ];
    await execa('docker', ['exec', '--interactive', container, ...load], { inputFile: archive });
    await inside(
      'kill -- "$(pidof containerd)"; while pidof containerd > /dev/null; do sleep 0.1; done',
    );
    await docker('commit', '--change', entrypoint, container, result);
  } finally {
    await docker('rm', '--force', '--volumes', container);
    await rm(archive, { force: true });
    for (const name of Object.keys(images)) await docker('rmi', name).catch(() => {});
  }
}
