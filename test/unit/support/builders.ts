import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Deadline } from '../../../src/lib/core/deadline.ts';
import { noteWrite } from '../../../src/lib/core/each-name.ts';
import { type Progress, type Run, silentProgress } from '../../../src/lib/core/run.ts';
import { noForecast } from '../../../src/lib/forecast/read-forecast.ts';
import type { Kube } from '../../../src/lib/kube/client/client.ts';
import { foreseen } from '../../../src/lib/kube/client/foreseen.ts';
import { missing } from '../../../src/lib/kube/client/missing.ts';
import type {
  CertificateSigningRequest,
  Condition,
  KubeObject,
  Lease,
  Pod,
} from '../../../src/lib/kube/client/objects.ts';
import type { Proven } from '../../../src/lib/kube/served.ts';
import type { WecEvidence } from '../../../src/lib/ocm/agent/wec-evidence.ts';
import type { HubEvidence } from '../../../src/lib/ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../../src/lib/ocm/hub/registration-requests.ts';
import type { Klusterlet, ManagedCluster } from '../../../src/lib/ocm/model/ocm-objects.ts';
import type { InspectedWec } from '../../../src/lib/wecs/deregister/inspect-wec.ts';
import type { HubState } from '../../../src/lib/wecs/deregister/leftovers.ts';

/** The current time in the tests. */
export const now = Date.parse('2026-11-20T08:00:00Z');
export const secondsAgo = (seconds: number) => new Date(now - seconds * 1000).toISOString();

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Sorted by name. */
const keys = new Map<string, ReturnType<typeof makeKeys>>();
const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** A relative distinguished name: attributes by short name or OID, as `{ CN: ['x'] }`. */
export type Subject = Record<string, string[]>[];

/** A real PKCS#10 request, PEM. */
export async function pkcs10(subject: Subject, key = 'own'): Promise<string> {
  // Loaded only by the tests that need it, to keep the whole run fast.
  await import('reflect-metadata');
  const { Name, Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const pair = keys.get(key) ?? makeKeys();
  keys.set(key, pair);
  const name = new Name(
    subject.map((rdn) =>
      Object.fromEntries(
        Object.entries(rdn).map(([type, values]) => [
          type,
          values.map((value) => ({ utf8String: value })),
        ]),
      ),
    ),
  );
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: name.toJSON(),
    keys: await pair,
    signingAlgorithm: algorithm,
  });
  return `${request.toString('pem')}\n`;
}

const identity = 'system:open-cluster-management';

/**
 * Key and certificate of a WEC's agent, as its hub-kubeconfig-secret holds them: PEM, base64. Self-signed: the certificate is also
 * that of its authority.
 * @param left seconds until it expires, by the clocks of the clusters
 */
export async function agentKeyPair(
  cluster: string,
  agent: string,
  left?: number,
): Promise<{ 'tls.crt': string; 'tls.key': string }> {
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const pair = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `O=${identity}:${cluster}, CN=${identity}:${cluster}:${agent}`,
    keys: pair,
    signingAlgorithm: algorithm,
    ...(left === undefined ? {} : { notBefore: new Date(now - 86_400_000) }),
    notAfter: new Date(left === undefined ? Date.now() + 3_600_000 : now + left * 1000),
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).toString(
    'base64',
  );
  const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { 'tls.crt': base64(certificate.toString('pem')), 'tls.key': base64(pem) };
}

/** The subject that the agent of a WEC requests. */
export const agentSubject = (cluster: string, agent: string): Subject => [
  { O: [`${identity}:${cluster}`, `${identity}:managed-clusters`] },
  { CN: [`${identity}:${cluster}:${agent}`] },
];

