import { seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { workOf } from '../../support/policy-builders.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

/** A WDS wds1, which sends through an ITS its1. */
export const openWds = (
  kube: Kube,
  its: Kube = new MemoryCluster().kube,
  changes: Partial<Wds> = {},
): Wds => ({
  ...{ name: 'wds1', isGiven: true, context: 'wds1', type: 'k8s', apiGroups: [], kube },
  its: seen({ name: 'its1', kube: its }),
  ...changes,
});

const generation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** A work of wds1 for a policy, of which the transport has noted a generation of its Binding. */
export function notedWork(policy: string, wec: string, noted?: string): KubeObject {
  const { metadata, ...rest } = workOf(policy, 'wds1', wec);
  const annotations = noted === undefined ? {} : { [generation]: noted };
  return { ...rest, metadata: { ...metadata, name: `${policy}-0`, annotations } };
}
