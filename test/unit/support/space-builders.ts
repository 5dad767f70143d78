import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import timers from 'node:timers/promises';
import { Deadline } from '../../../src/lib/core/deadline.ts';
import { type Run, silentProgress } from '../../../src/lib/core/run.ts';
import { type Access, seen } from '../../../src/lib/kube/access.ts';
import type { Kube } from '../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../src/lib/kube/client/errors.ts';
import type {
  Condition,
  Deployment,
  Job,
  KubeObject,
  Pod,
  Resource,
  StatefulSet,
} from '../../../src/lib/kube/client/objects.ts';
import type { Kubeconfig } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { namespaceOf } from '../../../src/lib/ocm/model/kubeflex-names.ts';
import type {
  ControlPlane,
  HookUse,
  PostCreateHook,
} from '../../../src/lib/ocm/model/kubeflex-objects.ts';
import type { SpaceTools } from '../../../src/lib/spaces/hosting/hosting.ts';
import type { ItsInside } from '../../../src/lib/spaces/space/its-stages.ts';
import type { Space } from '../../../src/lib/spaces/space/space-stages.ts';
import type { SpaceEvidence } from '../../../src/lib/spaces/space/spaces.ts';
import type { WdsInside } from '../../../src/lib/spaces/space/wds-stages.ts';
import { base64, type FakeMethods, fakeKube, now } from './builders.ts';
import { oneContext } from './one-context.ts';

export const hostingCluster = { context: 'kind-kubeflex', server: 'https://127.0.0.1:6443' };

/** Conditions as KubeFlex 0.9.3 writes them, from live/controlplane-*. */
export const conditions = {
  synced: { type: 'Synced', status: 'True', reason: 'ReconcileSuccess', message: '' },
  waitingForHooks: {
    type: 'Ready',
    status: 'False',
    reason: 'WaitingForPostCreateHooks',
    message: 'Waiting for PostCreateHook completion',
  },
  ready: { type: 'Ready', status: 'True', reason: 'Available', message: '' },
} as const satisfies Record<string, Condition>;

export const notSynced = (message: string): Condition => ({
  type: 'Synced',
  status: 'False',
  reason: 'ReconcileError',
  message,
});

export interface ControlPlaneOptions {
  type?: string;
  hooks?: HookUse[];
  globalVars?: Record<string, string>;
  conditions?: readonly Condition[];
  /** Hooks that KubeFlex reports as applied. */
  applied?: readonly string[];
  label?: 'its' | 'wds';
  deleting?: boolean;
  spec?: ControlPlane['spec'];
}

export function controlPlane(name: string, options: ControlPlaneOptions = {}): ControlPlane {
  const {
    type = 'host',
    hooks = [],
    globalVars = {},
    applied = [],
    label,
    deleting,
    spec,
  } = options;
  return {
    apiVersion: 'tenancy.kflex.kubestellar.org/v1alpha1',
    kind: 'ControlPlane',
    metadata: {
      name,
      uid: `uid-of-${name}`,
      creationTimestamp: '2026-11-20T07:59:00Z',
      finalizers: ['kflex.kubestellar.org/finalizer'],
      ...(label === undefined ? {} : { labels: { 'kflex.kubestellar.io/cptype': label } }),
      ...(deleting ? { deletionTimestamp: '2026-11-20T07:59:30Z' } : {}),
    },
    spec: { type, postCreateHooks: hooks, globalVars, waitForPostCreateHooks: true, ...spec },
    status: {
      conditions: [...(options.conditions ?? [conditions.synced, conditions.waitingForHooks])],
      postCreateHooks: Object.fromEntries(applied.map((hook) => [hook, true])),
    },
  };
}

const itsHooks: HookUse[] = [{ hookName: 'its-hub-init' }, { hookName: 'install-status-addon' }];
const wdsHooks: HookUse[] = [
  { hookName: 'kubestellar-controller' },
  { hookName: 'transport-controller' },
];

export const its = (name: string, options: ControlPlaneOptions = {}): ControlPlane =>
  controlPlane(name, { hooks: itsHooks, ...options });
/** A WDS; `itsName` in the spelling of the chart. */
export const wds = (name: string, itsName = '', options: ControlPlaneOptions = {}): ControlPlane =>
  controlPlane(name, {
    hooks: wdsHooks,
    globalVars: { ControlPlaneName: name, ITSName: itsName },
    ...options,
  });

