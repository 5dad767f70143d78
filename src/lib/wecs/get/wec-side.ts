import type { ClusterRef } from '../../kube/client/errors.ts';
import type { Pod } from '../../kube/objects.ts';
import type { LenientReader } from '../../kube/permissive-reader.ts';
import { hubOf } from '../klusterlet/agent.ts';
import { readWec, type WecEvidence } from '../registration/wec-evidence.ts';
import { conditionViews, type PodView, type WecSide } from './view.ts';

/** Reads what the WEC itself shows: what its stages are judged by, and what people look at. */
export async function readWecSide(
  wec: LenientReader,
  { context }: ClusterRef,
): Promise<{ evidence: WecEvidence; side: WecSide }> {
  const evidence = await readWec(wec);
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
  return { evidence, side };
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
    stuck: held === undefined ? null : [held.reason, held.message].filter(Boolean).join(': '),
    images: (spec?.containers ?? []).flatMap(({ image }) => image ?? []),
  };
}
