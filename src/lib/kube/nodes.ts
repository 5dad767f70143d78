import { quantityToScalar } from '@kubernetes/client-node/dist/util.js';
import type { Node, Pod } from './client/objects.ts';

/**
 * What each node has left for pods, as the scheduler counts: by what pods request. Nodes that take no pods without tolerations have no
 * part in it.
 * @param pods of all namespaces @returns thousandths of a core
 */
export const cpuLeft = (nodes: readonly Node[], pods: readonly Pod[]): number[] =>
  nodes.filter(takesPods).map(({ metadata, status }) => {
    const present = pods.filter(({ spec }) => spec?.nodeName === metadata.name);
    return present.reduce(
      (left, pod) => left - requestOf(pod),
      thousandths(status?.allocatable?.cpu),
    );
  });

const takesPods = ({ spec }: Node) =>
  !spec?.unschedulable && !spec?.taints?.some(({ effect }) => effect !== 'PreferNoSchedule');

/** @returns 0 for a pod that has ended, or that makes room for any other: placeholders of autoscalers have negative priorities */
function requestOf({ spec, status }: Pod) {
  if (/Succeeded|Failed/.test(status?.phase ?? '') || (spec?.priority ?? 0) < 0) return 0;
  const sidecars =
    spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  const requests = [...(spec?.containers ?? []), ...sidecars].map(
    (each) => each.resources?.requests?.cpu,
  );
  return requests.reduce((sum, cpu) => sum + thousandths(cpu), 0);
}

const thousandths = (cpu = '0') => Math.round(Number(quantityToScalar(cpu)) * 1000);
