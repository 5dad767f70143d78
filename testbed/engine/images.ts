/** The images that README's installation pulls, and where each one's content is from: testbed/README.md shows the same rows. */
import { join } from 'node:path';
import type { Recipe } from './image-build.ts';
import { pause, pauseRecipe } from './node-image.ts';
import { kubernetesRelease, type Programs, sourceOf } from './programs.ts';
import { bundled } from './stand-ins/bundle.ts';

/** Images that others are built on, by tag. */
export interface Bases {
  base: string;
  servers: string;
  nodeBase: string;
  programs: Programs;
}

/** An image in the registry. */
export interface EngineImage {
  /** As charts and programs name it; several names have the same content. */
  names: readonly [string, ...string[]];
  /** `module@version`, a package of Debian, or `stand-in`. */
  from: string;
  /** What a stand-in does not do. */
  lacks?: string;
  /** The command of README that a stand-in does not prove. */
  step?: 'init' | 'its create' | 'wds create';
  recipe(bases: Bases): Recipe | Promise<Recipe>;
}

const kubeflex = 'github.com/kubestellar/kubeflex@v0.9.3';
const kubestellar = 'github.com/kubestellar/kubestellar@v0.30.0';
const ocm = 'open-cluster-management.io/ocm';
const nobody = 'USER 65532:65532';
const entrypoint = (...words: string[]) => `ENTRYPOINT ${JSON.stringify(words)}`;

/** An image of one of the bed's programs, at the path that Deployments name. */
const program =
  (binary: string, path = `/${binary}`): EngineImage['recipe'] =>
  ({ base, programs }) => ({
    on: base,
    files: { [path]: join(programs.bed, binary) },
    lines: ['ENV HOME=/tmp', nobody, entrypoint(path)],
  });

const ocmNames = ['registration-operator', 'registration', 'work', 'placement', 'addon-manager'];
const ocmImages = (version: string) =>
  ocmNames.map((name) => `quay.io/open-cluster-management/${name}:${version}`) as [
    string,
    ...string[],
  ];
const ocmPrograms = ['registration-operator', 'registration', 'work', 'placement', 'addon'];

/** All programs of OCM are one binary, which goes by the name of the link that it is started by. */
const ofOcm =
  (folder: 'bed' | 'ocm101'): EngineImage['recipe'] =>
  ({ base, programs }) => ({
    on: base,
    files: { '/ocm': join(programs[folder], 'ocm') },
    lines: [
      `RUN for name in ${ocmPrograms.join(' ')}; do ln -s /ocm /$name; done`,
      'USER 10001:10001',
    ],
  });

/** As an ordinary process it gets SIGTERM as PID 1, which has no default action. */
const idle = 'trap exit TERM; sleep infinity & wait';

const scripts = join(import.meta.dirname, '..', 'kubelet', 'scripts');

const ofNode =
  (name: string): EngineImage['recipe'] =>
  async ({ base }) => ({
    on: base,
    files: {
      '/usr/local/bin/node': join(
        import.meta.dirname,
        '..',
        '..',
        'node_modules',
        'node',
        'bin',
        'node',
      ),
      '/stand-ins.mjs': { text: await bundled() },
    },
    lines: [entrypoint('node', '/stand-ins.mjs', name)],
  });

