import dns from 'node:dns/promises';
import { type Check, type Outcome, pass, skipped, warn } from '../../core/checks.ts';
import { advice, command, type NextStep, run } from '../../core/next-step.ts';
import {
  ifSeen,
  mayNotRead,
  type PartialReader,
  partialReader,
  tryRead,
} from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { isTrue, resources } from '../../kube/client/objects.ts';
import { isLocalName } from '../../kube/client/proxy.ts';
import { apiServerOf, ingressClass } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import {
  type Entrance,
  entranceOf,
  noIngress,
  problemOfEntrance,
  seeIngress,
} from '../hosting/entrance.ts';
import { type HostingConfig, readHostingConfig, servesOpenShift } from '../hosting/hosting.ts';
import { readAccess } from '../space/space-access.ts';
import { listControlPlanes, typeOf } from '../space/spaces.ts';

export const namesCheck: Check<{ kube: Kube }> = {
  id: 'names',
  title: 'the names of its spaces are resolved',
  run: ({ kube }) => judgeNames(kube),
};

export const reachedCheck: Check<{ kube: Kube }> = {
  id: 'ingress',
  title: 'clients reach its spaces at their addresses',
  run: ({ kube }) => judgeEntrance(kube),
};

/**
 * Tries the addresses of the spaces that are running and reached through an ingress or a route. Before there is one, something must
 * serve the class of the Ingresses that KubeFlex writes.
 */
async function judgeEntrance(kube: Kube): Promise<Outcome> {
  const hosting = partialReader(kube);
  const spaces = (await listControlPlanes(hosting)).filter(
    (space) => apiServerOf[typeOf(space)] !== undefined && isTrue(space, 'Ready'),
  );
  if (spaces.length === 0) return judgeClass(kube, hosting);
  const config = await readHostingConfig(hosting);
  const tried = (await Promise.all(spaces.map((space) => tryOne(hosting, space, config)))).flat();
  if (tried.length === 0)
    return skipped('you may not read the addresses of its spaces, or a proxy leads to them');
  const unreached = tried.flatMap(({ name, entrance }) => {
    const found = problemOfEntrance(entrance, kube.cluster.context);
    return found === undefined ? [] : [{ name, found }];
  });
  const [first] = unreached;
  if (first === undefined)
    return pass(tried.map(({ entrance }) => new URL(entrance.server).host).join(', '));
  const { code, why, next } = first.found;
  return warn(
    code,
    `${why}; clients do not reach ${unreached.map(({ name }) => name).join(', ')}`,
    ...next,
  );
}

async function tryOne(
  hosting: PartialReader,
  space: ControlPlane,
  config: HostingConfig | undefined,
): Promise<{ name: string; entrance: Entrance }[]> {
  const context = ifSeen(ifSeen(await tryRead(() => readAccess(space, hosting))));
  const entrance = context && (await entranceOf(context, hosting, config));
  return entrance === undefined ? [] : [{ name: space.metadata.name, entrance }];
}

/** Before there is a space to try: whether KubeFlex can use an ingress of the hosting cluster. */
async function judgeClass(kube: Kube, hosting: PartialReader): Promise<Outcome> {
  if (await servesOpenShift(kube)) return pass('OpenShift uses routes');
  const { name } = ingressClass;
  const present = await hosting.get(resources.ingressClasses, name);
  if (hosting.forbidden.size > 0) return skipped(mayNotRead(hosting.forbidden));
  if (present !== undefined) return pass(`IngressClass ${name}`);
  const affected =
    'spaces of type vcluster and k8s are not reachable (those of type host and external are)';
  return warn('ingress-missing', `${noIngress}; ${affected}`, seeIngress);
}

/**
 * A command of kubectl on a space: where this machine does not resolve a name that stellarctl knows to be local, with its address.
 * @param words after `kubectl --context CONTEXT`
 */
export async function kubectlOn(
  { context, server }: { context: string; server: string },
  words: readonly string[],
): Promise<NextStep> {
  const { hostname, port } = new URL(server);
  if (!isLocalName(hostname) || (await dns.lookup(hostname).catch(() => undefined)))
    return run(command`kubectl --context ${context} ${words}`);
  const at = ['--server', `https://127.0.0.1:${port}`, '--tls-server-name', hostname];
  return run(
    command`kubectl --context ${context} ${at} ${words}`,
    `This machine does not resolve ${hostname}`,
  );
}

/**
 * Resolves a name of the form that control planes get. stellarctl knows KubeFlex's own domain without DNS; kubectl and other
 * programs do not, and some resolvers drop answers of 127.0.0.1.
 *
 */
export async function judgeNames(kube: Kube): Promise<Outcome> {
  const config = await readHostingConfig(partialReader(kube));
  if (config === undefined) return skipped('KubeFlex is not installed, or you may not read it');
  if (config.isOpenShift) return skipped('OpenShift uses routes');
  const host = `its1.${config.domain}`;
  const why = `${host} cannot be resolved on this machine: kubectl needs it, stellarctl does not`;
  const hosts = `or put a line for each space into the hosts file: 127.0.0.1 ${host}`;
  return dns.lookup(host).then(
    ({ address }) => pass(`${host} is ${address}`),
    () =>
      warn('names-unresolved', why, advice(`Let your DNS answer for *.${config.domain}, ${hosts}`)),
  );
}