export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A token with these claims, unsigned. */
export const tokenWith = (claims: object) =>
  ['{}', JSON.stringify(claims), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

export interface CsrOptions {
  cluster?: string;
  agent?: string;
  name?: string;
  subject?: Subject;
  /** The key of the request; the same for all by default. */
  key?: string;
  /** Replaces the real request. */
  pem?: string;
  labels?: Record<string, string>;
  username?: string;
  groups?: string[];
  signerName?: string;
  usages?: string[];
  /** Its age, in seconds. */
  age?: number;
  state?: 'pending' | 'approved' | 'issued' | 'denied' | 'failed';
  /** The age of the decision, in seconds. */
  decidedAgo?: number;
}

export const bootstrapUser = {
  username: 'system:serviceaccount:open-cluster-management:agent-registration-bootstrap',
  groups: [
    'system:serviceaccounts',
    'system:serviceaccounts:open-cluster-management',
    'system:authenticated',
  ],
};

/** A registration request, as the agent of a WEC sends it, from live/joined-objects. */
export async function csr(options: CsrOptions = {}): Promise<CertificateSigningRequest> {
  const {
    cluster = 'cluster1',
    agent = 'agent-a',
    state = 'pending',
    age = 10,
    decidedAgo = 5,
  } = options;
  const pem =
    options.pem ?? (await pkcs10(options.subject ?? agentSubject(cluster, agent), options.key));
  const condition = (type: 'Approved' | 'Denied' | 'Failed') => ({
    type,
    status: 'True' as const,
    lastUpdateTime: secondsAgo(decidedAgo),
    lastTransitionTime: secondsAgo(decidedAgo),
  });
  const conditions = {
    pending: [],
    approved: [condition('Approved')],
    issued: [condition('Approved')],
    denied: [condition('Denied')],
    failed: [condition('Approved'), condition('Failed')],
  }[state];
  return {
    metadata: {
      name: options.name ?? `${cluster}-${agent}`,
      creationTimestamp: secondsAgo(age),
      resourceVersion: '1',
      labels: options.labels ?? { 'open-cluster-management.io/cluster-name': cluster },
    },
    spec: {
      request: Buffer.from(pem, 'latin1').toString('base64'),
      signerName: options.signerName ?? 'kubernetes.io/kube-apiserver-client',
      usages: options.usages ?? ['digital signature', 'key encipherment', 'client auth'],
      username: options.username ?? bootstrapUser.username,
      groups: options.groups ?? bootstrapUser.groups,
    },
    status: { conditions, ...(state === 'issued' ? { certificate: 'LS0t' } : {}) },
  };
}

export async function request(options: CsrOptions = {}): Promise<RegistrationRequest> {
  const made = await csr(options);
  const { judgeRequest } = await import('../../../src/lib/ocm/hub/registration-requests.ts');
  return judgeRequest(made);
}

const accepted: Condition = {
  type: 'HubAcceptedManagedCluster',
  status: 'True',
  reason: 'HubClusterAdminAccepted',
  message: 'Accepted by hub cluster admin',
};
const joined: Condition = {
  type: 'ManagedClusterJoined',
  status: 'True',
  reason: 'ManagedClusterJoined',
  message: 'Managed cluster joined',
};
const availableBy: Record<'yes' | 'no' | 'unknown', Condition> = {
  yes: {
    type: 'ManagedClusterConditionAvailable',
    status: 'True',
    reason: 'ManagedClusterAvailable',
    message: 'Managed cluster is available',
  },
  no: {
    type: 'ManagedClusterConditionAvailable',
    status: 'False',
    reason: 'ManagedClusterKubeAPIServerUnavailable',
    message: 'The kube-apiserver is not ok, status code: 500',
  },
  unknown: {
    type: 'ManagedClusterConditionAvailable',
    status: 'Unknown',
    reason: 'ManagedClusterLeaseUpdateStopped',
    message: 'Registration agent stopped updating its lease.',
    lastTransitionTime: secondsAgo(60),
  },
};

export interface ManagedClusterOptions {
  name?: string;
  /** spec.hubAcceptsClient */
  accepts?: boolean;
  /** The hub's condition about it. */
  accepted?: boolean;
  joined?: boolean;
  available?: 'yes' | 'no' | 'unknown';
  clockSynced?: boolean;
  labels?: Record<string, string>;
  deleting?: boolean;
}

export function managedCluster(options: ManagedClusterOptions = {}): ManagedCluster {
  const { name = 'cluster1', available, clockSynced } = options;
  const clock: Condition | undefined =
    clockSynced === undefined
      ? undefined
      : {
          type: 'ManagedClusterConditionClockSynced',
          status: clockSynced ? 'True' : 'False',
          reason: clockSynced ? 'ManagedClusterClockSynced' : 'ManagedClusterClockOutOfSync',
        };
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: {
      name,
      resourceVersion: '7',
      creationTimestamp: secondsAgo(3600),
      labels: options.labels ?? {},
      ...(options.deleting ? { deletionTimestamp: secondsAgo(5) } : {}),
    },
    spec: {
      hubAcceptsClient: options.accepts ?? options.accepted ?? false,
      leaseDurationSeconds: 60,
    },
    status: {
      // A test may change them.
      conditions: structuredClone([
        ...(options.accepted ? [accepted] : []),
        ...(options.joined ? [joined] : []),
        ...(available === undefined ? [] : [availableBy[available]]),
        ...(clock === undefined ? [] : [clock]),
      ]),
    },
  };
}

