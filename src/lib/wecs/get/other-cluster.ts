import { command } from '../../engine/command-line.ts';
import { outline, run } from '../../engine/next-step.ts';
import type { Problem } from '../../engine/problem.ts';
import { clusterUid, otherUid, recordedUid } from '../../hub/cluster-uid.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import { otherRole, removeKlusterlet, runsNoPods } from '../identity/other-role.ts';
import { wecProblem } from '../problems.ts';
import { otherName, type WecEvidence } from '../registration/wec-evidence.ts';
import { lacksOperator } from '../registration/wec-pods.ts';
import type { Findings, OtherCluster } from './findings.ts';

/**
 * Whether the cluster behind a context is certainly not the WEC: its kube-system is that of the ITS, or not the one recorded when
 * the WEC joined; or it is a WDS. A name alone proves neither, and a Klusterlet in a WDS nothing.
 */
export async function findOtherCluster(
  { managedCluster, its, wec }: { managedCluster: ManagedCluster | undefined; its: Kube; wec: Kube },
  { klusterlet, context, pods }: WecEvidence,
  name: string,
): Promise<OtherCluster | undefined> {
  if (klusterlet !== undefined && pods && lacksOperator(pods)) {
    const role = await otherRole(wec);
    if (role && runsNoPods(role))
      return { context, found: role.found, name: undefined, next: removeKlusterlet(context, klusterlet) };
  }
  const [uid, ofIts] = await Promise.all([clusterUid(wec), clusterUid(its)]);
  const isOwn = klusterlet?.spec?.clusterName === name;
  if (uid === undefined) return undefined;
  if (uid === ofIts && !isOwn) return { context, found: 'it is the ITS itself', name: undefined };
  const recorded = recordedUid(managedCluster);
  if (recorded === undefined || recorded === uid) return undefined;
  const other = otherName(klusterlet, name);
  const role = klusterlet === undefined ? (await otherRole(wec))?.found : undefined;
  const what =
    other === undefined ? (role ?? (isOwn ? undefined : 'it has no Klusterlet')) : `it is registered as ${other}`;
  const uids = otherUid(uid, recorded, name);
  return { context, found: what === undefined ? uids : `${what}; ${uids}`, name: other };
}

export function contextOfOtherCluster({ otherCluster, name, its }: Findings): Problem | undefined {
  if (otherCluster === undefined) return undefined;
  const { context, found, name: other, next } = otherCluster;
  return wecProblem(
    'context-of-another-cluster',
    `The context ${context} does not lead to ${name}: ${found}.`,
    ...(next === undefined ? [] : [next]),
    outline(command`stellarctl doctor ${name}=CONTEXT --its ${its}`, 'Give the context of its own cluster'),
    ...(other === undefined
      ? []
      : [run(command`stellarctl doctor ${`${other}=${context}`} --its ${its}`, `Of ${other}`)]),
  );
}
