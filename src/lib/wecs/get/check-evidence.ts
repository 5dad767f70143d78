import type { Evidence } from '../../engine/problem.ts';
import { byCondition, byField } from '../../kube/evidence.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import { hubConnectionType } from '../registration/hub-connection.ts';
import { bootstrapRequests } from '../registration/hub-evidence.ts';
import type { RegistrationRequest } from '../registration/requests.ts';
import { validityOfAgent } from '../reregister/reregister.ts';
import type { WecFindings } from './findings.ts';

/** The evidence that several checks of a WEC are judged by. */

export const byKlusterlet = ({ wec }: WecFindings): Evidence[] =>
  wec === undefined ? [] : byCondition('Klusterlet', wec.klusterlet, hubConnectionType, wec.context);

export const byAvailability = ({ hub, its }: WecFindings): Evidence[] =>
  byCondition('ManagedCluster', hub?.managedCluster, 'ManagedClusterConditionAvailable', its);

export const byLease = ({ hub, its }: WecFindings): Evidence[] =>
  hub?.lease === undefined ? [] : [byField('Lease', hub.lease, 'renewTime', its, { since: hub.lease.spec?.renewTime })];

export function byDeletion(cluster: ManagedCluster, its: string): Evidence[] {
  const { deletionTimestamp: since, finalizers = [] } = cluster.metadata;
  const begun = byField('ManagedCluster', cluster, 'deletionTimestamp', its, { since });
  const held = byField('ManagedCluster', cluster, 'finalizers', its, { status: finalizers.join(', ') });
  return [
    begun,
    ...(finalizers.length === 0 ? [] : [held]),
    ...byCondition('ManagedCluster', cluster, 'Deleting', its),
  ];
}

export const byRequest = ({ name, state, created, decided = created }: RegistrationRequest, its: string): Evidence => ({
  ...{ object: `CertificateSigningRequest ${name}`, on: its, condition: 'state' },
  ...{ status: state, since: new Date(state === 'approved' ? decided : created).toISOString() },
});

export const byRequests = ({ hub, its }: WecFindings): Evidence[] =>
  (hub === undefined ? [] : bootstrapRequests(hub)).map((request) => byRequest(request, its));

export function byCertificate(findings: WecFindings): Evidence[] {
  const { wec } = findings;
  const until = validityOfAgent(findings)?.to;
  if (wec?.hubSecret === undefined || until === undefined) return [];
  const status = `valid until ${new Date(until).toISOString()}`;
  return [byField('Secret', wec.hubSecret, 'tls.crt', wec.context, { status })];
}