export const joinedCluster = (options: ManagedClusterOptions = {}): ManagedCluster =>
  managedCluster({ accepted: true, joined: true, available: 'yes', clockSynced: true, ...options });

export const lease = (age: number): Lease => ({
  metadata: { name: 'managed-cluster-lease', namespace: 'cluster1' },
  spec: { renewTime: secondsAgo(age) },
});

export const hubEvidence = (evidence: Partial<HubEvidence> = {}): HubEvidence => ({
  name: 'cluster1',
  managedCluster: undefined,
  requests: [],
  lease: undefined,
  ...evidence,
});

const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures/klusterlet-conditions.json'), 'utf8'),
) as { usual: Condition[]; situations: Record<string, Condition[]> };

/** The Klusterlet's conditions from the real operator in a recorded situation. */
export const recordedConditions: Record<string, Condition[]> = Object.fromEntries(
  Object.entries(recorded.situations).map(([situation, own]) => [
    situation,
    [...own, ...recorded.usual.filter(({ type }) => !own.some((each) => each.type === type))],
  ]),
);

export function klusterlet(
  situation: string | Condition[] = 'join-singleton',
  mode: 'Singleton' | 'Default' = 'Singleton',
): Klusterlet {
  const conditions = typeof situation === 'string' ? recordedConditions[situation] : situation;
  if (conditions === undefined) throw new Error(`nothing was recorded as ${situation}`);
  return {
    metadata: { name: 'klusterlet', uid: 'agent-a' },
    spec: { clusterName: 'cluster1', deployOption: { mode } },
    status: { conditions },
  };
}

const secret = (name: string) => ({
  metadata: { name, namespace: 'open-cluster-management-agent' },
  data: {},
});

/** A pod of a WEC's operator or agents, running by default. */
export const wecPod = (
  app: string,
  status: NonNullable<Pod['status']>['containerStatuses'] = [{ name: app, state: { running: {} } }],
): Pod => ({
  metadata: {
    name: `${app}-1`,
    uid: `uid-of-${app}-1`,
    namespace: app === 'klusterlet' ? 'open-cluster-management' : 'open-cluster-management-agent',
    creationTimestamp: secondsAgo(3000),
    labels: { app },
  },
  status: { phase: 'Running', containerStatuses: status },
});

/** Those of both modes, so a test only removes one. */
const agentPods = ['klusterlet', 'klusterlet-agent', 'klusterlet-registration-agent'].map((app) =>
  wecPod(app),
);

/** The WEC's side in a recorded situation. */
export function wecEvidence(
  situation: string | Condition[],
  evidence: Partial<WecEvidence> = {},
): WecEvidence {
  return {
    context: 'cluster1',
    klusterlet: klusterlet(situation),
    bootstrapSecret: secret('bootstrap-hub-kubeconfig'),
    hubSecret: undefined,
    operator: {
      metadata: { name: 'klusterlet' },
      status: { conditions: [{ type: 'Available', status: 'True' }] },
    },
    pods: agentPods,
    ...evidence,
  };
}

export const hubSecret = secret('hub-kubeconfig-secret');

