import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import timers from 'node:timers/promises';
import { withChanges } from '../../../src/lib/core/changes.ts';
import { StellarError } from '../../../src/lib/core/errors.ts';
import type { Run } from '../../../src/lib/core/run.ts';
import type { Kube } from '../../../src/lib/kube/client/client.ts';
import type { Deployment, KubeObject, Pod } from '../../../src/lib/kube/client/objects.ts';
import type { ControlPlane, PostCreateHook } from '../../../src/lib/ocm/model/kubeflex-objects.ts';
import {
  type Binding,
  type BindingPolicy,
  type BoundObject,
  destinationsOf,
} from '../../../src/lib/ocm/model/kubestellar-names.ts';
import type { SpaceTools } from '../../../src/lib/spaces/hosting/hosting.ts';
import { selectsLabels } from '../../../src/lib/workloads/selection/label-selectors.ts';
import { fakeKube, run } from './builders.ts';
import { conditions, hostingCluster, its, toolsOf, wds } from './space-builders.ts';

const manager = 'kubestellar-controller-manager';
const transport = 'transport-controller';
const namespace = 'wds1-system';

/** What a start of the controller manager does, in milliseconds after it: facts/live/restart.md. */
interface Start {
  emptiesAfter: number;
  fillsAfter: number;
  /** The name of an object that it leaves out. */
  leavesOut?: string | undefined;
}

interface Options extends Partial<Start> {
  objects?: number;
  apiGroups?: string;
  /** Throws `interrupted` after this write. */
  interruptAt?: number;
  hooks?: readonly PostCreateHook[];
  /** The labels of the WECs. */
  clusters?: Record<string, Record<string, string>>;
}

/**
 * A hosting cluster, a WDS and its ITS in memory, with KubeStellar's two controllers and KubeFlex as far as a restart sees them. Time
 * passes only while the program waits.
 */
export class RestartWorld {
  readonly writes: string[] = [];
  readonly controlPlanes: ControlPlane[];
  readonly deployments = new Map<string, Deployment>();
  readonly pods: Pod[] = [];
  readonly hooks: readonly PostCreateHook[];
  policies: BindingPolicy[];
  objects: (KubeObject & { kind: string })[];
  readonly bindings = new Map<string, Binding>();
  /** UIDs of works by WEC, Binding and object. */
  readonly works = new Map<string, string>();
  start: Start;
  interruptAt: number | undefined;
  /** After so many writes, the program is killed: it writes nothing any more. */
  killedAt: number | undefined;
  unseen: string[] = [];
  denied: string[] = [];
  readonly clusters: Map<string, Record<string, string>>;
  /** Policies whose Bindings do not follow labels. */
  readonly stuck = new Set<string>();
  /** Whether the controller manager crashes. */
  crashes = false;
  #count = 0;
  #managerSince: number | undefined;
  #leavesOut: string | undefined;
  #managerStep: 'starting' | 'empty' | 'steady' = 'steady';
  readonly #clock: { ms: number };

  constructor(
    clock: { ms: number },
    {
      objects = 3,
      apiGroups = '',
      hooks = [],
      clusters = { cluster1: { env: 'prod' } },
      ...options
    }: Options = {},
  ) {
    this.#clock = clock;
    this.hooks = hooks;
    this.clusters = new Map(Object.entries(clusters));
    this.start = { emptiesAfter: 6_000, fillsAfter: 7_000, ...options };
    this.interruptAt = options.interruptAt;
    const uses = [
      { hookName: 'kubestellar-controller', vars: { APIGroups: apiGroups } },
      { hookName: 'transport-controller' },
    ];
    this.controlPlanes = [
      its('its1'),
      wds('wds1', '', { hooks: uses, conditions: [conditions.synced, conditions.ready] }),
    ];
    this.policies = ['shop', 'web'].map((name) => this.policy(name));
    this.objects = ['shop', 'web'].flatMap((app) =>
      Array.from({ length: objects }, (_, index) => this.object(app, `${app}-${index}`)),
    );
    for (const name of [manager, transport]) this.#addDeployment(name);
    this.#managerStep = 'steady';
    this.#clock.ms += 20_000;
    this.#tick();
  }

