import type { Evidence } from '../../engine/problem.ts';
import { clusterUidAnnotation, recordedUid } from '../../hub/cluster-uid.ts';
import { byCondition, byField } from '../../kube/evidence.ts';
import type { WithConditions } from '../../kube/objects.ts';
import { hubConnectionType } from '../registration/hub-connection.ts';
import { bootstrapRequests } from '../registration/hub-evidence.ts';
import type { RegistrationRequest } from '../registration/requests.ts';
import { nodelessPod, podProblem } from '../registration/wec-pods.ts';
import { validityOfAgent } from '../reregister/reregister.ts';
import { unsignedRequestOf } from './certificates.ts';
import { blockingCondition } from './deletion.ts';
import type { WecFindings } from './findings.ts';
import { klusterletWorkOf, unavailableAddonOf } from './mailbox.ts';

/** The evidence for checks of a WEC. */

export const byKlusterlet = ({ wec }: WecFindings): Evidence[] =>
  wec === undefined ? [] : byCondition('Klusterlet', wec.klusterlet, hubConnectionType, wec.context);

export const byAvailability = ({ hub, its }: WecFindings): Evidence[] =>
  byCondition('ManagedCluster', hub?.managedCluster, 'ManagedClusterConditionAvailable', its);

export const byLease = ({ hub, its }: WecFindings): Evidence[] =>
  hub?.lease === undefined ? [] : [byField('Lease', hub.lease, 'renewTime', its, { since: hub.lease.spec?.renewTime })];

export function byDeletion({ hub, its }: WecFindings): Evidence[] {
  const cluster = hub?.managedCluster;
  if (cluster === undefined) return [];
  const { deletionTimestamp: since, finalizers = [] } = cluster.metadata;
  const begun = byField('ManagedCluster', cluster, 'deletionTimestamp', its, { since });
  const held = byField('ManagedCluster', cluster, 'finalizers', its, { status: finalizers.join(', ') });
  return [
    begun,
    ...(finalizers.length === 0 ? [] : [held]),
    ...byCondition('ManagedCluster', cluster, 'Deleting', its),
  ];
}

const byRequest = ({ name, state, created, decided = created }: RegistrationRequest, its: string): Evidence => ({
  ...{ object: `CertificateSigningRequest ${name}`, on: its, condition: 'state' },
  ...{ status: state, since: new Date(state === 'approved' ? decided : created).toISOString() },
});

export const byRequests = ({ hub, its }: WecFindings): Evidence[] =>
  (hub === undefined ? [] : bootstrapRequests(hub)).map((request) => byRequest(request, its));

export function byUnsignedRequest(findings: WecFindings): Evidence[] {
  const request = unsignedRequestOf(findings);
  return request === undefined ? [] : [byRequest(request, findings.its)];
}

export function byPods({ wec, now }: WecFindings): Evidence[] {
  const stuck = podProblem(wec?.pods ?? [], now);
  if (wec === undefined || stuck === undefined) return [];
  return [byField('Pod', stuck.pod, 'containerStatuses', wec.context, { status: stuck.why })];
}

export function byNodelessPod({ wec }: WecFindings): Evidence[] {
  const nodeless = nodelessPod(wec?.pods ?? []);
  return wec === undefined ? [] : byCondition('Pod', nodeless?.pod, 'PodScheduled', wec.context);
}

export function byRecordedUid({ hub, its }: WecFindings): Evidence[] {
  const [cluster, status] = [hub?.managedCluster, recordedUid(hub?.managedCluster)];
  return cluster && status ? [byField('ManagedCluster', cluster, clusterUidAnnotation, its, { status })] : [];
}

const byNamespace = (namespace: WithConditions | undefined, on: string): Evidence[] =>
  byCondition('Namespace', namespace, blockingCondition(namespace) ?? '', on);

export const byMailbox = ({ contents, its }: WecFindings): Evidence[] => byNamespace(contents?.namespace, its);

export const byAgentNamespace = ({ surroundings }: WecFindings): Evidence[] =>
  surroundings === undefined ? [] : byNamespace(surroundings.ending[0], surroundings.context);

export const byWorkloadNamespace = ({ surroundings, endingOfWorks = [] }: WecFindings): Evidence[] =>
  surroundings === undefined ? [] : byNamespace(endingOfWorks[0], surroundings.context);

export function byCertificate(findings: WecFindings): Evidence[] {
  const { wec } = findings;
  const until = validityOfAgent(findings)?.to;
  if (wec?.hubSecret === undefined || until === undefined) return [];
  const status = `valid until ${new Date(until).toISOString()}`;
  return [byField('Secret', wec.hubSecret, 'tls.crt', wec.context, { status })];
}

export const byAddon = (findings: WecFindings): Evidence[] =>
  byCondition('ManagedClusterAddOn', unavailableAddonOf(findings), 'Available', findings.its);

export function byKlusterletWork(findings: WecFindings): Evidence[] {
  const work = klusterletWorkOf(findings);
  return work === undefined
    ? []
    : [byField('ManifestWork', work, 'Klusterlet', findings.its, { since: work.metadata.creationTimestamp })];
}
