import type { Reader } from '../kube/client/client.ts';
import type { Deployment } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';

/** Without it ingress-nginx ends TLS itself, and control planes, which each have a certificate of their own, are not reached. */
export const passthroughFlag = '--enable-ssl-passthrough';

/** What leads from outside to control planes of type vcluster and k8s. */
export interface IngressState {
  /** The Deployment of ingress-nginx; undefined where there is none. */
  controller: Deployment | undefined;
  /** Whether it passes TLS through, as KubeFlex needs it. */
  passesTls: boolean;
}

/** Looks for ingress-nginx by the labels that its chart and its manifests give it. */
export async function readIngress(hosting: Pick<Reader, 'list'>): Promise<IngressState> {
  const labelSelector = 'app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller';
  const controllers = (await hosting.list<Deployment>(resources.deployments, { labelSelector })) ?? [];
  const passing = controllers.find(passesTls);
  return { controller: passing ?? controllers[0], passesTls: passing !== undefined };
}

/** The chart writes a switch as `--name=` or `--name=true`, the manifests as `--name`. */
function passesTls({ spec }: Deployment): boolean {
  const args = (spec?.template?.spec?.containers ?? []).flatMap((container) => container.args ?? []);
  return args.some((arg) => [passthroughFlag, `${passthroughFlag}=`, `${passthroughFlag}=true`].includes(arg));
}
