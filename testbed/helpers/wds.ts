import {
  bindingPolicies,
  bindings,
  combinedStatuses,
  customResourceDefinitions,
  customTransforms,
  statusCollectors,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { runControllers } from '../kubestellar/controller-manager.ts';
import { wdsCrds } from '../kubestellar/crds.ts';
import { runTransportController } from '../kubestellar/transport-controller.ts';
import type { WrapLimits } from '../kubestellar/wrapping.ts';
import type { Plane } from '../plane/plane.ts';

export interface RunningWds {
  /** As when the WDS cannot be reached: Bindings follow clusters, and works stay as they are. */
  stopTransport(): void;
  stop(): void;
}

/**
 * Makes a plane a WDS of an ITS, without KubeFlex: KubeStellar's two controllers run for it until they are stopped.
 * @param limits the maximum contents of one work, if it differs from the chart's
 */
export async function runWds(wds: Plane, its: Plane, limits?: WrapLimits): Promise<RunningWds> {
  for (const crd of wdsCrds) await wds.admin.ensure(customResourceDefinitions, crd);
  const served = () =>
    Promise.all(
      [bindingPolicies, bindings, combinedStatuses, customTransforms, statusCollectors].map((kind) =>
        wds.admin.list(kind),
      ),
    );
  await until(() => served().catch(() => undefined), 'served kinds of a WDS');
  const [binding, transport] = [new AbortController(), new AbortController()];
  const parts = { wds: wds.admin, its: its.admin, log: () => {} };
  const living = (life: AbortController) => AbortSignal.any([life.signal, wds.gone, its.gone]);
  void runControllers({ ...parts, wdsName: wds.name, allowedGroups: undefined, signal: living(binding) });
  void runTransportController({ ...parts, wdsName: wds.name, ...(limits && { limits }), signal: living(transport) });
  return {
    stopTransport: () => transport.abort(),
    stop: () => {
      transport.abort();
      binding.abort();
    },
  };
}
