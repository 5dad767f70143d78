import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run as nextStep } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ClusterRole } from '../../kube/objects.ts';
import { may, requirePermissions } from '../../kube/permissions.ts';
import { groupResourceOf, resources } from '../../kube/resources.ts';
import { listServed } from '../../kube/served.ts';
import type { AppliedManifestWork } from '../../workloads/applied-works.ts';
import { isOurs, managedBy, managedByLabel } from '../klusterlet/operator.ts';
import type { GrantResult } from './grant.ts';
import type { RuleKind } from './kinds.ts';
import { proveWec, type ReachedWec } from './prove-wec.ts';
import { grantRoleName, kindsOf, rulesWithout } from './role.ts';

/** What to revoke from a WEC's work agent. */
export interface WecToRevoke extends ReachedWec {
  role: ClusterRole | undefined;
  /** Kinds that were granted and will be revoked. */
  kinds: readonly RuleKind[];
}

/**
 * @param given the kinds; undefined for all that were granted
 * @throws StellarError `name-taken` for a role of another owner; `in-use` while a work has applied an object of them: the agent could no longer remove it
 */
export async function inspectRevocation(
  reached: ReachedWec,
  given: readonly RuleKind[] | undefined,
): Promise<WecToRevoke> {
  const { kube, name } = reached;
  await proveWec(reached);
  await requirePermissions(kube, [
    may('list', resources.appliedManifestWorks),
    ...['get', 'patch', 'delete'].map((verb) => may(verb, resources.clusterRoles)),
  ]);
  const role = await kube.get<ClusterRole>(resources.clusterRoles, grantRoleName);
  if (role !== undefined && !isOurs(role))
    throw new StellarError(
      'name-taken',
      `stellarctl did not create ClusterRole ${grantRoleName} on ${kube.cluster.context}: it has no label ${managedByLabel}=${managedBy}. Nothing was written.`,
      { next: [nextStep(command`kubectl --context ${kube.cluster.context} get clusterrole ${grantRoleName} -o yaml`)] },
    );
  const chosen = given?.map(groupResourceOf);
  const kinds = (role ? kindsOf(role) : []).filter(
    (kind) => chosen === undefined || chosen.includes(groupResourceOf(kind)),
  );
  await refuseInUse(kube, name, kinds);
  return { ...reached, role, kinds };
}

async function refuseInUse(kube: Kube, name: string, kinds: readonly RuleKind[]): Promise<void> {
  const works = await listServed<AppliedManifestWork>(kube, resources.appliedManifestWorks);
  const revoked = new Set(kinds.map(groupResourceOf));
  const using = works.flatMap(({ spec, status }) =>
    (status?.appliedResources ?? [])
      .filter((applied) => revoked.has(groupResourceOf(applied)))
      .map(
        (applied) =>
          `${groupResourceOf(applied)} ${applied.namespace ? `${applied.namespace}/` : ''}${applied.name} of work ${spec?.manifestWorkName}`,
      ),
  );
  const [first, ...others] = using;
  if (first === undefined) return;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  throw new StellarError(
    'in-use',
    `Works have applied objects of these kinds on ${name}, which its agent could then no longer remove: ${first}${more}. Nothing was written.`,
    { next: [nextStep(command`kubectl --context ${kube.cluster.context} get appliedmanifestworks`, 'See them')] },
  );
}

/** Revokes the rights of the reviewed kinds. It is safe to rerun. */
export async function revoke({ name, kube, role, kinds }: WecToRevoke, run: Run): Promise<GrantResult> {
  const result: GrantResult = { name, kinds: kinds.map(groupResourceOf), changed: false };
  if (role === undefined || kinds.length === 0) return result;
  const { uid, resourceVersion } = role.metadata;
  const rules = rulesWithout(role, kinds);
  if (rules.length === 0) await kube.delete(resources.clusterRoles, grantRoleName, { uid });
  else
    await kube.merge(resources.clusterRoles, grantRoleName, {
      metadata: { uid, resourceVersion },
      rules,
    });
  if (!run.dryRun)
    run.progress.done(name, `its work agent has no granted rights to ${result.kinds.join(', ')} any more`);
  return { ...result, changed: !run.dryRun };
}
