import { isDeepStrictEqual } from 'node:util';
import { requireTime, throwIfInterrupted } from '../../core/deadline.ts';
import { failureOf, StellarError } from '../../core/errors.ts';
import { advice, command, run as nextStep, rerun, textOf } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { isObject } from '../../core/text/formats.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  type Job,
  type KubeObject,
  namesOf,
  resources,
  type Secret,
} from '../../kube/client/objects.ts';
import { requirePermissions } from '../../kube/permissions.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { withHostingLease } from '../hosting/hosting-lease.ts';
import type { Installing } from '../hosting/hosting-stages.ts';
import type { LocalTools } from '../local/create-local-cluster.ts';
import { renewCorrectedHook } from '../space/its-name-defect.ts';
import { listControlPlanes } from '../space/spaces.ts';
import { type ChartChoice, chooseChart, fetchChart, type InitInput } from './chart.ts';
import { followHosting } from './follow-install.ts';
import type { Helm, LocalChart, ReleaseName, Revision } from './helm.ts';
import { mergeValues, type SourcedObject, type Values } from './helm-values.ts';
import { initPermissions } from './install-permissions.ts';
import {
  type ClusterState,
  freshValues,
  hasKubeFlex,
  isSameRelease,
  keepIrreplaceable,
  makePlan,
  ownerOf,
  type Plan,
  readClusterState,
} from './install-plan.ts';

/** The result of `init`. */
export type InitResult = Awaited<ReturnType<typeof unchanged>>;

export interface InitTools extends Pick<LocalTools, 'record' | 'run'> {
  kube: Kube;
  helm: Helm;
}

/**
 * Makes a cluster a hosting cluster: installs KubeFlex and KubeStellar's post-create hooks with KubeStellar's core chart. A rerun
 * changes nothing, or resumes an interrupted installation.
 * @throws StellarError before any write: `usage`, `chart-unusable`, `upgrade-needed`, `release-pending`, `forbidden`; afterwards
 *   `program-failed` (helm), `hosting-failed`, `timeout`, `interrupted`, with what remains on the cluster and how to resume or
 *   uninstall it
 */
export async function initHosting(input: InitInput, tools: InitTools): Promise<InitResult> {
  const choice = await chooseChart(input, tools.helm);
  const result = await attemptInit(input, choice, tools);
  return input.upgrade ? afterUpgrade(result, tools) : result;
}

/** @throws StellarError `forbidden`, `release-pending` */
async function readBefore(kube: Kube, helm: Helm): Promise<ClusterState> {
  const clusterState = await readClusterState(kube, helm).catch(async (error: unknown) => {
    // If even reading is forbidden, report all missing permissions at once.
    if (failureOf(error).code === 'forbidden')
      await requirePermissions(kube, initPermissions(coreChart.release));
    throw error;
  });
  refusePending(kube.cluster.context, clusterState);
  return clusterState;
}

async function attemptInit(
  input: InitInput,
  choice: ChartChoice,
  tools: InitTools,
): Promise<InitResult> {
  const { kube, helm, run } = tools;
  const { context } = kube.cluster;
  const clusterState = await readBefore(kube, helm);
  const fresh =
    clusterState.revisions.length === 0 ? await freshValues(kube, clusterState, run) : {};
  const wanted = { ...input, version: choice.version, values: choice.values };
  const plan = makePlan(clusterState, wanted, fresh, context);
  const values = mergeValues(clusterState.values, plan.values);
  const result = await unchanged(kube, clusterState, plan, values);
  const followed = { release: clusterState.release.name, needsPostgres: needsPostgres(values) };
  if (plan.action === 'nothing') {
    if (!kube.dryRun) await followHosting(kube, followed, run);
    return result;
  }
  requireTime(run, `${context} does not have all that KubeStellar ${plan.version} needs yet`);
  await requirePermissions(kube, initPermissions(clusterState.release));
  const chart = await fetchChart(helm, choice, plan.version, plan.imageRegistry);
  announce(plan, clusterState, choice, run);
  const rendered = await helm.render(chart, values, clusterState.release.name);
  return withHostingLease(kube, 'init', run, async () => {
    // What another run has changed before it had ended.
    if (!isDeepStrictEqual(await readClusterState(kube, helm), clusterState))
      return attemptInit(input, choice, tools);
    result.kept = await prepare(plan, clusterState, rendered, tools);
    if (!kube.dryRun) await runHelm(plan, clusterState, { chart, followed }, tools);
    const verb = plan.installed === undefined ? 'create' : 'update';
    tools.record?.({ verb, cluster: context, kind: 'Release', ...clusterState.release });
    return { ...result, changed: !kube.dryRun };
  });
}