  policy(name: string): BindingPolicy {
    return {
      apiVersion: 'control.kubestellar.io/v1alpha1',
      kind: 'BindingPolicy',
      metadata: { name, uid: this.#uid() },
      spec: {
        clusterSelectors: [{ matchLabels: { env: 'prod' } }],
        downsync: [
          { resources: ['configmaps'], objectSelectors: [{ matchLabels: { app: name } }] },
        ],
      },
    };
  }

  object(app: string, name: string): KubeObject & { kind: string } {
    const metadata = {
      name,
      namespace: 'shop',
      uid: this.#uid(),
      resourceVersion: this.#uid(),
      labels: { app },
    };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  }

  get controlPlane(): ControlPlane {
    return this.controlPlanes.find(({ metadata }) => metadata.name === 'wds1') as ControlPlane;
  }

  get note(): string | undefined {
    return this.controlPlane.metadata.annotations?.['stellarctl.kubestellar.io/restart'];
  }

  replicas(name: string): number | undefined {
    return this.deployments.get(name)?.spec?.replicas;
  }

  /** Probes that are left. */
  get probes(): string[] {
    return [...this.policies, ...this.objects, ...this.bindings.values()].flatMap(({ metadata }) =>
      metadata.name.includes('probe') ? metadata.name : [],
    );
  }

  #addDeployment(name: string): void {
    this.deployments.set(name, {
      kind: 'Deployment',
      metadata: {
        name,
        namespace,
        uid: this.#uid(),
        generation: 1,
        creationTimestamp: this.#time(),
      },
      spec: { template: { spec: {} } },
    } as Deployment);
    this.#scale(name, 1);
  }

  /** Kills the pod of the controller manager, as a drain of its node does. */
  killManager(): void {
    this.#scale(manager, 0);
    this.#scale(manager, 1);
    this.#tick();
  }

  /** Another program scales the transport. */
  scaleTransport(replicas: number): void {
    this.#scale(transport, replicas);
  }

  tools(): SpaceTools {
    const [hosting, space, hub] = [this.#hosting(), this.#wds(), this.#its()];
    return toolsOf(hosting, { connect: ({ name }) => (name === 'its1' ? hub : space) });
  }

  run(timeoutMs = 600_000): Run {
    return run(timeoutMs);
  }

  #uid(): string {
    this.#count += 1;
    return String(this.#count).padStart(8, '0');
  }

  #now = (): number => Date.parse('2026-11-20T08:00:00Z') + this.#clock.ms;

  #time = (): string => new Date(Math.floor(this.#now() / 1000) * 1000).toISOString();

  #scale(name: string, replicas: number): void {
    const deployment = this.deployments.get(name);
    if (deployment === undefined) return;
    // Pods take a moment to end.
    if (replicas === 0) this.#clock.ms += 1_000;
    deployment.spec = { ...deployment.spec, replicas };
    deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1;
    deployment.status = {
      observedGeneration: deployment.metadata.generation,
      replicas,
      readyReplicas: replicas,
      updatedReplicas: replicas,
    };
    const others = this.pods.filter((pod) => !pod.metadata.name.startsWith(`${name}-`));
    this.pods.splice(0, this.pods.length, ...others);
    for (let index = 0; index < replicas; index += 1)
      this.pods.push({
        kind: 'Pod',
        metadata: {
          name: `${name}-${this.#uid()}`,
          namespace,
          uid: this.#uid(),
          creationTimestamp: this.#time(),
        },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      } as Pod);
    if (name !== manager) return;
    this.#managerSince = replicas === 0 ? undefined : this.#clock.ms;
    this.#managerStep = 'starting';
    this.#leavesOut = this.start.leavesOut;
  }