export const images: readonly EngineImage[] = [
  {
    names: ['ghcr.io/kubestellar/kubeflex/manager:0.9.3'],
    from: kubeflex,
    recipe: program('kubeflex-manager', '/manager'),
  },
  {
    names: [
      'ghcr.io/kubestellar/kubeflex/cmupdate:0.9.3',
      'ghcr.io/kubestellar/kubeflex/cmupdate:latest',
    ],
    from: kubeflex,
    recipe: program('cmupdate'),
  },
  {
    names: ['ghcr.io/kubestellar/kubestellar/controller-manager:0.30.0'],
    from: kubestellar,
    recipe: program('controller-manager'),
  },
  {
    names: ['ghcr.io/kubestellar/kubestellar/kflex-get-kubeconfig:0.30.0'],
    from: kubestellar,
    recipe: program('kflex-get-kubeconfig'),
  },
  {
    names: ['ghcr.io/kubestellar/kubestellar/ocm-transport-controller:0.30.0'],
    from: kubestellar,
    recipe: program('ocm', '/ocm-transport-controller'),
  },
  { names: ocmImages('v1.0.0'), from: `${ocm}@v1.0.0`, recipe: ofOcm('bed') },
  {
    names: ocmImages('v1.0.1'),
    from: `${ocm}@v1.0.0`,
    lacks: 'the two places that 1.0.1 changes are in words of the bed (ocm-1.0)',
    recipe: ofOcm('ocm101'),
  },
  {
    names: [
      'quay.io/kubestellar/kubectl:1.32.13',
      'quay.io/kubestellar/kubectl:1.30.14',
      'quay.io/kubestellar/kubectl:1.29.3',
    ],
    from: 'k8s.io/kubectl@v0.32.13',
    lacks: 'the same version by all three names',
    recipe: program('ocm', '/usr/local/bin/kubectl'),
  },
  {
    names: ['quay.io/kubestellar/helm:3.16.4'],
    from: 'helm.sh/helm/v3@v3.17.4',
    lacks: 'a later version',
    recipe: program('helm', '/usr/local/bin/helm'),
  },
  {
    names: ['quay.io/kubestellar/clusteradm:1.0.0'],
    from: 'stand-in',
    step: 'its create',
    lacks: 'only `init`: a script around the chart of a hub, which OCM has in its module',
    recipe: ({ base, programs }) => ({
      on: base,
      files: {
        '/usr/local/bin/clusteradm': join(scripts, 'clusteradm.sh'),
        '/usr/local/bin/kubectl': join(programs.bed, 'ocm'),
        '/usr/local/bin/helm': join(programs.bed, 'helm'),
        '/usr/local/bin/v1.0.0/cluster-manager': join(programs.bed, 'cluster-manager'),
        '/usr/local/bin/v1.0.1/cluster-manager': join(programs.ocm101, 'cluster-manager'),
      },
      lines: [
        'RUN chmod -R go+rX /usr/local/bin',
        'ENV HOME=/tmp',
        nobody,
        entrypoint('clusteradm'),
      ],
    }),
  },
  {
    names: ['ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17'],
    from: 'stand-in',
    step: 'its create',
    lacks:
      'the add-on of the bed, in a container: an object of several works has the status of one; no metrics',
    recipe: ofNode('ocm-status-addon'),
  },
  {
    names: ['docker.io/library/traefik:v3.7.13'],
    from: 'stand-in',
    step: 'init',
    lacks:
      'the ingress of the bed, in a container: TLS passes through by the name of the server, and nothing else',
    recipe: ofNode('traefik'),
  },
  {
    names: ['quay.io/brancz/kube-rbac-proxy:v0.19.1', 'quay.io/brancz/kube-rbac-proxy:v0.20.2'],
    from: 'stand-in',
    lacks: 'runs, and serves nothing: nobody reads the metrics behind it',
    recipe: ({ base }) => ({ on: base, lines: [nobody, entrypoint('sh', '-c', idle)] }),
  },
  {
    names: ['quay.io/kubestellar/postgresql:16.0.0-debian-11-r13'],
    from: 'Debian: postgresql-15',
    step: 'init',
    lacks: 'version 15, not 16; its chart is written for the bed, and claims no volume',
    recipe: ({ servers }) => ({
      on: servers,
      files: { '/run.sh': { text: startPostgresql } },
      lines: ['RUN install -d -o postgres /data', 'USER postgres', entrypoint('/run.sh')],
    }),
  },
  {
    names: ['docker.io/rancher/kine:v0.11.4'],
    from: sourceOf('kine'),
    recipe: ({ base, programs }) => ({
      on: base,
      files: { '/bin/kine': programs.paths.kine },
      lines: [entrypoint('/bin/kine')],
    }),
  },
  {
    names: [
      'registry.k8s.io/kube-apiserver:v1.29.9',
      'registry.k8s.io/kube-controller-manager:v1.29.9',
    ],
    from: sourceOf('hyper'),
    step: 'wds create',
    lacks:
      'Kubernetes 1.32.13, not 1.29.9: serves ValidatingAdmissionPolicies without the flags for them',
    recipe: ({ base, programs }) => ({
      on: base,
      files: {
        '/usr/local/bin/hyper': programs.paths.hyper,
        '/usr/local/bin/kube-apiserver': { text: startApiServer },
      },
      lines: ['RUN ln -s hyper /usr/local/bin/kube-controller-manager'],
    }),
  },
  {
    names: ['docker.io/rancher/k3s:v1.27.2-k3s1'],
    from: 'stand-in',
    step: 'its create',
    lacks:
      'the programs of Kubernetes 1.32.13 instead of k3s, and in the same pod a node for the pods of the space, which do not run on the hosting cluster',
    recipe: ({ nodeBase }) => ({
      on: nodeBase,
      files: { '/bin/k3s': join(import.meta.dirname, 'stand-ins', 'k3s.sh') },
      lines: [
        `RUN for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do ln -s hyper /usr/bin/$name; done`,
      ],
    }),
  },
  {
    names: ['ghcr.io/loft-sh/vcluster:0.16.4'],
    from: 'stand-in',
    step: 'its create',
    lacks: 'publishes the kubeconfig of the space, and syncs nothing',
    recipe: ofNode('syncer'),
  },
  {
    names: [pause],
    from: 'stand-in',
    lacks: '`sleep`: collects no processes that have ended',
    recipe: ({ base }) => pauseRecipe(base),
  },
  {
    names: ['docker.io/library/nginx:latest'],
    from: 'Debian: nginx-light',
    recipe: ({ base }) => ({ on: base, lines: [entrypoint('nginx', '-g', 'daemon off;')] }),
  },
];

