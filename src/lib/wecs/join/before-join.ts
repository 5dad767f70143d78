import { StellarError } from '../../core/errors.ts';
import { advice, command } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { compareVersions } from '../../core/text/version.ts';
import { resources } from '../../kube/client/objects.ts';
import { untilGone } from '../../kube/until-gone.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import type { ChosenEndpoint } from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { agentNamespace, isOcmVersion } from '../../ocm/model/ocm-names.ts';
import { newestOcm } from '../../ocm/model/ocm-versions.ts';
import { describeRemainingWorks, readRemainingWorks } from './evict-from-former-hub.ts';
import type { JoiningWec, JoinOptions, Moving } from './join-options.ts';
import { defaultRegistry, type JoinPlan } from './join-plan.ts';

/** Shows the ITS and the address that agents will use, once, before the first write. */
export function announcer(
  { its, external, ocmVersion, imageRegistry }: HubAccess,
  asked: JoinOptions,
  { progress }: Run,
): (endpoint: ChosenEndpoint) => void {
  let isNoted = false;
  return ({ server, source }) => {
    if (isNoted) return;
    isNoted = true;
    const isNewer =
      isOcmVersion(ocmVersion ?? '') && compareVersions(ocmVersion ?? '', newestOcm) > 0;
    const known = isNewer ? `, newer than was tried (${newestOcm})` : '';
    const version = ocmVersion === undefined ? '' : ` · OCM ${ocmVersion}${known}`;
    // The images run with far-reaching rights on the WEC: a registry that the user has not named is announced.
    const isNamed =
      imageRegistry === undefined ||
      imageRegistry === defaultRegistry ||
      asked.imageRegistry !== undefined;
    const images = isNamed
      ? ''
      : ` · images from ${imageRegistry}, as the ITS says; another one: --image-registry`;
    progress.note(
      `ITS ${its} (${external.server})${version} · agents will use ${server} (${source})${images}`,
    );
  };
}

/** Undefined unless it moves from another hub. */
export async function movingOf(
  { name, kube, former, wecBefore }: JoinPlan,
  its: string,
): Promise<Moving | undefined> {
  if (former === undefined) return undefined;
  const klusterlet = wecBefore.klusterlet?.metadata.uid ?? '';
  const works = await readRemainingWorks(kube, wecBefore);
  return { name, cluster: kube.cluster, klusterlet, from: former.server, its, works };
}

/** The works, labels and annotations of a registration that was lost are not on the ITS: reported before the first write. */
export async function noteWhatIsLost(
  { its }: HubAccess,
  { name, kube, wecBefore, former, reregister, hubBefore }: JoinPlan,
  { labels, annotations = {} }: JoinOptions,
  { progress }: Run,
) {
  if (
    reregister?.by !== 'certificate' ||
    former !== undefined ||
    hubBefore?.managedCluster !== undefined
  )
    return;
  const works = await readRemainingWorks(kube, wecBefore);
  const workloadEffects = works && describeRemainingWorks(works, its);
  if (workloadEffects !== undefined) progress.note(`${name}: ${workloadEffects}`);
  if (Object.keys({ ...labels, ...annotations }).length === 0)
    progress.note(
      `${name}: the labels and annotations of its ManagedCluster were lost with it. To set labels: ${command`stellarctl label ${name} KEY=VALUE --its ${its}`}`,
    );
}

/**
 * The agent's namespace is deleted with its Klusterlet and ends some seconds later: earlier writes there are lost.
 * @returns whether it waited
 */
export async function untilNamespaceGone(
  { name, kube, wecBefore }: JoinPlan,
  run: Run,
): Promise<boolean> {
  if (wecBefore.klusterlet !== undefined || run.dryRun) return false;
  const namespace = await kube.get(resources.namespaces, agentNamespace);
  if (namespace?.metadata.deletionTimestamp === undefined) return false;
  run.progress.waiting(name, `namespace ${agentNamespace} is being deleted`);
  await untilGone(kube, resources.namespaces, namespace, run);
  return true;
}

/** A cluster that the ITS has accepted no longer needs its admission. */
export const needsWebhook = ({ hubBefore }: JoinPlan, { accept }: JoinOptions) =>
  hubBefore?.managedCluster === undefined ||
  (accept && hubBefore.managedCluster.spec?.hubAcceptsClient !== true);

/** Names that refer to the same cluster, each with the other name. Clusters that cannot be distinguished are not compared. */
export async function findSameClusters(wecs: JoiningWec[]): Promise<Map<string, string>> {
  if (wecs.length < 2) return new Map();
  const uids = await Promise.all(wecs.map(({ kube }) => clusterUid(kube).catch(() => undefined)));
  const otherOf = (index: number) =>
    wecs.find((_, other) => other !== index && uids[other] === uids[index])?.name;
  return new Map(
    wecs.flatMap(({ name }, index) => {
      const other = uids[index] === undefined ? undefined : otherOf(index);
      return other === undefined ? [] : [[name, other] as const];
    }),
  );
}

export function sameWec({ name }: JoiningWec, duplicate: string): StellarError {
  return new StellarError(
    'same-cluster',
    `${name} and ${duplicate} are the same cluster; neither was joined.`,
    advice('Give every name the context of its own cluster: NAME=CONTEXT'),
  );
}