  /** KubeFlex, the controller manager and the transport do what is due. */
  #tick(): void {
    if (this.crashes)
      for (const pod of this.pods.filter(({ metadata }) => metadata.name.startsWith(manager)))
        Object.assign(pod.status ?? {}, {
          containerStatuses: [{ name: manager, restartCount: 1 }],
        });
    for (const hook of ['kubestellar-controller', 'transport-controller']) {
      const done = this.controlPlane.status?.postCreateHooks;
      const name = hook === 'transport-controller' ? transport : manager;
      if (done?.[hook] === null || done?.[hook] === undefined) {
        if (!this.deployments.has(name)) this.#addDeployment(name);
        this.controlPlane.status = {
          ...this.controlPlane.status,
          postCreateHooks: { ...done, [hook]: true },
        };
      }
    }
    this.#manage();
    if ((this.replicas(transport) ?? 0) > 0) this.#transport();
  }

  #manage(): void {
    if (this.#managerSince === undefined) return;
    const age = this.#clock.ms - this.#managerSince;
    if (this.#managerStep === 'starting' && age >= this.start.emptiesAfter) {
      for (const binding of this.bindings.values()) this.#bind(binding.metadata.name, []);
      this.#managerStep = 'empty';
    }
    if (this.#managerStep === 'empty' && age >= this.start.fillsAfter) this.#managerStep = 'steady';
    if (this.#managerStep !== 'steady') return;
    const names = new Set(this.policies.map(({ metadata }) => metadata.name));
    for (const name of this.bindings.keys()) if (!names.has(name)) this.bindings.delete(name);
    for (const policy of this.policies) {
      const { name, generation = 1 } = policy.metadata;
      const selected = this.#select(policy);
      const wecs = this.stuck.has(name) ? this.#boundTo(name) : this.#wecsOf(policy);
      // A probe that binds nothing yet has no Binding.
      const isBound = selected.length + wecs.length > 0 || this.bindings.has(name);
      if (isBound || !name.includes('probe')) this.#bind(name, selected, wecs);
      policy.status = { ...policy.status, observedGeneration: generation };
    }
  }

  #select({ spec = {} }: BindingPolicy): BoundObject[] {
    const [{ objectSelectors = [], objectNames = [] } = {}] = spec.downsync ?? [];
    const selected = this.objects.filter(
      ({ metadata: { name, labels } }) =>
        (name !== this.#leavesOut || this.start.leavesOut === undefined) &&
        (objectNames.includes(name) ||
          objectSelectors.some(({ matchLabels }) => matchLabels?.app === labels?.app)),
    );
    return selected.map(({ kind, metadata }) => ({
      ...(kind === 'ConfigMap' ? { group: '', version: 'v1', resource: 'configmaps' } : crd),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
      resourceVersion: metadata.resourceVersion ?? '',
    }));
  }

  #wecsOf({ spec: { clusterSelectors = [] } = {} }: BindingPolicy): string[] {
    return [...this.clusters].flatMap(([name, labels]) =>
      selectsLabels(clusterSelectors, labels) ? name : [],
    );
  }

  #boundTo(name: string): string[] {
    return destinationsOf(this.bindings.get(name));
  }

  #bind(name: string, objects: readonly BoundObject[], wecs = this.#boundTo(name)): void {
    const destinations = wecs.map((clusterId) => ({ clusterId }));
    const spec = {
      workload: objects.length === 0 ? {} : { namespaceScope: [...objects] },
      destinations,
    };
    const present = this.bindings.get(name);
    if (present !== undefined && JSON.stringify(present.spec) === JSON.stringify(spec)) return;
    const metadata = present?.metadata ?? { name, uid: this.#uid(), generation: 0 };
    const generation = (metadata.generation ?? 0) + 1;
    const status = present?.status ?? {};
    this.bindings.set(name, {
      kind: 'Binding',
      spec,
      status,
      metadata: { ...metadata, generation, resourceVersion: this.#uid() },
    });
  }

  #transport(): void {
    const wanted = new Set<string>();
    for (const { metadata, spec } of this.bindings.values())
      for (const { clusterId } of spec?.destinations ?? [])
        for (const { name } of spec?.workload?.namespaceScope ?? [])
          wanted.add(`${clusterId} ${metadata.name} ${name}`);
    for (const key of this.works.keys()) if (!wanted.has(key)) this.works.delete(key);
    for (const key of wanted) if (!this.works.has(key)) this.works.set(key, this.#uid());
    for (const binding of this.bindings.values())
      binding.status = { observedGeneration: binding.metadata.generation ?? 0 };
  }

  /** Before each write. */
  #requireAlive(): void {
    if (this.killedAt !== undefined && this.writes.length >= this.killedAt)
      throw new StellarError('unreachable', 'Killed.');
  }

  /** A write by the program; its effects are due at once. */
  #wrote(what: string): void {
    this.writes.push(what);
    this.#tick();
    if (this.writes.length === this.interruptAt)
      throw new StellarError('interrupted', 'Interrupted.');
  }

  #hosting(): Kube {
    const objects = (plural: string): KubeObject[] =>
      ({
        controlplanes: this.controlPlanes,
        deployments: [...this.deployments.values()],
        pods: this.pods,
        postcreatehooks: [...this.hooks],
      })[plural] ?? [];
    // The Lease of the run is no write to the WDS: it is tested in hosting/lease.test.ts.
    const hosting: Kube = fakeKube({
      close: () => {},
      cluster: hostingCluster,
      now: this.#now,
      fork: () => hosting,
      create: async (_, lease) => lease,
      read: async () => ({ resources: [{ name: 'controlplanes' }] }),
      review: async () => ({ status: { userInfo: { username: 'ann' } } }),
      mayI: async ({ verb, resource }) => !this.denied.includes(`${verb} ${resource}`),
      get: async ({ plural }, name, at = {}) => {
        this.#tick();
        const found = objects(plural).find(
          ({ metadata }) =>
            metadata.name === name && (metadata.namespace ?? at.namespace) === at.namespace,
        );
        return structuredClone(found);
      },
      list: async ({ plural }, at = {}) => {
        this.#tick();
        return structuredClone(
          objects(plural).filter(
            ({ metadata }) => (metadata.namespace ?? at.namespace) === at.namespace,
          ),
        );
      },
      merge: async ({ kind }, name, patch, { subresource } = {}) => {
        this.#requireAlive();
        this.#merge(kind, name, patch);
        this.#wrote(`merge ${kind}${subresource ? `/${subresource}` : ''} ${name}`);
        return structuredClone(this.controlPlane);
      },
      apply: async ({ kind, metadata }) => {
        this.#requireAlive();
        this.#wrote(`apply ${kind} ${metadata.name}`);
        return 'created';
      },
      delete: async ({ kind }, { metadata: { name } }) => {
        if (kind === 'Lease') return true;
        this.#requireAlive();
        if (kind === 'Deployment') this.#scale(name, 0);
        const isThere = kind === 'Deployment' && this.deployments.delete(name);
        this.#wrote(`delete ${kind} ${name}`);
        return isThere;
      },
    });
    return hosting;
  }

  #merge(kind: string, name: string, patch: object): void {
    const { metadata, spec, status } = patch as ControlPlane & Deployment;
    if (kind === 'Deployment') this.#scale(name, spec?.replicas ?? 1);
    if (kind !== 'ControlPlane') return;
    const { controlPlane } = this;
    const annotations = { ...controlPlane.metadata.annotations, ...metadata?.annotations };
    for (const [key, value] of Object.entries(annotations))
      if (value === null) delete annotations[key];
    controlPlane.metadata.annotations = annotations;
    if (spec !== undefined) controlPlane.spec = { ...controlPlane.spec, ...(spec as object) };
    const hooks = status?.postCreateHooks;
    if (hooks)
      controlPlane.status = {
        ...controlPlane.status,
        postCreateHooks: { ...controlPlane.status?.postCreateHooks, ...hooks },
      };
  }

  #wds(): Kube {
    const listed = (kind: string): KubeObject[] =>
      kind === 'Binding'
        ? [...this.bindings.values()]
        : kind === 'BindingPolicy'
          ? this.policies
          : this.objects.filter((object) => object.kind === kind);
    const groups = (path: string) =>
      path === '/api'
        ? [
            group(
              '',
              'v1',
              this.unseen,
              resource('namespaces', 'Namespace', 'Cluster'),
              resource('configmaps', 'ConfigMap'),
            ),
          ]
        : [group('metrics.k8s.io', 'v1beta1', this.unseen)];
    const space: Kube = fakeKube({
      cluster: { context: 'wds1', server: 'https://wds1' },
      fork: () => space,
      close: () => {},
      create: async ({ kind }, body) => {
        this.#requireAlive();
        const object = body as BindingPolicy;
        const metadata = { ...object.metadata, uid: this.#uid(), generation: 1 };
        if (kind === 'BindingPolicy') this.policies.push({ ...object, metadata });
        else this.objects.push({ ...object, kind, metadata });
        this.#wrote(`create ${kind} ${object.metadata.name}`);
        return object as never;
      },
      merge: async ({ kind }, name, patch) => {
        this.#requireAlive();
        const policy = this.policies.find(({ metadata }) => metadata.name === name);
        if (policy === undefined) throw new Error(`no ${kind} ${name}`);
        const spec = { ...policy.spec, ...(patch as BindingPolicy).spec };
        policy.spec = Object.fromEntries(
          Object.entries(spec).filter(([, value]) => value !== null),
        );
        policy.metadata.generation = (policy.metadata.generation ?? 1) + 1;
        this.#wrote(`merge ${kind} ${name}`);
        return structuredClone(policy) as never;
      },
      read: async (path) => ({ items: groups(path) }),
      mayI: async ({ verb, resource: plural }) => !this.denied.includes(`${verb} ${plural}`),
      get: async ({ kind }, name) => {
        this.#tick();
        if (kind === 'CustomResourceDefinition') return { metadata: { name }, status: established };
        return structuredClone(listed(kind).find(({ metadata }) => metadata.name === name));
      },
      list: async ({ kind }, { labelSelector = '' } = {}) => {
        this.#tick();
        const [key = '', value] = labelSelector.split('=');
        return structuredClone(
          listed(kind).filter(({ metadata }) => key === '' || metadata.labels?.[key] === value),
        );
      },
      apply: async (object) => {
        this.#requireAlive();
        const { kind = '', metadata } = object;
        const isNew = !listed(kind).some(({ metadata: { name } }) => name === metadata.name);
        const given = {
          ...metadata,
          uid: this.#uid(),
          resourceVersion: this.#uid(),
          generation: 1,
        };
        const created = { ...object, kind, metadata: given };
        if (isNew && kind === 'BindingPolicy') this.policies.push(created);
        else if (isNew) this.objects.push(created);
        this.#wrote(`apply ${kind} ${metadata.name}`);
        return isNew ? 'created' : 'unchanged';
      },
      delete: async ({ kind }, { metadata: { name } }) => {
        this.#requireAlive();
        if (kind === 'BindingPolicy')
          this.policies = this.policies.filter(({ metadata }) => metadata.name !== name);
        else this.objects = this.objects.filter(({ metadata }) => metadata.name !== name);
        this.#wrote(`delete ${kind} ${name}`);
        return true;
      },
    });
    return space;
  }

  #its(): Kube {
    const clusters = () =>
      [...this.clusters].map(([name, labels]) => ({
        kind: 'ManagedCluster',
        metadata: { name, labels, uid: name, resourceVersion: '1' },
      }));
    const hub: Kube = fakeKube({
      fork: () => hub,
      close: () => {},
      get: async ({ kind }, name) =>
        structuredClone(
          clusters().find((each) => each.kind === kind && each.metadata.name === name),
        ),
      merge: async ({ kind }, name, patch) => {
        this.#requireAlive();
        const { labels = {} } = (patch as ControlPlane).metadata;
        const merged = withChanges(this.clusters.get(name) ?? {}, labels);
        this.clusters.set(name, merged);
        this.#wrote(`merge ${kind} ${name}`);
        return { metadata: { name, labels: merged } } as never;
      },
      create: async ({ kind }, body) => {
        this.#requireAlive();
        const { name, labels = {} } = (body as KubeObject).metadata;
        this.clusters.set(name, labels);
        this.#wrote(`create ${kind} ${name}`);
        return body as never;
      },
      delete: async ({ kind }, { metadata: { name } }) => {
        this.#requireAlive();
        this.clusters.delete(name);
        this.#wrote(`delete ${kind} ${name}`);
        return true;
      },
      applyAs: async (manager, object) => {
        this.#requireAlive();
        const { name, labels } = object.metadata;
        this.#wrote(`apply ${object.kind} ${name} as ${manager}: ${JSON.stringify(labels)}`);
        return object;
      },
      list: async ({ kind }) => {
        this.#tick();
        if (kind === 'ManagedCluster') return clusters() as never;
        if (kind !== 'ManifestWork') return [];
        return [...this.works].map(([key, uid]) => {
          const [wec, binding = ''] = key.split(' ');
          const origin = { 'transport.kubestellar.io/originOwnerReferenceBindingKey': binding };
          return { kind, metadata: { name: uid, uid, namespace: wec, labels: origin } };
        });
      },
    });
    return hub;
  }
}

const crd = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
const established = { conditions: [{ type: 'Established', status: 'True' }] };

const resource = (plural: string, kind: string, scope = 'Namespaced') => ({
  resource: plural,
  responseKind: { kind },
  scope,
  verbs: ['list', 'watch'],
});

const group = (
  name: string,
  version: string,
  unseen: readonly string[],
  ...resources: object[]
) => ({
  metadata: { name },
  versions: [{ version, resources, ...(unseen.includes(name) ? { freshness: 'Stale' } : {}) }],
});

/** From now on, time passes only while the program waits. @returns the clock, and a function that lets real time pass again */
export function waitingTime(): { clock: { ms: number }; restore(): void } {
  const clock = { ms: 1_000_000 };
  const { uptime } = process;
  process.uptime = () => clock.ms / 1000;
  const { mock: replaced } = mock.method(timers, 'setTimeout', async (ms: number) => {
    await timers.setImmediate();
    clock.ms += Math.max(ms, 100);
  });
  syncBuiltinESMExports();
  return {
    clock,
    restore() {
      replaced.restore();
      syncBuiltinESMExports();
      process.uptime = uptime;
    },
  };
}
