import { describeCluster } from '../../lib/kube/client/errors.ts';
import type { Moving } from '../../lib/wecs/join/options.ts';
import { fateOf } from '../../lib/wecs/join/works-left.ts';

/** What happens to a WEC that is moved from one hub to another, said before the user agrees. */
export function describeMoving({ name, cluster, from, its, works, labels }: Moving): string[] {
  const fate = works === undefined ? 'which works of that hub run on it could not be read' : fateOf(works, its);
  return [
    `${name}: ${describeCluster(cluster)} is registered with the hub ${from}, and will be moved to ${its}.`,
    `  On that hub: its ManagedCluster ${name} stays, becomes unavailable after some minutes, and has to be deregistered there.`,
    ...(labels.length === 0
      ? []
      : [`  Labels: those that it had at its last join are set on ${its} only with ${labels.join(' ')}.`]),
    `  Workloads: ${fate ?? 'no work of that hub runs on it'}.`,
  ];
}
