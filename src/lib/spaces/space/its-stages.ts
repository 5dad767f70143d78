import { graceMs } from '../../core/deadline.ts';
import { command, partial, run } from '../../core/next-step.ts';
import { failed, lost, met, type Stage, unseen, type Verdict, waiting } from '../../core/stages.ts';
import { ifSeen, type PartialReader, partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { type Deployment, isTrue, type Pod, resources } from '../../kube/client/objects.ts';
import { isCrdServed } from '../../kube/discovery.ts';
import { firstPodFailure, isPodReady, jobState, podsOf, starting } from '../../kube/pods.ts';
import { readClusterInfo } from '../../ocm/hub/hub-kubeconfig.ts';
import { tryHubWebhook } from '../../ocm/hub/webhook.ts';
import {
  clusterInfoJob,
  hookNames,
  statusAddonDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import { workStatusCrd } from '../../ocm/model/kubestellar-names.ts';
import {
  bootstrapServiceAccount,
  hubNamespace,
  managedClusterCrd,
  operatorNamespace,
  webhookName,
} from '../../ocm/model/ocm-names.ts';
import { repair } from './controllers-run.ts';
import {
  checkInside,
  hookJobStages,
  jobDone,
  ready,
  type SpaceStage,
  serverStages,
  unreadableIn,
} from './space-stages.ts';
import type { SpaceEvidence } from './spaces.ts';

type ItsStage = SpaceStage<ItsInside>;

/**
 * The stages of an ITS (facts: core chart 0.30, kubeflex 0.9.3): the control plane, its API server, the Jobs of its hooks, the
 * components that these install, and for a vcluster the address that it publishes for other clusters.
 */
export function itsStages({
  controlPlane,
  type,
  jobs,
}: Pick<SpaceEvidence, 'controlPlane' | 'type' | 'jobs'>): ItsStage[] {
  const hooks = hookJobStages(controlPlane);
  const beforeHub = hooks.filter(({ id }) => id === hookNames.hubInit);
  const afterHub = hooks
    .filter(({ id }) => id !== hookNames.hubInit)
    .map((stage) =>
      stage.id === hookNames.statusAddon
        ? { ...stage, check: statusAddonRemains(stage.check) }
        : stage,
    );
  // Without `waitForPostCreateHooks`, KubeFlex reports it as ready before its hooks are done.
  const wasReady =
    isTrue(controlPlane, 'Ready') && jobs.every((job) => jobState(job) !== 'running');
  const hadHub = wasReady && beforeHub.length > 0;
  return [
    ...serverStages,
    ...beforeHub,
    ...hubStages(wasReady).map((stage) => {
      const check = checkInside(stage.check);
      return { ...stage, check: hadHub && stage.id === hubStageId ? hubRemains(check) : check };
    }),
    ...afterHub,
    {
      id: 'workstatus-crd',
      title: 'serves WorkStatuses',
      check: checkInside((its) => servesWorkStatus(its, wasReady)),
    },
    ...(type === 'vcluster' ? [clusterInfoStage(wasReady)] : []),
    { id: 'ready', title: 'reported ready by KubeFlex', check: ready },
  ];
}

/** A stage whose evidence is only inside the ITS. */
interface HubStage extends Stage<ItsInside> {
  podsInside?(inside: ItsInside): readonly Pod[];
}

/**
 * The stages of an OCM hub that WECs can register with.
 * @param wasReady whether it has been ready before: missing parts of a new hub may still be installed, those of a ready hub are
 *   failures
 */
export const hubStages = (wasReady: boolean): HubStage[] => [
  {
    id: 'hub-runs',
    title: 'OCM hub runs',
    check: hubRunning(wasReady),
    podsInside: ({ hubPods }) => hubPods,
  },
  { id: hubStageId, title: 'serves ManagedClusters', check: hubServed },
  { id: 'bootstrap-account', title: 'can be joined', check: (its) => joinable(its, wasReady) },
  {
    id: 'hub-webhook',
    title: 'admits ManagedClusters',
    graceMs,
    check: (its) => webhookAnswers(its, wasReady),
    podsInside: ({ hubPods }) => podsOf(webhookName, hubPods),
  },
];

/** The image of a hub controller may be missing, or the controller may crash repeatedly: the Job that installs it only waits. */
const hubRunning =
  (wasReady: boolean) =>
  (its: ItsInside): Verdict => {
    const failure = firstPodFailure(its.hubPods);
    if (failure !== undefined) return failed(`OCM does not run in it: ${failure.why}`);
    if (!its.hubPods.some(({ metadata }) => metadata.namespace === hubNamespace))
      return (
        unreadableIn(its, resources.pods) ??
        unreadableIn(its, resources.customResourceDefinitions) ??
        (its.hubServed
          ? unseen('its pods are not visible')
          : waiting('there are no pods of an OCM hub yet'))
      );
    // Whether the webhook of a hub that was ready answers is a stage of its own, which knows more.
    const judged = wasReady ? podsOf(webhookName, its.hubPods) : [];
    const unready = its.hubPods.find((pod) => !isPodReady(pod) && !judged.includes(pod));
    return unready === undefined
      ? met
      : starting(`pod ${unready.metadata.name} of the hub is starting`, [unready], its);
  };

const noHubKinds = (its: ItsInside): Verdict =>
  unreadableIn(its, resources.customResourceDefinitions) ??
  waiting('OCM has not installed its CustomResourceDefinitions yet');

const hubServed = (its: ItsInside): Verdict => (its.hubServed ? met : noHubKinds(its));

function joinable(its: ItsInside, wasReady: boolean): Verdict {
  if (its.hasBootstrapAccount) return met;
  const what = `ServiceAccount ${operatorNamespace}/${bootstrapServiceAccount}`;
  return (
    unreadableIn(its, resources.serviceAccounts) ??
    (wasReady
      ? lost(
          what,
          run(
            command`kubectl --context ${its.context} -n ${operatorNamespace} create serviceaccount ${bootstrapServiceAccount}`,
            'Create it; its rights are still bound to its name',
          ),
        )
      : waiting(`there is no ${what} yet`))
  );
}

function webhookAnswers(its: ItsInside, wasReady: boolean): Verdict {
  const { webhook, hubPods } = its;
  if (webhook === undefined) return noHubKinds(its);
  if (webhook.state === 'answers') return met;
  if (webhook.state === 'unseen') return unseen(webhook.why);
  const isInstalled = wasReady || podsOf(webhookName, hubPods).some(isPodReady);
  return isInstalled ? failed(webhook.why, { next: webhook.next }) : waiting(webhook.why);
}

/** The id of the stage that shows whether there is a hub at all. */
export const hubStageId = 'hub-crds';

/** An API server that has lost its data has nothing of the hub that was there. */
const hubRemains =
  (isServed: ItsStage['check']): ItsStage['check'] =>
  (space) => {
    const its = ifSeen(space.inside);
    const isEmpty =
      its?.forbidden.size === 0 &&
      its.hubPods.length === 0 &&
      !its.hubServed &&
      !its.hasBootstrapAccount;
    return isEmpty ? lost('OCM', repair(space)) : isServed(space);
  };

/** The Job of the status add-on is done, and what it has installed is there. */
const statusAddonRemains =
  (jobIsDone: ItsStage['check']): ItsStage['check'] =>
  (space) => {
    const job = jobIsDone(space);
    const its = job.state === 'met' ? ifSeen(space.inside) : undefined;
    if (its === undefined || its.hasStatusAddon || unreadableIn(its, resources.deployments))
      return job;
    return lost(`Deployment ${operatorNamespace}/${statusAddonDeployment}`, repair(space));
  };

/** Without this kind KubeStellar's controllers do nothing, and report nothing. */
function servesWorkStatus(its: ItsInside, wasReady: boolean): Verdict {
  if (its.workStatusServed) return met;
  // helm installs the kinds of a chart only with its first revision.
  const install = command`kubectl --context ${its.context} apply -f -`;
  return (
    unreadableIn(its, resources.customResourceDefinitions) ??
    (wasReady
      ? lost(
          `CustomResourceDefinition ${workStatusCrd}`,
          partial(
            `${statusAddonKinds} | ${install}`,
            'Install it, in the version of the status add-on',
          ),
        )
      : waiting("KubeStellar's status add-on has not installed the kind WorkStatus yet"))
  );
}

const statusAddonKinds =
  'helm show crds oci://ghcr.io/kubestellar/ocm-status-addon-chart --version VERSION';

export const clusterInfoStageId = 'cluster-info';

/** Agents in other clusters find a vcluster by the address in its kube-public/cluster-info. */
const clusterInfoStage = (wasReady: boolean): ItsStage => ({
  id: clusterInfoStageId,
  title: 'publishes its address for other clusters',
  graceMs,
  check: (space) => {
    const what = 'ConfigMap kube-public/cluster-info';
    const published = checkInside(({ clusterInfo }: ItsInside) =>
      clusterInfo !== undefined
        ? met
        : wasReady
          ? lost(what, repair(space))
          : waiting(`there is no ${what} yet`),
    )(space);
    // For every vcluster, KubeFlex creates the Job, which publishes the address, before it reports the API server as up.
    const job = jobDone(clusterInfoJob, () => published.state !== 'waiting')(space);
    return job.state === 'met' ? published : job;
  },
  podsOf: ({ pods }) => podsOf(clusterInfoJob, pods),
});

/** The evidence from inside an ITS. */
export type ItsInside = Awaited<ReturnType<typeof readItsInside>>;

/** @param context the one that leads there */
export async function readItsInside(kube: Kube, context = kube.cluster.context) {
  const its = partialReader(kube);
  const [hubServed, workStatusServed, statusAddon, account, clusterInfo, hubPods] =
    await Promise.all([
      isCrdServed(its, managedClusterCrd),
      isCrdServed(its, workStatusCrd),
      its.get<Deployment>(resources.deployments, statusAddonDeployment, {
        namespace: operatorNamespace,
      }),
      its.get(resources.serviceAccounts, bootstrapServiceAccount, { namespace: operatorNamespace }),
      readClusterInfo(its),
      readHubPods(its),
    ]);
  return {
    context,
    /** Of its clock, milliseconds since the epoch. */
    now: kube.now(),
    /** Undefined while ManagedClusters are not served, and the webhook cannot be tried. */
    webhook: hubServed ? await tryHubWebhook(kube) : undefined,
    /** The kind ManagedCluster is defined and served. */
    hubServed,
    workStatusServed,
    /** KubeStellar's status add-on: without its Deployment no WEC returns a status. */
    hasStatusAddon: statusAddon !== undefined,
    /** The service account whose tokens agents use to register. */
    hasBootstrapAccount: account !== undefined,
    clusterInfo,
    /** The pods of OCM's operator and of the hub's controllers; the former include KubeStellar's status add-on. */
    hubPods,
    /** Plural names of the kinds that the user may not read there: they appear empty. */
    forbidden: its.forbidden,
  };
}

/** The pods of OCM's operator and of the hub's controllers, as far as the user may read them. */
export async function readHubPods(its: PartialReader): Promise<Pod[]> {
  const namespaces = [operatorNamespace, hubNamespace];
  const pods = await Promise.all(
    namespaces.map((namespace) => its.list<Pod>(resources.pods, { namespace })),
  );
  return pods.flatMap(shownList);
}