/** The result of a run that changes nothing. */
const unchanged = async (
  kube: Kube,
  { release }: ClusterState,
  { version, installed }: Plan,
  values: Values,
) => ({
  /** The context of the hosting cluster. */
  name: kube.cluster.context,
  server: kube.cluster.server,
  /** `namespace/name` of the release of the core chart. */
  release: `${release.namespace}/${release.name}`,
  /** The installed version of the core chart; in a dry run, the version that would be installed. */
  version,
  /** The version that was installed before; null if none was. */
  previousVersion: installed ?? null,
  /** Whether the release installs KubeFlex, or keeps one that already exists, for example from `kflex init`. */
  kubeFlex: hasKubeFlex(values) ? 'installed' : 'kept',
  /** Control planes of the release that the upgrade keeps. */
  kept: [] as string[],
  /** The names of the ITSes of the cluster. */
  itses: namesOf(await listControlPlanes(kube, 'its')),
  /** Whether this run changes anything on the cluster. */
  changed: false,
});

/** KubeFlex runs the hooks of a control plane once: an upgrade does not reach existing spaces. */
async function afterUpgrade(result: InitResult, { kube, run }: InitTools): Promise<InitResult> {
  const isRenewed = await renewCorrectedHook(kube, run);
  const { previousVersion, version, itses } = result;
  const plan = command`stellarctl upgrade plan --hosting-context ${kube.cluster.context}`;
  if (previousVersion !== null && previousVersion !== version && itses.length > 0)
    run.progress.note(
      textOf(nextStep(plan, 'Existing spaces keep what they run. To see how to upgrade them')),
    );
  return { ...result, changed: result.changed || (isRenewed && !kube.dryRun) };
}

async function runHelm(
  plan: Plan,
  { release }: ClusterState,
  { chart, followed }: { chart: LocalChart; followed: Installing },
  { kube, helm, run }: InitTools,
) {
  const stop = new AbortController();
  const timeoutMs = run.deadline.remaining;
  const work = helm.upgrade({ release, chart, values: plan.values, stop: stop.signal, timeoutMs });
  try {
    await followHosting(kube, followed, run, work);
  } catch (error) {
    // A helm that is stopped marks its release as failed. Wait for it, or the next run finds a pending release.
    stop.abort();
    await work.catch(() => undefined);
    throw withUninstallStep(error, release, plan, kube);
  }
}

/** Reports what this run is going to do. */
function announce(
  plan: Plan,
  { release, kubeFlex }: ClusterState,
  { chart, local }: ChartChoice,
  run: Run,
) {
  const does: Record<Plan['action'], string> = {
    nothing: 'Nothing to do for',
    install: 'Installing',
    'install-again': 'Installing, over what an earlier attempt left,',
    upgrade: `Upgrading from ${plan.installed} to`,
    change: 'Applying what has changed to',
  };
  const without = kubeFlex === 'of-others' ? ', without KubeFlex' : '';
  const where = `release ${release.name} in namespace ${release.namespace}`;
  const images = plan.imageRegistry === undefined ? '' : `, images from ${plan.imageRegistry}`;
  const what = `chart ${local ?? chart}, ${where}${without}${images}`;
  run.progress.note(`${does[plan.action]} KubeStellar ${plan.version}: ${what}`);
}

/** Prepares the cluster for helm. @returns the control planes that are kept */
async function prepare(
  plan: Plan,
  clusterState: ClusterState,
  rendered: readonly SourcedObject[],
  { kube, helm, run }: InitTools,
) {
  const { release, revisions } = clusterState;
  throwIfInterrupted(run.signal);
  const kept = revisions.length === 0 ? [] : await keepIrreplaceable(kube, helm, release);
  if (kept.length > 0)
    run.progress.note(
      `Control planes of the release: ${kept.join(', ')}. They are kept, whatever the chart lists.`,
    );
  await deleteChangedJobs(kube, release, rendered);
  const changed = await updateDefinitions(kube, rendered, plan.installed !== undefined);
  if (changed)
    run.progress.changed(
      kube.cluster.context,
      "KubeFlex's CustomResourceDefinitions are up to date",
    );
  if (plan.action === 'install-again') await forgetRevisions(kube, release, revisions);
  return kept;
}