export const job = (
  name: string,
  state: 'running' | 'complete' | 'failed' = 'running',
  tries = 2,
): Job => ({
  metadata: { name, uid: `uid-of-${name}` },
  status:
    state === 'complete'
      ? { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }
      : state === 'failed'
        ? {
            failed: tries,
            conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }],
          }
        : { active: 1 },
});

export const deployment = (name: string, isReady = true): Deployment => ({
  metadata: { name },
  spec: { replicas: 1 },
  status: isReady ? { readyReplicas: 1, updatedReplicas: 1 } : {},
});

export const statefulSet = (name: string, isReady = true): StatefulSet => ({
  metadata: { name },
  spec: { replicas: 1 },
  status: isReady ? { readyReplicas: 1 } : {},
});

export interface PodOptions {
  namespace?: string;
  phase?: string;
  init?: boolean;
  waiting?: { reason: string; message?: string };
  runningSince?: string;
  exitCode?: number;
  lastExitCode?: number;
  restarts?: number;
  ready?: boolean;
  /** Why it has no node. */
  unschedulable?: string;
  deleting?: boolean;
}

/** A pod of one container, whose image is `example.com/NAME:1`. */
export function pod(name: string, options: PodOptions = {}): Pod {
  const {
    init = false,
    waiting,
    runningSince,
    exitCode,
    lastExitCode,
    restarts = 0,
    ready = false,
    unschedulable,
  } = options;
  const status = {
    name: 'main',
    ready,
    restartCount: restarts,
    state: {
      ...(waiting === undefined ? {} : { waiting }),
      ...(runningSince === undefined ? {} : { running: { startedAt: runningSince } }),
      ...(exitCode === undefined ? {} : { terminated: { exitCode } }),
    },
    ...(lastExitCode === undefined
      ? {}
      : { lastState: { terminated: { exitCode: lastExitCode } } }),
  };
  const spec = [{ name: 'main', image: `example.com/${name}:1` }];
  return {
    metadata: {
      name,
      namespace: options.namespace ?? 'its1-system',
      ...(options.deleting ? { deletionTimestamp: '2026-11-20T07:59:30Z' } : {}),
    },
    spec: init ? { initContainers: spec } : { containers: spec },
    status: {
      phase: options.phase ?? 'Pending',
      conditions: [
        ...(ready ? [{ type: 'Ready', status: 'True' } as const] : []),
        ...(unschedulable === undefined
          ? []
          : [
              {
                type: 'PodScheduled',
                status: 'False',
                reason: 'Unschedulable',
                message: unschedulable,
              } as const,
            ]),
      ],
      ...(init ? { initContainerStatuses: [status] } : { containerStatuses: [status] }),
    },
  };
}

export const evidence = (
  plane: ControlPlane,
  seen: Partial<SpaceEvidence> = {},
): SpaceEvidence => ({
  name: plane.metadata.name,
  role: 'its',
  type: plane.spec?.type ?? 'k8s',
  hosting: hostingCluster.context,
  controlPlane: plane,
  jobs: [],
  deployments: [],
  statefulSets: [],
  pods: [],
  forbidden: new Set(),
  manager: undefined,
  now,
  ...seen,
});

/** The inside of an ITS, complete by default. */
export const itsInside = (inside: Partial<ItsInside> = {}): Access<ItsInside> =>
  seen({
    context: 'its1',
    now,
    hubServed: true,
    workStatusServed: true,
    hasStatusAddon: true,
    hasBootstrapAccount: true,
    clusterInfo: {
      server: 'https://kubeflex-control-plane:31234',
      certificateAuthority: undefined,
    },
    webhook: { state: 'answers' },
    hubPods: [pod('cluster-manager-1', { namespace: 'open-cluster-management-hub', ready: true })],
    forbidden: new Set(),
    ...inside,
  });

export const wdsInside = (inside: Partial<WdsInside> = {}): Access<WdsInside> =>
  seen({
    missingCrds: [],
    its: { name: 'its1', isReady: true, workStatusServed: true, propertiesNamespace: true },
    itsProblem: undefined,
    forbidden: new Set(),
    ...inside,
  });

export const space = <Inside>(evidence: SpaceEvidence, inside: Access<Inside>): Space<Inside> => ({
  ...evidence,
  inside,
});

