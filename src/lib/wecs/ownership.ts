import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { type NextStep, run } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { resources } from '../kube/client/resources.ts';
import { certificateExpiry, formerHolder, isAgentOf } from '../ocm/agent-certificate.ts';
import { recordedUid } from '../ocm/cluster-uid.ts';
import type { Endpoint } from '../ocm/endpoint.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { type HubEvidence, hasJoined, isAvailable } from '../ocm/hub-evidence.ts';
import { klusterletName } from '../ocm/ocm-names.ts';
import type { Klusterlet } from '../ocm/ocm-objects.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import { type Identity, type KnownWec, otherRole, proveIdentity, refuseRole } from './identity.ts';
import type { JoiningWec } from './join-options.ts';

/**
 * Refuses a cluster that evidently is something else (a hub, a hosting cluster, a WDS, an API server without nodes, or one that a
 * Klusterlet in another cluster has registered), or is registered as something else: its own claims are enough for that.
 * @param endpoints the known addresses of the ITS
 * @throws StellarError `conflict`, `registered-elsewhere`
 */
export async function refuseOtherCluster(
  { name, kube }: JoiningWec,
  { klusterlet }: WecEvidence,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const klusterlets = (await kube.list<Klusterlet>(resources.klusterlets)) ?? [];
  // A hosted Klusterlet registers another cluster than its own.
  const notHosted = klusterlets.filter(({ spec }) => !spec?.deployOption?.mode?.endsWith('Hosted'));
  const other = notHosted.find(({ metadata }) => metadata.name !== klusterletName);
  if (other !== undefined) {
    const what = `is registered already, as ${other.spec?.clusterName ?? 'another name'}, by a Klusterlet ${other.metadata.name} that stellarctl did not install; ${name} was not joined`;
    throw elsewhere(kube, what, other.metadata.name);
  }
  if (klusterlet === undefined) {
    const hubs = endpoints.map(({ server }) => server);
    const role = await otherRole(kube, hubs);
    if (role !== undefined) refuseRole(kube, name, role);
  }
  refuseOtherRegistration(name, kube, klusterlet);
}

const elsewhere = ({ cluster }: Kube, what: string, klusterlet = klusterletName): StellarError =>
  new StellarError('registered-elsewhere', `${describeCluster(cluster)} ${what}.`, {
    next: [toSeeKlusterlet(cluster.context, klusterlet)],
  });

const toSeeKlusterlet = (context: string, klusterlet: string, lead = 'Look at it'): NextStep =>
  run(command`kubectl --context ${context} get klusterlet ${klusterlet} -o yaml`, lead);

function refuseOtherRegistration(name: string, kube: Kube, klusterlet: Klusterlet | undefined): void {
  if (klusterlet === undefined) return;
  if (klusterlet.metadata.deletionTimestamp !== undefined) {
    const message = `The Klusterlet on ${describeCluster(kube.cluster)} is being deleted; ${name} was not joined.`;
    const next = [toSeeKlusterlet(kube.cluster.context, klusterletName, 'Wait until it is gone. Look at it')];
    throw new StellarError('conflict', message, { next });
  }
  const registeredAs = klusterlet.spec?.clusterName;
  if (registeredAs === name) return;
  const under = registeredAs ?? '(none)';
  throw elsewhere(kube, `is registered already, under the name ${under}; it was not joined as ${name}`);
}

/**
 * Refuses a name that another cluster has. Only a cluster with proof gets a name that has joined: the certificate of its agent, or
 * its recorded UID.
 * @param known what is known of the ITS, and the hub that the cluster is registered with
 * @throws StellarError `registered-elsewhere`, `name-taken`
 */
export async function requireOwnership(
  access: HubAccess,
  wec: JoiningWec,
  wecBefore: WecEvidence,
  hub: HubEvidence | undefined,
  known: Pick<KnownWec, 'endpoints' | 'found' | 'uidOfHub'>,
): Promise<Identity> {
  const { name, kube } = wec;
  if (access.kube === undefined || hub === undefined) return { state: 'unseen', found: 'the ITS was not asked' };
  const { managedCluster } = hub;
  const ofWec = { name, ...known, recordedUid: recordedUid(managedCluster) };
  const identity = await proveIdentity(access.kube, kube, wecBefore, ofWec);
  if (identity.state === 'proven') return identity;
  if (identity.state === 'other' && (managedCluster === undefined || wecBefore.klusterlet !== undefined))
    throw elsewhere(kube, `is not the ${name} of ${access.its}: ${identity.found}; it was not joined`);
  if (identity.state === 'unseen' && (await certificateName(access.kube, wecBefore, hub))) return { state: 'proven' };
  if (identity.state === 'other' || hasJoined(hub)) throw nameTaken(access, wec, hub, identity);
  return identity;
}

/**
 * Whether the cluster's agent was registered under this name until its certificate expired, and no other cluster since: no record
 * names another cluster, and no agent keeps the name available.
 */
async function certificateName(kube: Kube, { klusterlet, hubSecret }: WecEvidence, hub: HubEvidence) {
  const isRecorded = recordedUid(hub.managedCluster) !== undefined;
  if (klusterlet === undefined || hub.managedCluster === undefined || isRecorded) return false;
  if (certificateExpiry(hubSecret, kube.now()) === undefined || isAvailable(hub)) return false;
  const holder = await formerHolder(kube, hubSecret);
  return holder !== undefined && isAgentOf(hub.name, holder);
}

function nameTaken(
  { its }: HubAccess,
  { name, kube }: JoiningWec,
  hub: HubEvidence,
  { state, found }: Identity & { found: string },
): StellarError {
  const availability = isAvailable(hub) ? 'available' : 'not available';
  const there = hasJoined(hub) ? `has joined and is ${availability}` : 'asks for it';
  const cluster = describeCluster(kube.cluster);
  const message =
    state === 'other'
      ? `${name} is the name of another cluster on ${its}, which ${there}. About ${cluster}: ${found}.`
      : `${name} ${there} on ${its}, and ${cluster} is not proven to be it: ${found}.`;
  const remove = command`stellarctl deregister ${name} --force --its ${its}`;
  const lead =
    'Choose another name. If it is this cluster, reinstalled, remove its old registration first, then join again';
  return new StellarError('name-taken', message, { next: [run(remove, lead)] });
}
