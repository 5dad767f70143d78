import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run as nextStep } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import { met, waiting } from '../../engine/stages.ts';
import { untilMet } from '../../engine/until-met.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ClusterRole } from '../../kube/objects.ts';
import { may, requirePermissions } from '../../kube/permissions.ts';
import { groupResourceOf, resources } from '../../kube/resources.ts';
import { listServed } from '../../kube/served.ts';
import { userOf } from '../../kube/service-accounts.ts';
import type { ManifestWork } from '../../model/manifest-works.ts';
import type { Klusterlet } from '../../model/ocm-objects.ts';
import { failedKinds, lacksOcmRights, type RuleKind, refusedKinds, toBindOcmRights, workAccount } from './kinds.ts';
import { proveWec, type ReachedWec } from './prove-wec.ts';
import { grantRole, grantRoleName, missingRules } from './role.ts';

/** What to grant to a WEC's work agent. */
export interface WecToGrant extends ReachedWec {
  klusterlet: Klusterlet | undefined;
  /** The rights that exist already. */
  role: ClusterRole | undefined;
  /** Kinds that the user named, or whose objects works were not allowed to apply. */
  wanted: readonly RuleKind[];
  /** Kinds for which the agent lacks a right. */
  lacking: readonly RuleKind[];
}

export interface GrantResult {
  name: string;
  /** As `widgets.example.com`. */
  kinds: string[];
  changed: boolean;
}

/**
 * Finds out which rights a work agent lacks, from access reviews of its service account on the WEC's API server, not from messages.
 * @param given the kinds; undefined for those of objects that works were not allowed to apply
 * @throws StellarError `registered-elsewhere`, `identity-unproven`, `forbidden`, `ocm-rights-missing`
 */
export async function inspectGrant(reached: ReachedWec, given: readonly RuleKind[] | undefined): Promise<WecToGrant> {
  const { its, name, kube } = reached;
  const { klusterlet } = await proveWec(reached);
  await requirePermissions(kube, [
    may('create', resources.subjectAccessReviews),
    ...['get', 'create', 'patch'].map((verb) => may(verb, resources.clusterRoles)),
  ]);
  const readWorks = () => listServed<ManifestWork>(its.kube, resources.manifestWorks, { namespace: name });
  const wanted = given ?? (await failedKinds(kube, await readWorks()));
  const [role, lacking] = await Promise.all([
    kube.get<ClusterRole>(resources.clusterRoles, grantRoleName),
    refusedKinds(kube, klusterlet, wanted),
  ]);
  if (lacking.length > 0 && (await lacksOcmRights(kube, klusterlet))) throw withoutOcmRights(reached);
  return { ...reached, klusterlet, role, wanted, lacking };
}

/**
 * Grants the missing rights, and waits until the WEC's API server allows them. It is safe to rerun.
 * @throws StellarError `timeout`
 */
export async function grant(granting: WecToGrant, run: Run): Promise<GrantResult> {
  const { name, kube, lacking } = granting;
  const result: GrantResult = { name, kinds: lacking.map(groupResourceOf), changed: false };
  if (lacking.length === 0) return result;
  await writeRole(granting);
  if (run.dryRun) return result;
  run.progress.changed(
    name,
    `ClusterRole ${grantRoleName} on ${kube.cluster.context} allows ${result.kinds.join(', ')}`,
  );
  await untilMet<readonly RuleKind[]>(
    {
      stage: {
        id: 'granted',
        title: 'the work agent has the rights',
        check: (refused) =>
          refused.length === 0 ? met : waiting(`the cluster refuses ${refused.map(groupResourceOf).join(', ')}`),
      },
      read: () => refusedKinds(kube, granting.klusterlet, lacking),
      name,
      unmet: (refused) => notEffective(kube, granting.klusterlet, refused),
    },
    run,
  );
  run.progress.done(name, 'its work agent has the rights');
  return { ...result, changed: true };
}

/**
 * Adds rules, and leaves the others as they are: somebody may have narrowed them. Guarded by the resourceVersion that was read:
 * rights that another user has granted since stay.
 */
async function writeRole({ kube, role, lacking }: WecToGrant): Promise<void> {
  const wanted = grantRole(lacking);
  if (role === undefined) return void (await kube.create(resources.clusterRoles, wanted));
  const { uid, resourceVersion } = role.metadata;
  const metadata = { uid, resourceVersion, labels: wanted.metadata.labels };
  await kube.merge(resources.clusterRoles, grantRoleName, {
    metadata,
    rules: [...(role.rules ?? []), ...missingRules(role, lacking)],
  });
}

function withoutOcmRights({ name, kube }: ReachedWec): StellarError {
  const { context } = kube.cluster;
  return new StellarError(
    'ocm-rights-missing',
    `The work agent of ${name} lacks on ${context} what OCM itself gives it, the ClusterRole admin: the missing rights are not to be granted by hand.`,
    { next: [toBindOcmRights(context)] },
  );
}

function notEffective(kube: Kube, klusterlet: Klusterlet | undefined, refused: readonly RuleKind[]): StellarError {
  const { context } = kube.cluster;
  const account = userOf(workAccount(klusterlet));
  return new StellarError(
    'timeout',
    `ClusterRole ${grantRoleName} is written, but ${context} still refuses ${refused.map(groupResourceOf).join(', ')} to ${account}: its controller manager has not aggregated the role.`,
    { next: [nextStep(command`kubectl --context ${context} auth can-i --list --as ${account}`, 'See its rights')] },
  );
}
