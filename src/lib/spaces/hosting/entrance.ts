import { advice, command, type NextStep, run } from '../../core/next-step.ts';
import type { PartialReader } from '../../kube/access.ts';
import { nameOfServer } from '../../kube/client/credentials.ts';
import { whyNetworkFails } from '../../kube/client/errors.ts';
import { resources } from '../../kube/client/objects.ts';
import { proxyOf } from '../../kube/client/proxy.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { errorAt } from '../../ocm/hub/endpoint.ts';
import { ingressClass } from '../../ocm/model/kubeflex-names.ts';
import type { HostingConfig } from './hosting.ts';

/** What answers at the address of a space, which its clients use. */
export interface Entrance {
  /** The https URL. */
  server: string;
  /** Why that is not the space, without a full stop; undefined if it is. */
  other: string | undefined;
  /** Another port of the same host at which the space itself answers. */
  rightPort: number | undefined;
  /** Whether nothing serves the Ingresses that KubeFlex writes. */
  lacksIngress?: boolean;
}

/** Tries the address of a space, with what its hosting cluster shows. @param config KubeFlex's settings, if they may be read */
export async function entranceOf(
  context: SelectedContext,
  hosting: PartialReader,
  config: HostingConfig | undefined,
): Promise<Entrance | undefined> {
  const entrance = await tryEntrance(context, config?.externalPort);
  if (entrance?.other === undefined || config?.isOpenShift) return entrance;
  const served = await hosting.get(resources.ingressClasses, ingressClass.name);
  const lacksIngress = served === undefined && !hosting.forbidden.has('ingressclasses');
  return { ...entrance, lacksIngress };
}

/**
 * Tries the address of a space, from this machine: the space itself must answer there to its name, with a certificate of its own
 * authority. What an ingress is called, and how it is configured, does not matter.
 * @param context its published one @param externalPort that of KubeFlex's settings, if they may be read
 * @returns undefined if it cannot be judged: behind a proxy, with another name for TLS, or without an authority
 */
export async function tryEntrance(
  context: SelectedContext,
  externalPort: number | undefined,
): Promise<Entrance | undefined> {
  const { server, cluster } = context;
  const hasAuthority = cluster['certificate-authority-data'] !== undefined;
  if (!hasAuthority || cluster['tls-server-name'] !== undefined || proxyOf(context) !== undefined)
    return undefined;
  const whyOther = async (address: string) => {
    const error = await errorAt('', address, cluster);
    const why = error && whyNetworkFails(error.cause ?? error);
    if (error?.code !== 'tls-error') return why;
    return `a server answers with the certificate "${await nameOfServer(address)}", and ${why}`;
  };
  const other = await whyOther(server);
  // That of https, and KubeFlex's default.
  const ports = other === undefined ? [] : [externalPort ?? 443, 443, 9443];
  const { hostname, port: present } = new URL(server);
  const others = [...new Set(ports)].filter((port) => port !== Number(present || 443));
  const tried = await Promise.all(
    others.map((port) => errorAt('', `https://${hostname}:${port}`, cluster)),
  );
  return { server, other, rightPort: others[tried.indexOf(undefined)] };
}

export const seeIngress = advice('See docs/installation.md, "The ingress"');

export const noIngress = `the hosting cluster has no IngressClass ${ingressClass.name}, so no ingress that KubeFlex can use`;

/**
 * What is wrong with the answer at the address of a space, without a full stop. @returns undefined if the space itself answers, with a certificate that clients accept
 * @param hosting the context of the hosting cluster
 */
export function problemOfEntrance(
  { server, other, rightPort, lacksIngress }: Entrance,
  hosting: string,
) {
  if (other === undefined) return undefined;
  const why = `the space does not answer at its address ${new URL(server).host}: ${other}`;
  if (lacksIngress)
    return { code: 'ingress-missing', why: `${why}; ${noIngress}`, next: [seeIngress] };
  if (rightPort === undefined) return { code: 'address-not-the-space', why, next: [seeIngress] };
  const init = command`stellarctl init --hosting-context ${hosting} --external-port ${String(rightPort)}`;
  const next: NextStep[] = [
    run(init, 'Publish that port for new spaces'),
    advice('An existing space keeps its address: delete it, and create it again'),
  ];
  return { code: 'address-not-the-space', why: `${why}; it answers at port ${rightPort}`, next };
}
