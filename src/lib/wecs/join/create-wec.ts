import { type ChangeResult, forName } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, type NextStep, partial, run } from '../../core/next-step.ts';
import { type Access, ifSeen, tryRead, whyUnseen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { loadKubeconfig, selectContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { listIfDefined, type Proven } from '../../kube/served.ts';
import { hubOf } from '../../ocm/agent/klusterlet-agent.ts';
import { findHub } from '../../ocm/agent/registered-hub.ts';
import { readWec } from '../../ocm/agent/wec-evidence.ts';
import { type HubAccess, hubEndpoints } from '../../ocm/hub/hub-access.ts';
import type { Its } from '../../ocm/hub/its.ts';
import { findManagedCluster } from '../../ocm/hub/require-hub.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import {
  createLocalCluster,
  type LocalCluster,
  type LocalTools,
} from '../../spaces/local/create-local-cluster.ts';
import { deleteLocalCluster, type FoundCluster } from '../../spaces/local/delete-local-cluster.ts';
import { type ProviderName, startCommand } from '../../spaces/local/local-cluster-names.ts';
import { roleOf } from '../../spaces/space/spaces.ts';
import type { WecResult } from '../follow/follow-registration.ts';
import { readRole } from '../registration/identity.ts';
import type { ForeseenJoin } from './join-options.ts';

/** The result for one cluster. */
interface WecClusterResult extends ChangeResult {
  /** Null if no provider has the cluster. */
  provider: ProviderName | null;
}

/** A cluster created as a WEC, and the result of its registration, if requested. */
export interface CreatedWec
  extends WecClusterResult,
    Partial<Pick<WecResult, 'stage' | 'blockedAt'>> {
  context: string;
  created: boolean;
}

/** The WEC clusters to create. */
export interface WecClusters {
  provider: ProviderName;
  image: string;
  network: string | undefined;
  /** The ITS to register them with, and the options. */
  joining: { access: HubAccess; options: ForeseenJoin } | undefined;
}

/** Creates WEC clusters in parallel, and registers them. All are attempted; each result contains its own error. */
export async function createWecs(
  names: readonly string[],
  { joining, ...cluster }: WecClusters,
  tools: LocalTools,
): Promise<CreatedWec[]> {
  const { provider } = cluster;
  const { progress } = tools.run;
  const creating = names.map((name) => {
    const result: CreatedWec = { name, provider, context: name, created: false, changed: false };
    return forName(result, tools.run, async () => {
      progress.waiting(name, `looking for ${provider} clusters`);
      const made = await createLocalCluster({ ...cluster, name, role: 'wec' }, tools);
      const { context, created, changed } = made;
      Object.assign(result, { context, created, changed });
      const isImagined = tools.record !== undefined && (created || changed);
      // Before further steps it is not finished.
      if (joining === undefined && !isImagined) progress.done(name, outcome(made), created);
    });
  });
  const created = await Promise.all(creating);
  if (joining === undefined) return created;
  const { access, options } = joining;
  // In a dry run, these clusters do not exist and cannot be read.
  const planned = tools.record === undefined ? [] : created.filter((wec) => wec.created);
  for (const { name } of planned) progress.note(`${name} would then be joined to ${access.its}.`);
  const present = created.filter((wec) => !planned.includes(wec) && wec.error === undefined);
  const { join } = await import('./join.ts');
  const joined = await join(access, await clientsFor(present, tools), options, tools.run);
  return created.map((wec) => {
    const registration = joined.find(({ name }) => name === wec.name);
    return registration === undefined
      ? wec
      : { ...wec, ...registration, changed: wec.changed || registration.changed };
  });
}

function outcome({ created, changed }: LocalCluster) {
  return created
    ? 'ready'
    : changed
      ? 'already exists; its context is restored'
      : 'already exists; nothing to do';
}

async function clientsFor(present: readonly CreatedWec[], { target, connect }: LocalTools) {
  if (present.length === 0) return [];
  // Reload the kubeconfig: their contexts have just been written.
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  return present.map(({ name, context }) => ({
    name,
    kube: connect(selectContext(kubeconfig, context)),
  }));
}

/** Deletes clusters in parallel. All are attempted; each result contains its own error. */
export function deleteWecs(
  found: readonly FoundCluster[],
  tools: LocalTools,
): Promise<WecClusterResult[]> {
  const { run, record } = tools;
  return Promise.all(
    found.map((cluster) => {
      const { name, provider = null } = cluster;
      const result: WecClusterResult = { name, provider, changed: false };
      return forName(result, run, async () => {
        run.progress.waiting(name, 'deleting the cluster');
        result.changed = await deleteLocalCluster(cluster, tools);
        if (result.changed) run.progress.done(name, 'deleted', true);
        else if (record === undefined || provider === null)
          run.progress.done(name, 'no local cluster of that name; nothing to do');
      });
    }),
  );
}

/**
 * Refuses to delete a cluster that hosts ITSes and WDSes or is one of them, or that cannot be read: it may host some, or be a WEC of any ITS.
 * @param cluster undefined if no connection is possible
 * @returns the client of the cluster, which has answered
 * @throws StellarError `has-dependents`, with their names; `unreachable`
 */
export async function refuseHosting(
  { name, provider, contexts }: FoundCluster,
  cluster: Kube | undefined,
): Promise<Kube> {
  const asked =
    cluster && (await tryRead(() => readRole(cluster, [], (kind) => listIfDefined(cluster, kind))));
  if (cluster !== undefined && asked?.state === 'seen') {
    const { kind, found, spaces = [] } = asked.value ?? {};
    const named = spaces.map(
      (space) => `${space.metadata.name} (${roleOf(space)?.toUpperCase() ?? 'control plane'})`,
    );
    if (kind === 'hosting') throw isHosting(name, contexts[0], named.sort());
    if (kind === 'hub' || kind === 'wds') throw isNeeded(name, `is not a WEC: ${found}`);
    return cluster;
  }
  const why = asked === undefined ? 'it is stopped, or was never completed' : whyUnseen(asked);
  const message = `${name} cannot be read (${why}), so whether it is a WEC or a hosting cluster is unknown. It was not deleted.`;
  const start =
    provider === undefined ? [] : [run(startCommand(provider, name), 'If it was stopped')];
  throw new StellarError('unreachable', message, ...start, deleteAnyway);
}

function isHosting(name: string, context: string | undefined, spaces: readonly string[]) {
  const lost = spaces.length === 0 ? '' : ` With it would be lost: ${spaces.join(', ')}.`;
  const inspectSteps =
    context === undefined
      ? []
      : [run(command`stellarctl status --hosting-context ${context}`, 'See what exists')];
  return isNeeded(name, 'is a hosting cluster', lost, inspectSteps);
}

const isNeeded = (name: string, what: string, lost = '', steps: NextStep[] = []) =>
  new StellarError(
    'has-dependents',
    `${name} ${what}. It was not deleted.${lost}`,
    ...steps,
    deleteAnyway,
  );

const deleteAnyway = advice('Delete it anyway: --force');

/**
 * Refuses to delete a cluster that is still registered with an ITS. The cluster itself shows which hub it belongs to; the chosen
 * ITS is authoritative only for its own WECs.
 * @param its the chosen ITS; undefined if none is chosen
 * @throws StellarError `still-registered`, and others if the cluster cannot be read
 */
export async function refuseRegistered(
  name: string,
  its: Its | undefined,
  wec: Kube,
): Promise<void> {
  const wecEvidence = await readWec(wec);
  if (wecEvidence.klusterlet === undefined) await listIfDefined(wec, resources.klusterlets);
  const registeredAs = wecEvidence.klusterlet?.spec?.clusterName;
  if (registeredAs !== undefined) {
    const read = async (of: Its) =>
      findHub(of.kube, wecEvidence, { endpoints: await hubEndpoints(of), isRecorded: false });
    const found = its && ifSeen(await tryRead(() => read(its)));
    const isAsked = found !== undefined && found.relation !== 'other';
    // If its own ITS does not list it, the klusterlet's state is irrelevant.
    const listed =
      isAsked && its !== undefined ? await managedCluster(its.kube, registeredAs) : undefined;
    if (listed?.state === 'seen' && listed.value.object === undefined) return;
    throw stillRegistered(
      name,
      registeredAs,
      isAsked ? its?.context.name : undefined,
      hubOf(wecEvidence)?.server,
    );
  }
  const listed = its && (await managedCluster(its.kube, name));
  if (ifSeen(listed)?.object !== undefined)
    throw stillRegistered(name, name, its?.context.name, undefined);
}

const managedCluster = (its: Kube, name: string): Promise<Access<Proven<ManagedCluster>>> =>
  tryRead(() => findManagedCluster(its, name));

function stillRegistered(
  name: string,
  as: string,
  its: string | undefined,
  server: string | undefined,
) {
  const under = as === name ? '' : ` as ${as}`;
  const hub =
    its ?? (server === undefined ? 'a hub that its klusterlet does not name' : `the hub ${server}`);
  const message = `${name} is still registered${under} with ${hub}; it was not deleted.`;
  const deregister = command`stellarctl deregister ${as} --its ${its ?? 'CONTEXT'}`;
  const first = (its === undefined ? partial : run)(deregister, 'Deregister it first');
  return new StellarError('still-registered', message, first, deleteAnyway);
}
