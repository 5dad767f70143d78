import type { Reader } from '../kube/client/client.ts';
import type { Deployment } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';

/** Without it ingress-nginx terminates TLS, and control planes, each with its own certificate, are not reachable. */
export const passthroughFlag = '--enable-ssl-passthrough';

/** The ingress through which control planes of type vcluster and k8s are reachable from outside the cluster. */
export interface IngressState {
  /** The Deployment of ingress-nginx; undefined if not found. */
  controller: Deployment | undefined;
  /** Whether TLS passthrough, which KubeFlex requires, is enabled. */
  passesTls: boolean;
}

/** Finds ingress-nginx by the labels that its chart and its manifests set. */
export async function readIngress(hosting: Pick<Reader, 'list'>): Promise<IngressState> {
  const labelSelector = 'app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller';
  const controllers = (await hosting.list<Deployment>(resources.deployments, { labelSelector })) ?? [];
  const passing = controllers.find(passesTls);
  return { controller: passing ?? controllers[0], passesTls: passing !== undefined };
}

/** The chart writes a boolean flag as `--name=` or `--name=true`, the manifests as `--name`. */
function passesTls({ spec }: Deployment): boolean {
  const args = (spec?.template?.spec?.containers ?? []).flatMap((container) => container.args ?? []);
  return args.some((arg) => [passthroughFlag, `${passthroughFlag}=`, `${passthroughFlag}=true`].includes(arg));
}