/**
 * With the port and the password that KubeFlex expects, without files of its own outside of /data. Kine logs in for most of its queries, and
 * a login by SCRAM costs thousands of hashes on both sides.
 */
const startPostgresql = `#!/bin/bash
set -e
bin=/usr/lib/postgresql/15/bin
export PGDATA=/data/pg
if [ ! -f $PGDATA/PG_VERSION ]; then
  $bin/initdb --username=postgres --pwfile=<(echo "$POSTGRES_PASSWORD") --auth-host=md5 --encoding=UTF8 --locale=C
  echo 'host all all all md5' >> $PGDATA/pg_hba.conf
fi
exec $bin/postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=1000
`;

/** Kubernetes 1.32 has the policies always, and does not know their gate any more. */
const startApiServer = `#!/bin/bash
gate=ValidatingAdmissionPolicy=true
words=()
for word in "$@"; do
  case $word in
    --feature-gates=$gate) ;;
    --feature-gates=*) word=\${word/$gate,/}; words+=("\${word/,$gate/}") ;;
    *) words+=("$word") ;;
  esac
done
exec hyper kube-apiserver "\${words[@]}"
`;

const onNodes = (...names: string[]) =>
  names.map((name) => `registry.k8s.io/${name}:${kubernetesRelease}`) as [string, ...string[]];

/** The image of kind's nodes, and those that are in it: node-image.ts makes them. */
export const nodeParts: readonly Omit<EngineImage, 'recipe'>[] = [
  {
    names: [`kindest/node:${kubernetesRelease}`],
    from: `${sourceOf('kind')}, Debian: systemd, containerd, runc, containernetworking-plugins`,
    lacks:
      'containerd 1.6; the network of pods is the plugin ptp, not kindnetd; kube-controller-manager makes volumes, not local-path-provisioner',
  },
  {
    names: onNodes('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'),
    from: sourceOf('hyper'),
    lacks: 'one binary, with etcd 3.5.16 and kubeadm',
  },
  {
    names: ['registry.k8s.io/coredns/coredns:v1.11.3'],
    from: sourceOf('coredns'),
    lacks: 'only the plugins that the Corefiles of kubeadm and kind name',
  },
];