/** The transport's hook of the charts: 0.30 gives it a selector and a name, 0.29 runs a script. */
export function transportHook(version: '0.29' | '0.30'): PostCreateHook {
  const init =
    version === '0.30'
      ? {
          name: 'get-its-kubeconfig',
          args: [
            '--control-plane-label-selector',
            'kflex.kubestellar.io/cptype=its',
            '--control-plane-name',
            '{{.ITSName}}',
            '--output-file',
            '/etc/kube/its/kubeconfig',
          ],
        }
      : {
          name: 'setup-its-kubeconfig',
          command: ['bin/sh', '-c', "sh get-kubeconfig.sh '{{.ITSName}}' true true"],
        };
  return {
    metadata: { name: 'transport-controller', labels: { 'kflex.kubestellar.io/cptype': 'wds' } },
    spec: {
      templates: [
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRole',
          metadata: { name: '{{.ControlPlaneName}}-t' },
        },
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'transport-controller' },
          spec: { replicas: 1, template: { spec: { initContainers: [init] } } },
        } as KubeObject,
      ],
    },
  };
}

/** The two Deployments of a WDS, as KubeFlex 0.9.3 creates them from the hooks of 0.30. */
export function wdsDeployments(itsName: string, { selector = true } = {}): Deployment[] {
  const selecting = selector
    ? ['--control-plane-label-selector', 'kflex.kubestellar.io/cptype=its']
    : [];
  const init = {
    name: 'get-its-kubeconfig',
    args: [...selecting, '--control-plane-name', itsName],
  };
  const manager = {
    name: 'manager',
    args: ['--wds-name=wds1', `--its-name=${itsName}`, '--api-groups='],
  };
  return [
    {
      ...deployment('transport-controller'),
      spec: { replicas: 1, template: { spec: { initContainers: [init] } } },
    },
    {
      ...deployment('kubestellar-controller-manager'),
      spec: {
        replicas: 1,
        template: { spec: { containers: [{ name: 'kube-rbac-proxy' }, manager] } },
      },
    },
  ];
}

/** A cluster in memory: reads its objects, and records writes as `verb Kind name`. */
export class MemoryCluster {
  readonly objects: (KubeObject & { kind?: string })[];
  readonly writes: string[] = [];
  readonly bodies: unknown[] = [];
  readonly kube: Kube;
  /** Kinds, by plural, without read permission. */
  readonly forbidden = new Set<string>();

  constructor(objects: readonly (KubeObject | undefined)[] = [], kube: FakeMethods = {}) {
    this.objects = objects.filter((object) => object !== undefined);
    const note = (verb: string, kind: string, name: string, body?: unknown) => {
      this.writes.push(`${verb} ${kind} ${name}`.trimEnd());
      this.bodies.push(body);
    };
    const matching = ({ kind, plural }: Resource, namespace?: string) => {
      if (this.forbidden.has(plural))
        throw apiError(hostingCluster, 403, `{"message":"${plural} is forbidden"}`);
      return this.objects.filter(
        (object) =>
          object.kind === kind &&
          (object.metadata.namespace === undefined || object.metadata.namespace === namespace),
      );
    };
    this.kube = fakeKube({
      cluster: hostingCluster,
      get: async (resource, name, { namespace } = {}) =>
        matching(resource, namespace).find(({ metadata }) => metadata.name === name),
      list: async (resource, { namespace } = {}) => {
        if (namespace !== undefined) return matching(resource, namespace) as never;
        const spaces = new Set(this.objects.map(({ metadata }) => metadata.namespace));
        // Also where there is no object, or none of a namespace: the kind may be forbidden.
        const found = [undefined, ...spaces].flatMap((each) => matching(resource, each));
        return this.objects.filter((object) => found.includes(object)) as never;
      },
      read: async (path) =>
        /^\/apis?$/.test(path) ? { items: [] } : { resources: [{ name: 'controlplanes' }] },
      mayI: async () => true,
      tryCreate: async () => {},
      apply: async (object) => {
        note('apply', object.kind ?? '', object.metadata.name, object);
        return 'created';
      },
      merge: async ({ kind }, name, patch, { subresource } = {}) => {
        note('merge', subresource === undefined ? kind : `${kind}/${subresource}`, name, patch);
        return {};
      },
      create: async ({ kind }, body, { name = '', subresource } = {}) => {
        note('create', `${kind}${subresource ? `/${subresource}` : ''}`, name, body);
        return { ...(body as object), status: { token: 'minted-token' } };
      },
      delete: async (resource, { metadata: { name, namespace, uid } }) => {
        const present = matching(resource, namespace).find(
          ({ metadata }) => metadata.name === name,
        );
        note('delete', resource.kind, name, uid);
        if (present !== undefined) this.objects.splice(this.objects.indexOf(present), 1);
        return present !== undefined;
      },
      logTail: async () => [],
      fork: () => this.kube,
      ...kube,
    });
  }
}

