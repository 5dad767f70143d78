import { command, run } from '../../core/next-step.ts';
import type { Condition, KubeObject } from '../../kube/client/objects.ts';
import { originBindingLabel, originWdsLabel } from './kubestellar-names.ts';
import { addonNameLabel } from './ocm-names.ts';

/** work.open-cluster-management.io/v1, limited to the fields that stellarctl reads. */
export interface ManifestWork extends KubeObject {
  spec?: {
    deleteOption?: { propagationPolicy?: string };
    workload?: {
      manifests?: {
        apiVersion?: string;
        kind?: string;
        metadata?: {
          name?: string;
          namespace?: string;
          deletionTimestamp?: string;
          annotations?: Record<string, string>;
        };
      }[];
    };
    manifestConfigs?: {
      resourceIdentifier?: { group?: string; resource?: string; name?: string; namespace?: string };
      updateStrategy?: { type?: string };
    }[];
  };
  status?: { conditions?: Condition[]; resourceStatus?: { manifests?: ManifestStatus[] } };
}

/** What the agent reports about one object of a work. */
export interface ManifestStatus {
  resourceMeta?: {
    /** Its index among the manifests of the work. */
    ordinal?: number;
    group?: string;
    version?: string;
    kind?: string;
    resource?: string;
    name?: string;
    namespace?: string;
  };
  conditions?: Condition[];
}

/**
 * Whether an object was being deleted in its WDS when the guard kept it in its Binding: the transport sends its deletionTimestamp
 * (kubestellar v0.30.0, cleanObject), and no WEC applies that. Nothing is wrong with the WEC, which has the object.
 */
export const isLeaving = (manifest: { metadata?: { deletionTimestamp?: string } } | undefined) =>
  manifest?.metadata?.deletionTimestamp !== undefined;

/** The finalizer that only a WEC's work agent removes, after it has removed what the work applied. */
export const workFinalizer = 'cluster.open-cluster-management.io/manifest-work-cleanup';

/** Whether its deletion leaves its objects on the WEC. */
export const isOrphan = ({ spec }: ManifestWork) =>
  spec?.deleteOption?.propagationPolicy === 'Orphan';

export function isAddonWork({ metadata }: ManifestWork): boolean {
  return metadata.labels?.[addonNameLabel] !== undefined || metadata.name.startsWith('addon-');
}

/** Whether a work was created by hand: no transport deletes or recreates it. */
export const isMadeByHand = ({ metadata }: ManifestWork) =>
  metadata.labels?.[originWdsLabel] === undefined;

/** Whether a finalizer keeps it until its agent, or --force, has removed that. */
export const isGuarded = ({ metadata }: ManifestWork) =>
  metadata.finalizers?.includes(workFinalizer) === true;

/** The WECs that works are for. */
export const wecNamesOf = (works: readonly ManifestWork[]) => [
  ...new Set(works.flatMap(({ metadata }) => metadata.namespace ?? [])),
];

/** The same, for people. */
export const wecsOf = (works: readonly ManifestWork[]) => wecNamesOf(works).join(', ');

/** Returns the objects in a work, for example `Deployment web/nginx`. */
export function objectsIn({ spec }: ManifestWork): string[] {
  return (spec?.workload?.manifests ?? []).map(
    ({ kind, metadata }) =>
      `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ''}${metadata?.name}`,
  );
}

/** Groups works by the binding policy that they come from, for example `nginx-policy (wds1)`. */
export function policiesOf(works: readonly ManifestWork[]): Map<string, ManifestWork[]> {
  const policies = new Map<string, ManifestWork[]>();
  for (const work of works) {
    const { [originBindingLabel]: policy, [originWdsLabel]: wds } = work.metadata.labels ?? {};
    const key = policy === undefined ? 'no binding policy' : `${policy} (${wds ?? 'unknown WDS'})`;
    policies.set(key, [...(policies.get(key) ?? []), work]);
  }
  return policies;
}

/**
 * Whether its agent lacks a right, in the words of every API server (k8s.io/apiserver, ForbiddenMessage). Admission, quotas and
 * namespaces that are being deleted forbid as well: only RBAC names a user.
 */
export const lacksRight = ({ conditions = [] }: ManifestStatus) =>
  conditions.some(
    ({ type, status, message = '' }) =>
      type === 'Applied' && status === 'False' && /is forbidden: User ".+" cannot /.test(message),
  );

/**
 * The finalizers of other programs that keep an object that is being deleted, each with the client that set it, as far as the
 * object records that: `example.com/hold (set by kubectl-edit)`.
 * @param isOwn whether the object's own controllers remove a finalizer
 */
export function foreignFinalizers(
  { metadata }: KubeObject,
  isOwn: (finalizer: string) => boolean,
): string[] {
  const { deletionTimestamp, finalizers = [], managedFields = [] } = metadata;
  if (deletionTimestamp === undefined) return [];
  const foreign = finalizers.filter((finalizer) => !isOwn(finalizer));
  return foreign.map((finalizer) => {
    const field = JSON.stringify(`v:"${finalizer}"`);
    const setBy = managedFields.find(({ fieldsV1 = {} }) =>
      JSON.stringify(fieldsV1).includes(field),
    )?.manager;
    return setBy === undefined ? finalizer : `${finalizer} (set by ${setBy})`;
  });
}

/** The same of a work: its agent removes only its own finalizer. */
export const holdersOf = (work: ManifestWork) =>
  foreignFinalizers(work, (finalizer) => finalizer === workFinalizer);

/** What helps against the finalizers of others on works. @param its the context of the ITS */
export const toSeeHolders = (works: readonly ManifestWork[], its: string) =>
  works
    .filter((work) => holdersOf(work).length > 0)
    .map((work) => toSeeHolder(its, 'manifestwork', work));

/** Only the owner of a finalizer knows what it protects. */
export const toSeeHolder = (
  context: string,
  kind: string,
  { metadata: { name, namespace } }: KubeObject,
) =>
  run(
    command`kubectl --context ${context} ${namespace === undefined ? [] : ['-n', namespace]} get ${kind} ${name} -o yaml --show-managed-fields`,
    'Its owner must remove it; see who set it',
  );