/** Adds to an error what an unfinished installation leaves on the cluster, and how to resume or uninstall it. */
function withUninstallStep(
  error: unknown,
  { name, namespace }: ReleaseName,
  plan: Plan,
  { cluster }: Kube,
): unknown {
  // A release that another helm works on must not be uninstalled.
  if (!(error instanceof StellarError) || error.code === 'release-pending') return error;
  const { context } = cluster;
  const back = command`helm uninstall ${name} -n ${namespace} --kube-context ${context}`;
  const isOpen = error.code === 'interrupted' || error.next.length === 0;
  return error.with({
    details: [`Release ${name} in namespace ${namespace} on ${context} is incomplete.`],
    next: [
      ...(isOpen ? [rerun] : error.next),
      ...(plan.installed === undefined ? [nextStep(back, 'Go back')] : []),
    ],
  });
}

/** Whether the release installs PostgreSQL. */
function needsPostgres(values: Values) {
  const ofKubeFlex = values[coreChart.kubeFlexValues];
  return (
    hasKubeFlex(values) &&
    !(isObject(ofKubeFlex) && String(ofKubeFlex.installPostgreSQL) === 'false')
  );
}

/** Deletes the Jobs of a release that get other images, for helm to create them again: the API server accepts no change of a Job. */
async function deleteChangedJobs(
  kube: Kube,
  release: ReleaseName,
  rendered: readonly SourcedObject[],
) {
  const imagesOf = ({ spec }: Job) => spec?.template?.spec?.containers?.map(({ image }) => image);
  for (const { object } of rendered) {
    if (object.kind !== 'Job') continue;
    const { name, namespace = release.namespace } = object.metadata;
    const job = await kube.get<Job>(resources.jobs, name, { namespace });
    const isOurs = job !== undefined && isSameRelease(ownerOf(job), release);
    if (isOurs && !isDeepStrictEqual(imagesOf(job), imagesOf(object as Job)))
      await kube.delete(resources.jobs, job);
  }
}

/**
 * Updates KubeFlex's CustomResourceDefinitions, those in the `crds` folders of a chart and of the subcharts that the values enable.
 * helm installs them once and never upgrades them.
 * @param absent whether to also create missing definitions; the first installation leaves those to helm
 * @returns whether any definition has changed
 */
async function updateDefinitions(kube: Kube, rendered: readonly SourcedObject[], absent: boolean) {
  let hasChanged = false;
  for (const { source, object } of rendered) {
    if (!source.includes('/crds/') || source.includes('/templates/')) continue;
    const present = await kube.get(resources.customResourceDefinitions, object.metadata.name);
    if (present === undefined && !absent) continue;
    // Generated definitions contain an empty status, which only the API server may write.
    const { status: _, ...wanted } = object as KubeObject & { status?: unknown };
    const change = await kube.apply(wanted);
    hasChanged ||= change !== 'unchanged';
  }
  return hasChanged;
}

const isPending = (status: string | undefined) => status?.startsWith('pending-') === true;

/** The Secret in which helm stores a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
const recordOf = (release: ReleaseName, revision: number) =>
  `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * helm refuses a second operation on a release. The record of a helm that may have been killed is not deleted: nothing on the cluster
 * shows whether it still runs.
 * @throws StellarError `release-pending`
 */
export function refusePending(
  context: string,
  { release, revisions }: Pick<ClusterState, 'release' | 'revisions'>,
) {
  const last = revisions.at(-1);
  if (last !== undefined && isPending(last.status)) throw pendingRelease(context, release, last);
}

function pendingRelease(
  context: string,
  { name, namespace }: ReleaseName,
  { revision, status }: Revision,
) {
  const record = recordOf({ name, namespace }, revision);
  const forget = command`kubectl --context ${context} -n ${namespace} delete secret ${record}`;
  const what = `release ${name} in namespace ${namespace} is at ${status}`;
  return new StellarError(
    'release-pending',
    `Another helm operation is in progress on ${context}: ${what}.`,
    advice('When it has ended, rerun the command'),
    nextStep(forget, 'If helm runs on no machine where it may have been started'),
  );
}

/**
 * Deletes the records of a release that was never deployed, to install it and not upgrade it: the chart's Job that installs
 * PostgreSQL runs only on installation. The objects are kept and adopted.
 * @throws StellarError `release-pending` if another helm has started on it since the revisions were read; its record is kept
 */
export async function forgetRevisions(
  kube: Kube,
  release: ReleaseName,
  revisions: readonly Revision[],
): Promise<void> {
  const { namespace } = release;
  for (const each of revisions) {
    const name = recordOf(release, each.revision);
    const record = await kube.get<Secret>(resources.secrets, name, { namespace });
    if (record === undefined) continue;
    const { status = '' } = record.metadata.labels ?? {};
    if (isPending(status) || status !== each.status)
      throw pendingRelease(kube.cluster.context, release, { ...each, status });
    await kube.delete(resources.secrets, record);
  }
}
