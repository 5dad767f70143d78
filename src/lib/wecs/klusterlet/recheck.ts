import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import { klusterletName } from '../../model/ocm-names.ts';
import type { Klusterlet } from '../../model/ocm-objects.ts';

/** Any change of a Klusterlet makes its operator check the hub at once; otherwise it checks every five minutes. */
const askedAnnotation = 'stellarctl.kubestellar.io/asked-at';

/** Makes the operator of exactly this Klusterlet check its hub again. */
export async function requestRecheck(kube: Kube, { metadata: { uid } }: Klusterlet): Promise<void> {
  const annotations = { [askedAnnotation]: new Date(kube.now()).toISOString() };
  await kube.merge(resources.klusterlets, klusterletName, { metadata: { uid, annotations } });
}
