import { fail, type Outcome, pass, skipped, warn } from '../../engine/checks.ts';
import { advice } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Node, Pod } from '../../kube/objects.ts';
import { mayNotRead, partialReader } from '../../kube/partial-reader.ts';
import { parseQuantity } from '../../kube/quantity.ts';
import { resources } from '../../kube/resources.ts';
import { minorOf, oldestKubernetes, testedFor } from '../../model/supported-kubernetes.ts';
import { compareVersions } from '../../programs/version.ts';
import { requests } from '../klusterlet/operator.ts';
import { wecProblem } from '../problems.ts';

/** Whether agents run on a version of Kubernetes. @param gitVersion as `v1.32.13+k3s1` */
export function judgeKubernetes(gitVersion = ''): Outcome {
  const version = minorOf(gitVersion);
  if (version === undefined) return skipped('its API server does not say its version');
  const isBefore = (other: string) => compareVersions(version, other) < 0;
  const upgrade = advice('Upgrade the cluster');
  if (isBefore(oldestKubernetes))
    return fail('kubernetes-too-old', `it is ${version}, and agents need ${oldestKubernetes} or later`, upgrade);
  const tested = testedFor('agent');
  if (!tested.every(isBefore)) return pass(version);
  return warn('kubernetes-untested', `it is ${version}, older than any that is tested: ${tested.join(', ')}`, upgrade);
}

/** The pods of the agent's Deployments in mode Singleton: operator and agent. In mode Default there is one more. */
const podsNeeded = 2;

/** Whether the nodes have room for the agent. Reads only. */
export async function judgeRoom(kube: Kube): Promise<Outcome> {
  const reader = partialReader(kube);
  const running = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };
  const [nodes, pods] = await Promise.all([
    reader.list<Node>(resources.nodes),
    reader.list<Pod>(resources.pods, running),
  ]);
  if (nodes === undefined || pods === undefined) return skipped(mayNotRead(reader.forbidden));
  const room = nodes.filter(isOpen).reduce((sum, node) => sum + podsThatFit(node, pods), 0);
  if (room >= podsNeeded) return pass();
  const message = `its nodes have room for ${room} of the ${podsNeeded} pods of the agent, each of which requests ${requests.cpu} of CPU and ${requests.memory} of memory; ${nodes.filter(isOpen).length} of ${nodes.length} nodes take new pods`;
  const step = advice('Add a node, or free one. If nodes are added when a pod needs one, join it anyway');
  return { status: 'fail', problem: wecProblem('pod-unschedulable', message, step) };
}

/** Agents tolerate no taint. Nodes that are not ready or under pressure have one, as those that are cordoned. */
const isOpen = ({ spec }: Node): boolean =>
  !spec?.taints?.some(({ effect }) => /^No(Schedule|Execute)$/.test(effect ?? ''));

function podsThatFit({ metadata, status }: Node, pods: readonly Pod[]): number {
  const allocatable: Quantities = status?.allocatable ?? {};
  const present = pods.filter(({ spec }) => spec?.nodeName === metadata.name);
  const requested = present.flatMap(
    ({ spec }) => spec?.containers?.map(({ resources }): Quantities => resources?.requests ?? {}) ?? [],
  );
  const fit = (['cpu', 'memory'] as const).map((name) => {
    const used = requested.reduce((sum, each) => sum + parseQuantity(each[name]), 0);
    // Sums of fractions are not exact.
    return Math.floor((parseQuantity(allocatable[name]) - used) / parseQuantity(requests[name]) + 1e-9);
  });
  return Math.max(0, Math.min(parseQuantity(allocatable.pods) - present.length, ...fit));
}

type Quantities = Readonly<Record<string, string>>;
