import type { ClusterRef } from '../../kube/client/errors.ts';
import type { Pod, WithConditions } from '../../kube/objects.ts';
import type { PartialReader } from '../../kube/partial-reader.ts';
import { resources } from '../../kube/resources.ts';
import { agentNamespace, operatorNamespace } from '../../model/ocm-names.ts';
import { hubOf } from '../klusterlet/agent.ts';
import { readWec, type WecEvidence } from '../registration/wec-evidence.ts';
import { conditionViews, type PodView, type WecSide } from './view.ts';

/** What a WEC shows besides its registration. */
export interface Surroundings {
  context: string;
  /** The namespaces of operator and agents that are being deleted. */
  ending: WithConditions[];
}

/** Reads what the WEC itself shows: the evidence for its stages, and what `wec get` displays. */
export async function readWecSide(
  wec: PartialReader,
  { context }: ClusterRef,
): Promise<{ evidence: WecEvidence; side: WecSide; surroundings: Surroundings }> {
  const [evidence, ...namespaces] = await Promise.all([
    readWec(wec),
    ...[agentNamespace, operatorNamespace].map((name) => wec.get<WithConditions>(resources.namespaces, name)),
  ]);
  const ending = namespaces.flatMap((namespace) => (namespace?.metadata.deletionTimestamp ? [namespace] : []));
  const { klusterlet } = evidence;
  const side: WecSide = {
    context,
    klusterlet:
      klusterlet === undefined
        ? null
        : {
            clusterName: klusterlet.spec?.clusterName ?? null,
            mode: klusterlet.spec?.deployOption?.mode ?? null,
            hub: hubOf(evidence)?.server ?? null,
            conditions: conditionViews(klusterlet.status?.conditions),
          },
    pods: (evidence.pods ?? []).map(toPod),
  };
  return { evidence, side, surroundings: { context, ending } };
}

function toPod({ metadata, spec, status }: Pod): PodView {
  const containers = status?.containerStatuses ?? [];
  const held = containers.find(({ state }) => state?.waiting?.reason !== undefined)?.state?.waiting;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    phase: status?.phase ?? 'Unknown',
    ready: containers.length > 0 && containers.every(({ ready }) => ready === true),
    restarts: containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    waitingReason: held === undefined ? null : [held.reason, held.message].filter(Boolean).join(': '),
    images: (spec?.containers ?? []).flatMap(({ image }) => image ?? []),
  };
}
