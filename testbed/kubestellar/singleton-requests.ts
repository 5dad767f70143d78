import { type Binding, type BoundObject, objectsOf } from './bindings.ts';
import type { WorkloadObjects } from './workload-objects.ts';

/** The number of objects that an error lists. */
const examples = 4;

/**
 * The error of a policy that asks for the status of one cluster while the objects go to none or to several, for all policies that
 * ask for it of the same object together (kubestellar pkg/binding/binding.go).
 */
export function singletonErrors(
  own: Binding['spec'],
  others: readonly Binding['spec'][],
  workload: WorkloadObjects,
): string[] {
  const specs = [own, ...others];
  const wrong = objectsOf(own).flatMap((object) => {
    const asking = specs.filter((spec) =>
      objectsOf(spec).some((other) => other.wantSingletonReportedState && isSame(object, other)),
    );
    const clusters = new Set(asking.flatMap(({ destinations = [] }) => destinations.map(({ clusterId }) => clusterId)));
    return asking.length > 0 && clusters.size !== 1 ? [{ object, count: clusters.size }] : [];
  });
  if (wrong.length === 0) return [];
  const told = wrong.slice(0, examples).map(({ object, count }) => ({
    ObjectID: {
      GVK: { Group: object.group, Version: object.version, Kind: workload.find(object)?.resource.kind ?? '' },
      Resource: object.resource,
      ObjectName: { Namespace: object.namespace ?? '', Name: object.name },
    },
    NumWECs: count,
  }));
  const what =
    'Singleton reported status return is requested but some objects have the wrong number of associated WECs';
  return [`${what}, for example: ${JSON.stringify(told)}`];
}

function isSame(one: BoundObject, other: BoundObject): boolean {
  return (['group', 'version', 'resource', 'namespace', 'name'] as const).every((field) => one[field] === other[field]);
}