/** A hosting cluster whose WDSes have no Bindings: as far as a restart of their controllers needs it. */
export function restartable(objects: readonly KubeObject[], kube: FakeMethods = {}): MemoryCluster {
  const cluster: MemoryCluster = new MemoryCluster(objects, {
    review: async () => ({}),
    merge: async ({ kind }, name, patch) => {
      cluster.writes.push(`merge ${kind} ${name}`);
      cluster.bodies.push(patch);
      const { spec } = patch as Deployment;
      const found = cluster.objects.find(
        (object) => object.kind === kind && object.metadata.name === name,
      );
      if (spec?.replicas !== undefined) Object.assign(found ?? {}, { spec });
      return {};
    },
    ...kube,
  });
  return cluster;
}

/** The writes of a restart there, of controllers that have no pods. */
export const restartWrites = (name: string) => [
  'create Lease',
  ...Array<string[]>(2)
    .fill([`merge ControlPlane ${name}`, 'merge Deployment transport-controller'])
    .flat(),
  `merge ControlPlane ${name}`,
  'delete Lease stellarctl',
];

export const kindOf = <T extends KubeObject>(kind: string, object: T): T => ({ ...object, kind });

/** An object of a kind in a space's namespace. */
export const inSpace = <T extends KubeObject>(kind: string, space: string, object: T): T => ({
  ...object,
  kind,
  metadata: { ...object.metadata, namespace: namespaceOf(space) },
});

const noted = (of: string, hosting: string | undefined) => ({
  'controlplane-name': of,
  ...(hosting === undefined ? {} : { 'hosting-cluster-ctx-name': hosting }),
});

export const kubeconfigOf = (
  contexts: Record<string, { cluster: string; user: string; of?: string; hosting?: string }>,
  currentContext?: string,
): Kubeconfig => ({
  files: ['config'],
  currentContext,
  contexts: new Map(
    Object.entries(contexts).map(([name, { cluster, user, of, hosting }]) => [
      name,
      {
        cluster,
        user,
        ...(of === undefined
          ? {}
          : { extensions: [{ name: 'kubeflex', extension: { data: noted(of, hosting) } }] }),
      },
    ]),
  ),
  clusters: new Map(
    Object.values(contexts).map(({ cluster }) => [
      cluster,
      { server: `https://${cluster}.example.com:6443` },
    ]),
  ),
  users: new Map(Object.values(contexts).map(({ user }) => [user, { token: `token-of-${user}` }])),
  extensions: new Map(),
});

/** A Secret of a space with its kubeconfig. */
export const kubeconfigSecret = (
  space: string,
  cluster: object,
  user: object,
  name = 'admin-kubeconfig',
  key = 'kubeconfig',
): KubeObject =>
  inSpace('Secret', space, {
    metadata: { name },
    data: { [key]: base64(JSON.stringify(oneContext(cluster, user))) },
  } as KubeObject);

/** The same for a space at `https://SERVER.example.com:6443`. */
export const secretAt = (space: string, server = space) =>
  kubeconfigSecret(space, { server: `https://${server}.example.com:6443` }, { token: 't' });

/** The tools of a dry run on a hosting cluster, which is also what they connect to. */
export const toolsOf = (hosting: Kube, tools: Partial<SpaceTools> = {}): SpaceTools => ({
  hosting,
  hostingContext: {
    name: hostingCluster.context,
    server: hostingCluster.server,
    cluster: {},
    user: {},
  },
  hostingSource: '--hosting-context',
  kubeconfig: kubeconfigOf({}),
  target: { file: '/no/such/kubeconfig', env: {}, dryRun: true },
  connect: () => hosting,
  ...tools,
});

export const soon = (timeoutMs = 2000): Run => ({
  progress: silentProgress,
  deadline: new Deadline(timeoutMs),
  signal: new AbortController().signal,
});

/** Ends pauses between two reads at once. @returns a function that restores them */
export function waitForNothing(): () => void {
  const { mock: replaced } = mock.method(
    timers,
    'setTimeout',
    async (_ms: number, _value: unknown, { signal }: { signal?: AbortSignal } = {}) => {
      await timers.setImmediate();
      signal?.throwIfAborted();
    },
  );
  syncBuiltinESMExports();
  return () => {
    replaced.restore();
    syncBuiltinESMExports();
  };
}
