import { isDeepStrictEqual } from 'node:util';
import { type ChangeResult, forName } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { untilMet } from '../../core/follow.ts';
import { command, run as nextStep, partial } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { met, waiting } from '../../core/stages.ts';
import { few } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  type ClusterRole,
  groupResourceOf,
  namesOf,
  type PolicyRule,
  resources,
  typeMeta,
} from '../../kube/client/objects.ts';
import { listServed, prove } from '../../kube/served.ts';
import { readWec, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { getManagedCluster } from '../../ocm/hub/find-wecs.ts';
import { hubEndpoints } from '../../ocm/hub/hub-access.ts';
import type { Its } from '../../ocm/hub/its.ts';
import { lacksRight, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { isOurs, managedBy, managedByLabel } from '../../ocm/model/ocm-names.ts';
import {
  type AppliedManifestWork,
  applyAgain,
  describeApplied,
} from '../../workloads/delivery/applied-works.ts';
import { distinct, failedKinds, type RuleKind, refusedKinds, ruleFor } from './granted-kinds.ts';
import { proveIdentity, requireProof } from './identity.ts';

/** What to grant to a WEC's work agent. */
export type WecToGrant = Awaited<ReturnType<typeof inspectGrant>>;

export interface GrantResult extends ChangeResult {
  /** As `widgets.example.com`. */
  kinds: string[];
}

/**
 * Finds out which rights a work agent lacks, from access reviews of its service account on the WEC's API server, not from messages.
 * @throws StellarError `registered-elsewhere`, `identity-unproven`, `forbidden`
 */
export async function inspectGrant(reached: ReachedWec) {
  const { its, name, kube } = reached;
  const { klusterlet } = await proveWec(reached);
  const works = await listServed<ManifestWork>(its.kube, resources.manifestWorks, {
    namespace: name,
  });
  const wanted = await failedKinds(kube, works);
  const [role, kinds] = await Promise.all([
    kube.get<ClusterRole>(resources.clusterRoles, grantRoleName),
    refusedKinds(kube, klusterlet, wanted),
  ]);
  const lacking = works.filter(({ status }) => status?.resourceStatus?.manifests?.some(lacksRight));
  return {
    ...reached,
    klusterlet,
    /** The rights that exist already. */
    role,
    /** Kinds for which the agent lacks a right. */
    kinds,
    /** The names of the works that fail for lack of a right. */
    works: new Set(namesOf(lacking)),
  };
}

/**
 * Grants the missing rights, waits until the WEC's API server allows them, and has the agent apply the works again. It is safe to rerun.
 * The result may have the error `timeout`.
 */
export function grant(granting: WecToGrant, run: Run): Promise<GrantResult> {
  const { name, kube, kinds } = granting;
  const result: GrantResult = { name, kinds: kinds.map(groupResourceOf), changed: false };
  return forName(result, run, async () => {
    if (kinds.length === 0) return;
    await writeRole(granting);
    if (run.dryRun) return;
    const allowed = result.kinds.join(', ');
    run.progress.changed(
      name,
      `ClusterRole ${grantRoleName} on ${kube.cluster.context} allows ${allowed}`,
    );
    await untilMet<readonly RuleKind[]>(
      {
        check: (refused) =>
          refused.length === 0
            ? met
            : waiting(`the cluster refuses ${refused.map(groupResourceOf).join(', ')}`),
        read: () => refusedKinds(kube, granting.klusterlet, kinds),
        name,
        unmet: (refused) =>
          new StellarError(
            'timeout',
            `ClusterRole ${grantRoleName} is written, but ${kube.cluster.context} still refuses ${refused.map(groupResourceOf).join(', ')} to the work agent: its controller manager has not aggregated the role.`,
          ),
      },
      run,
    );
    await applyAgain(kube, granting.works);
    run.progress.done(name, 'its work agent has the rights, and applies the works again');
  });
}

/**
 * Adds rules, and leaves the others as they are: somebody may have narrowed them. Guarded by the resourceVersion that was read:
 * rights that another user has granted since stay.
 */
async function writeRole({ kube, role, kinds }: WecToGrant) {
  const labels = { [managedByLabel]: managedBy, [aggregateLabel]: 'true' };
  const wanted = kinds.map(ruleFor);
  if (role === undefined) {
    const metadata = { name: grantRoleName, labels };
    const created = { ...typeMeta(resources.clusterRoles), metadata, rules: wanted };
    return void (await kube.create(resources.clusterRoles, created));
  }
  const { uid, resourceVersion } = role.metadata;
  const { rules: present = [] } = role;
  const missing = wanted.filter((rule) => !present.some((each) => isDeepStrictEqual(each, rule)));
  await kube.merge(resources.clusterRoles, grantRoleName, {
    metadata: { uid, resourceVersion, labels },
    rules: [...present, ...missing],
  });
}

/** What to revoke from a WEC's work agent. */
export type WecToRevoke = Awaited<ReturnType<typeof inspectRevocation>>;

/**
 * @param given the kinds; undefined for all that were granted
 * @throws StellarError `name-taken` for a role of another owner; `in-use` while a work has applied an object of them: the agent could no longer remove it
 */
export async function inspectRevocation(
  reached: ReachedWec,
  given: readonly RuleKind[] | undefined,
) {
  const { kube, name } = reached;
  await proveWec(reached);
  const proof = await prove<ClusterRole>(kube, resources.clusterRoles, grantRoleName);
  const { object: role } = proof;
  if (role !== undefined && !isOurs(role))
    throw new StellarError(
      'name-taken',
      `stellarctl did not create ClusterRole ${grantRoleName} on ${kube.cluster.context}: it has no label ${managedByLabel}=${managedBy}. Nothing was written.`,
    );
  const chosen = given?.map(groupResourceOf);
  const kinds = (role ? kindsInRole(role) : []).filter(
    (kind) => chosen === undefined || chosen.includes(groupResourceOf(kind)),
  );
  await refuseInUse(kube, name, kinds);
  return {
    ...reached,
    role: proof,
    /** Kinds that were granted and will be revoked. */
    kinds,
  };
}

async function refuseInUse(kube: Kube, name: string, kinds: readonly RuleKind[]) {
  const works = await listServed<AppliedManifestWork>(kube, resources.appliedManifestWorks);
  const revoked = new Set(kinds.map(groupResourceOf));
  const using = works.flatMap(({ spec, status }) => {
    const applied = (status?.appliedResources ?? []).filter((each) =>
      revoked.has(groupResourceOf(each)),
    );
    return applied.map((each) => `${describeApplied(each)} of work ${spec?.manifestWorkName}`);
  });
  if (using.length === 0) return;
  throw new StellarError(
    'in-use',
    `Works have applied objects of these kinds on ${name}, which its agent could then no longer remove: ${few(using, 1).join(' ')}. Nothing was written.`,
    nextStep(
      command`kubectl --context ${kube.cluster.context} get appliedmanifestworks`,
      'See them',
    ),
  );
}

/** Revokes the rights of the reviewed kinds. It is safe to rerun. */
export function revoke(
  { name, kube, role: { object: role }, kinds }: WecToRevoke,
  run: Run,
): Promise<GrantResult> {
  const result: GrantResult = { name, kinds: kinds.map(groupResourceOf), changed: false };
  return forName(result, run, async () => {
    if (role === undefined || kinds.length === 0) return;
    const { uid, resourceVersion } = role.metadata;
    const rules = rulesWithout(role, kinds);
    if (rules.length === 0) await kube.delete(resources.clusterRoles, role);
    else
      await kube.merge(resources.clusterRoles, grantRoleName, {
        metadata: { uid, resourceVersion },
        rules,
      });
    run.progress.done(
      name,
      `its work agent no longer has the granted rights to ${result.kinds.join(', ')}`,
    );
  });
}

/** The work agent has the rules of all ClusterRoles with this label (ocm, klusterlet work ClusterRole, aggregationRule). */
const aggregateLabel = 'open-cluster-management.io/aggregate-to-work';

/** The one ClusterRole with which stellarctl grants rights on a WEC. */
export const grantRoleName = 'stellarctl:work-agent';

const kindsInRole = ({ rules = [] }: ClusterRole): RuleKind[] =>
  distinct(
    rules.flatMap(({ apiGroups = [], resources: plurals = [] }) =>
      apiGroups.flatMap((group) => plurals.map((resource) => ({ group, resource }))),
    ),
  );

/** The rules of a role without these kinds; the rest of a rule keeps its verbs and names. */
function rulesWithout({ rules = [] }: ClusterRole, kinds: readonly RuleKind[]): PolicyRule[] {
  const removed = new Set(kinds.map(groupResourceOf));
  return rules.flatMap((rule) => {
    const { apiGroups = [], resources: plurals = [] } = rule;
    const parts = apiGroups.map((group) => ({
      ...rule,
      apiGroups: [group],
      resources: plurals.filter((resource) => !removed.has(groupResourceOf({ group, resource }))),
    }));
    if (parts.every((part) => part.resources.length === plurals.length)) return [rule];
    return parts.filter((part) => part.resources.length > 0);
  });
}

/** A WEC with the ITS that it is registered with. */
export interface ReachedWec {
  its: Its;
  name: string;
  kube: Kube;
}

/** Proves that a context leads to the WEC. @throws StellarError `not-found`, `registered-elsewhere`, `identity-unproven` */
export async function proveWec({ its, name, kube }: ReachedWec): Promise<WecEvidence> {
  const [managedCluster, endpoints, evidence] = await Promise.all([
    getManagedCluster(its.kube, name),
    hubEndpoints(its),
    readWec(kube),
  ]);
  const known = { name, endpoints, managedCluster };
  const inspectStep = partial(
    command`stellarctl wec get ${`${name}=CONTEXT`} --its ${its.context.name}`,
  );
  requireProof(await proveIdentity(its.kube, kube, evidence, known), kube, name, its.kube, [
    inspectStep,
  ]);
  return evidence;
}
