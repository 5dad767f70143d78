import type { Api, Dial } from '../kube/api.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeObject, Pod } from '../kube/objects.ts';
import { networkPolicies } from '../kube/resources.ts';

interface NetworkPolicy extends KubeObject {
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes?: string[];
    egress?: { ports?: { port?: number }[]; to?: object[] }[];
  };
}

/** How long a Go client waits for a connection whose packets are dropped. */
const dialTimeout = 30_000;

/** Lets a pod connect only to the ports that the NetworkPolicies of its namespace allow, as they are when its container starts. */
export async function withinEgress(api: Api, { metadata }: Pod, dial: Dial): Promise<Dial> {
  const { namespace = '', labels = {} } = metadata;
  const { items } = await api.list<NetworkPolicy>(networkPolicies, { namespace }).catch((error: unknown) => {
    // Stubs of managed clusters do not serve them.
    if (isNotFound(error)) return { items: [] };
    throw error;
  });
  const own = items.filter(({ spec }) => {
    const wanted = Object.entries(spec.podSelector.matchLabels ?? {});
    return spec.policyTypes?.includes('Egress') && wanted.every(([key, value]) => labels[key] === value);
  });
  if (own.length === 0) return dial;
  const rules = own.flatMap(({ spec }) => spec.egress ?? []).filter(({ to }) => to === undefined);
  const allowed = new Set(rules.flatMap(({ ports = [] }) => ports.map(({ port }) => port)));
  return (host, port) => {
    const route = dial(host, port);
    return allowed.has(port) ? route : { ...route, lostAfter: dialTimeout };
  };
}
