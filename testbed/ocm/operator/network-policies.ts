import type { AnyObject } from '../../kube/objects.ts';
import { networkPolicies } from '../../kube/resources.ts';
import type { Wanted } from './klusterlet-spec.ts';

/** Whether the Klusterlet asks for them: a feature gate of OCM after 1.3.1, off by default. */
const isEnabled = ({ spec }: Wanted): boolean =>
  spec.registrationConfiguration?.featureGates?.some(
    ({ feature, mode }) => feature === 'NetworkPolicies' && mode === 'Enable',
  ) === true;

const tcp = (...ports: number[]) => ports.map((port) => ({ ports: [{ protocol: 'TCP', port }] }));
const dns = [53, 5353].map((port) => ({ ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port })) }));

/**
 * The NetworkPolicies of the agents' namespace (ocm manifests/klusterlet/management). Unlike the operator's other objects, they have no
 * labels.
 */
export function networkPoliciesFor(wanted: Wanted): AnyObject[] {
  if (!isEnabled(wanted)) return [];
  const { apiVersion, kind } = networkPolicies;
  const policy = (name: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: wanted.namespace },
    spec,
  });
  const fromOwn = [{ from: [{ podSelector: {} }] }];
  const toOwn = { to: [{ podSelector: {} }] };
  const both = ['Ingress', 'Egress'];
  const of = (app: string, ...egress: object[]) =>
    policy(app, { podSelector: { matchLabels: { app } }, policyTypes: both, ingress: fromOwn, egress });
  return [
    policy('default-deny-all', { podSelector: {}, policyTypes: both }),
    policy('allow-dns-and-api', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [...dns, ...tcp(443), ...tcp(6443)],
    }),
    of('klusterlet', toOwn, ...tcp(443)),
    of('klusterlet-agent', ...tcp(443), ...tcp(9443), toOwn),
  ];
}
