import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { listServed } from '../kube/served.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import type { Unread } from '../ocm/policies.ts';
import { contextFor, isSameCluster, reachSpace } from '../spaces/space-access.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import { itsOfWds, roleOf } from '../spaces/spaces.ts';

/** A WDS that may send workloads through the ITS. */
export interface FoundWds {
  name: string;
  kube: Kube;
  /** The kubeconfig context of the WDS, if there is one. */
  context: string | undefined;
  /** Why only works on this ITS can prove that the WDS sends through it; undefined if the hosting cluster proves it. */
  itsUnknown: string | undefined;
}

export interface Its {
  kube: Kube;
  context: SelectedContext;
}

/** Returns the WDSes of a hosting cluster that send, or may send, workloads through an ITS. */
export async function hostedWdses(its: Its, tools: SpaceTools): Promise<{ found: FoundWds[]; unread: Unread[] }> {
  const all = await listServed<ControlPlane>(tools.hosting, resources.controlPlanes);
  const answers = new Map<string, Promise<string | undefined | false>>();
  const whyItsUnknown = (controlPlane: ControlPlane) => {
    const { name } = controlPlane.metadata;
    const known = answers.get(name) ?? compareWithIts(its, controlPlane, tools);
    answers.set(name, known);
    return known;
  };
  const found = await Promise.all(
    all
      .filter((controlPlane) => roleOf(controlPlane) === 'wds')
      .map(async (wds): Promise<FoundWds | Unread | undefined> => {
        const { name } = wds.metadata;
        const sendsThrough = itsOfWds(name, all);
        const itsUnknown =
          sendsThrough === undefined ? 'which ITS it sends through is unknown' : await whyItsUnknown(sendsThrough);
        if (itsUnknown === false) return undefined;
        const access = await reachSpace(wds, tools);
        if (access.state !== 'seen') return { wds: name, why: access.why };
        return { name, kube: tools.connect(access.value), context: contextFor(wds, tools), itsUnknown };
      }),
  );
  return {
    found: found.filter((wds) => wds !== undefined && 'kube' in wds),
    unread: found.filter((wds) => wds !== undefined && 'why' in wds),
  };
}

/** Whether a control plane is this ITS: undefined for yes, false for no, otherwise why this is unknown. */
async function compareWithIts(
  its: Its,
  controlPlane: ControlPlane,
  tools: SpaceTools,
): Promise<string | undefined | false> {
  const isSame = await isSameCluster(its.kube, controlPlane, tools);
  if (isSame.state === 'seen') return isSame.value ? undefined : false;
  return `whether its ITS ${controlPlane.metadata.name} is ${its.context.name} is not known: ${isSame.why}`;
}