type Answering = 'get' | 'list' | 'read' | 'review' | 'create' | 'merge' | 'replace';
/** Methods of a client; those that return what a server answers may return anything. */
export type FakeMethods = Partial<Omit<Kube, Answering>> & {
  [Name in Answering]?: (...given: Parameters<Kube[Name]>) => Promise<unknown>;
};

/** A write that is noted as a client does it. */
const noted =
  (write: (...given: unknown[]) => Promise<unknown>) =>
  async (...given: unknown[]) => {
    const answer = await write(...given);
    if (answer !== false && answer !== 'unchanged') noteWrite();
    return answer;
  };

/** A client whose methods fail unless they are given. A list that is undefined is missing. */
export function fakeKube(methods: FakeMethods = {}): Kube {
  const unexpected = (method: string) => async () => {
    throw new Error(`${method} was not expected`);
  };
  const reading = [
    'get',
    'list',
    'read',
    'logTail',
    'mayI',
    'review',
    'tryCreate',
    'tryMerge',
    'fork',
  ] as const;
  const { list } = methods;
  const names = [...reading, 'create', 'apply', 'merge', 'replace', 'delete'] as const;
  const failing = Object.fromEntries(names.map((name) => [name, unexpected(name)]));
  const noting = (['create', 'apply', 'merge', 'replace', 'delete'] as const).flatMap((name) => {
    const write = methods[name];
    return write === undefined ? [] : [[name, noted(write as Parameters<typeof noted>[0])]];
  });
  return {
    cluster: { context: 'its1', server: 'https://its1.example.com:6443' },
    dryRun: false,
    now: () => now,
    validities: () => [],
    pause: async () => {},
    close() {},
    ...failing,
    ...methods,
    ...(list && { list: async (...given) => (await list(...given)) ?? missing }),
    ...Object.fromEntries(noting),
  } as Kube;
}

/** Progress that records its calls, as `method subject text`. */
export function recordingProgress(): Progress & { lines: string[] } {
  const lines: string[] = [];
  const record =
    (method: string) =>
    (...words: unknown[]) => {
      lines.push([method, ...words.filter((word) => typeof word === 'string')].join(' '));
    };
  return {
    lines,
    note: record('note'),
    changed: record('changed'),
    reached: record('reached'),
    waiting: record('waiting'),
    done: record('done'),
    failed: record('failed'),
    relay: () => ({ write: record('relay'), end() {} }),
  };
}

export const run = (timeoutMs = 5000, progress: Progress = silentProgress): Run => ({
  progress,
  deadline: new Deadline(timeoutMs),
  signal: new AbortController().signal,
});

/** What was read of an object, for tests: outside of them only src/lib/kube says that an object is missing. */
export const proof = <T extends KubeObject>(object?: T): Proven<T> => ({ object }) as Proven<T>;

/** The same client, which lists the ManagedCluster and the Namespace that it gets. */
export const listsWhatItGets = (kube: Kube): Kube => ({
  ...kube,
  list: async (resource, selection) =>
    ['ManagedCluster', 'Namespace'].includes(resource.kind)
      ? ([(await kube.get(resource, 'wec1')) ?? []].flat() as never)
      : kube.list(resource, selection),
});

/** What an ITS holds of a WEC that has joined. */
export const hubState = (more: Partial<HubState> = {}): HubState => ({
  name: 'cluster1',
  managedCluster: proof(joinedCluster()),
  works: [],
  addonWorks: [],
  addons: [],
  namespace: proof(),
  properties: proof(),
  requests: [],
  lease: lease(10),
  reread: async () => hubState(more),
  ...more,
});

/** A WEC before it is deregistered, of whose cluster nothing is known. */
export const inspectedWec = (more: Partial<InspectedWec> = {}): InspectedWec => ({
  name: 'cluster1',
  hubState: hubState(),
  policies: { policies: [], unread: [] },
  record: undefined,
  agentDead: undefined,
  interrupted: undefined,
  effects: noForecast,
  ...more,
});

/** A client that may write everything, as after a forecast. */
export const foreseenKube = (kube: Kube) => foreseen(kube, noForecast);
