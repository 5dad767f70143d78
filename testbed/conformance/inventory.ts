import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { discover } from '../kube/discovery.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Plane } from '../plane/plane.ts';

/** What appears and disappears by itself, or belongs to the node, of which the record had none. */
const ignored = new Set([
  'APIService',
  'Endpoints',
  'EndpointSlice',
  'Event',
  'IPAddress',
  'Lease',
  'Node',
  'ServiceCIDR',
]);

/** All objects of a plane as the records list them, `apps/v1 Deployment namespace/name`, without generated suffixes. */
export async function inventory({ admin }: Plane): Promise<Set<string>> {
  const resources = (await discover(admin)).filter(({ kind }) => !ignored.has(kind));
  const lists = await Promise.all(
    resources.map(async (resource) => {
      const { items } = await admin.list<KubeObject>(resource).catch(() => ({ items: [] as KubeObject[] }));
      return items.map(
        ({ metadata }) => `${resource.apiVersion} ${resource.kind} ${metadata.namespace ?? ''}/${nameOf(metadata)}`,
      );
    }),
  );
  return new Set(lists.flat());
}

/** What is in one and not in the other. */
export function without(lines: Set<string>, others: Set<string>): Set<string> {
  return new Set([...lines].filter((line) => !others.has(line)));
}

/** One of the recorded lists. */
export async function recordedInventory(file: string): Promise<Set<string>> {
  const text = await readFile(join(import.meta.dirname, '..', 'expected', file), 'utf8');
  return new Set(text.trimEnd().split('\n'));
}

/** A name without generated parts. */
function nameOf({ name, generateName, labels, ownerReferences }: KubeObject['metadata']): string {
  const base = generateName ? generateName.replace(/-$/, '') : name;
  const hash = labels?.['pod-template-hash'];
  return hash && ownerReferences ? base.replace(`-${hash}`, '') : base;
}
