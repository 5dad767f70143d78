import { StellarError } from '../core/errors.ts';
import { waitWhile } from '../core/follow.ts';
import type { Run } from '../core/run.ts';
import type { Kube, Permission } from '../kube/client/client.ts';
import { ApiError, describeCluster } from '../kube/client/errors.ts';
import { type KubeObject, type PlainResource, resources } from '../kube/client/objects.ts';
import { may } from '../kube/permissions.ts';
import { listIfDefined, listIfServed, type Proven, provenIn } from '../kube/served.ts';
import { type Binding, objectsOf } from '../ocm/model/kubestellar-names.ts';

/**
 * The guard of a WDS is a ValidatingAdmissionPolicy that refuses to remove all objects from a Binding. KubeStellar's controller
 * manager does that whenever it starts (0.28 to 0.30, seen live), and its transport then deletes all workloads on all WECs. No
 * release of KubeStellar starts otherwise yet: with the first one that does, the guard and `policy prune` can go.
 */
const name = 'stellarctl-keep-workloads';

/** Names the generation of a Binding that may lose all its objects. */
export const pruneAnnotation = 'stellarctl.kubestellar.io/prune-generation';

const guardMessage = 'stellarctl keeps the workloads of this Binding';

/** The kinds of the policy and of its binding. Kubernetes has v1 since 1.30; 1.28 and 1.29 have v1beta1, off by default. */
export type Kinds = readonly [policy: PlainResource, binding: PlainResource];

export const betaKinds: Kinds = [
  resources.admissionPoliciesBeta,
  resources.admissionPolicyBindingsBeta,
];
const versions = [
  [resources.admissionPolicies, resources.admissionPolicyBindings] as const,
  betaKinds,
];

/** What an API server has of the guard. */
export interface Guard {
  /** Undefined if it serves no ValidatingAdmissionPolicies. */
  kinds?: Kinds;
  /** Its policy and the binding of that. */
  objects: Proven<KubeObject>[];
  /** Whether both are as `writeGuard` writes them. */
  isOn: boolean;
}

/** @throws StellarError `forbidden`, `unreachable`; `api-error` if a kind is served and its list is not found */
export async function readGuard(kube: Pick<Kube, 'cluster' | 'list' | 'read'>): Promise<Guard> {
  for (const kinds of versions) {
    const lists = await Promise.all(kinds.map((kind) => listIfServed(kube, kind)));
    const objects = lists.flatMap((all) => (all === undefined ? [] : [provenIn(all)(name)]));
    if (objects.length < kinds.length) continue;
    return {
      kinds,
      objects,
      isOn: specs.every((spec, index) => includes(specIn(objects[index]?.object), spec)),
    };
  }
  return { objects: [], isOn: false };
}

const specIn = (object: KubeObject | undefined): unknown =>
  (object as { spec?: unknown } | undefined)?.spec;

/** Whether a value has all fields of another one: the API server adds defaults. */
function includes(present: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return present === wanted;
  const fields = (present ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).every(([key, value]) => includes(fields[key], value));
}

const lists = (binding: string) => {
  const listsAny = ['clusterScope', 'namespaceScope'].map((scope) => {
    const field = `${binding}.spec.workload.${scope}`;
    return `has(${field}) && size(${field}) > 0`;
  });
  return `has(${binding}.spec) && has(${binding}.spec.workload) && (${listsAny.join(' || ')})`;
};

const isPruned = [
  'has(object.metadata.annotations)',
  `'${pruneAnnotation}' in object.metadata.annotations`,
  `object.metadata.annotations['${pruneAnnotation}'] == string(oldObject.metadata.generation)`,
].join(' && ');

/** The specs of the policy and of its binding. The status of Bindings is none of its business. */
const specs = [
  {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['control.kubestellar.io'],
          apiVersions: ['*'],
          operations: ['UPDATE'],
          resources: ['bindings'],
        },
      ],
    },
    validations: [
      {
        expression: `!(${lists('oldObject')}) || (${lists('object')}) || (${isPruned})`,
        message: `${guardMessage}; "stellarctl policy prune" removes them`,
      },
    ],
  },
  { policyName: name, validationActions: ['Deny'] },
] as const;

/** Writes the guard of a WDS, and waits until the API server applies it, if a Binding with objects can show that. */
export async function writeGuard(kube: Kube, kinds: Kinds, wds: string, run: Run): Promise<void> {
  for (const [index, { apiVersion, kind }] of kinds.entries())
    await kube.apply({ apiVersion, kind, metadata: { name }, spec: specs[index] } as KubeObject);
  const blocker = async () => {
    const bindings = (await listIfDefined<Binding>(kube, resources.bindings)) ?? [];
    const full = bindings.find((each) => objectsOf(each).length > 0);
    return full === undefined || (await refusesToEmpty(kube, full))
      ? undefined
      : 'it does not apply the guard yet';
  };
  const server = describeCluster(kube.cluster);
  await waitWhile(
    blocker,
    run,
    (why) => new StellarError('timeout', `${server} has the guard, but ${why}.`),
    wds,
  );
}

/** Tries to remove all objects of a Binding; nothing is stored. */
async function refusesToEmpty(kube: Kube, { metadata }: Binding) {
  try {
    const { name: binding, resourceVersion } = metadata;
    await kube.tryMerge(resources.bindings, binding, {
      metadata: { resourceVersion },
      spec: { workload: null },
    });
    return false;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.words.includes(guardMessage);
  }
}

/** Deletes the guard: first what refers to its policy. */
export async function deleteGuard(kube: Kube, { kinds, objects }: Guard): Promise<void> {
  for (const [index, kind] of [...(kinds?.entries() ?? [])].reverse()) {
    const present = objects[index]?.object;
    if (present !== undefined) await kube.delete(kind, present);
  }
}

/** Whether there is a guard, also one that differs, as that of another release. */
export const hasGuard = ({ objects }: Guard) => objects.some(({ object }) => object !== undefined);

/** What a user needs to change the guard. */
export const guardPermissions = (kinds: Kinds): Permission[] =>
  kinds.flatMap((kind) => ['get', 'create', 'patch', 'delete'].map((verb) => may(verb, kind)));
