import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run } from '../core/next-step.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import type { ConfigMap } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { noneGiven } from '../kube/kubeconfig/errors.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { serves } from '../kube/served.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';
import { configMapName, systemNamespace } from '../ocm/kubeflex-names.ts';
import { hostingContext } from './kubeconfig-extension.ts';

/** KubeFlex's settings, written when it is installed (ConfigMap kubeflex-config). */
export interface HostingConfig {
  domain: string;
  externalPort: number;
  isOpenShift: boolean;
}

/** @throws StellarError `not-a-hosting-cluster` if KubeFlex's API is not served */
export async function requireHosting(hosting: Kube): Promise<void> {
  if (!(await serves(hosting, resources.controlPlanes))) throw notHosting(hosting);
}

/** The error for a cluster that does not serve the kind ControlPlane. */
export function notHosting({ cluster }: Pick<Kube, 'cluster'>): StellarError {
  return new StellarError(
    'not-a-hosting-cluster',
    `${describeCluster(cluster)} is not a hosting cluster: it does not serve controlplanes.tenancy.kflex.kubestellar.org.`,
    {
      next: [
        advice('Give the context of the hosting cluster: --hosting-context CONTEXT'),
        run(command`stellarctl init --hosting-context ${cluster.context}`, 'Or install KubeStellar on it'),
      ],
    },
  );
}

/** @returns undefined if the ConfigMap does not exist */
export async function readHostingConfig(hosting: Pick<Kube, 'get'>): Promise<HostingConfig | undefined> {
  const map = await hosting.get<ConfigMap>(resources.configMaps, configMapName, { namespace: systemNamespace });
  if (map === undefined) return undefined;
  const { domain = '', externalPort = '', isOpenShift } = map.data ?? {};
  return { domain, externalPort: Number(externalPort), isOpenShift: isOpenShift === 'true' };
}

/** Detects OpenShift by its API groups, as kflex does (kubeflex v0.9.3, pkg/util/util.go, IsOpenShift). */
export async function servesOpenShift(kube: Kube): Promise<boolean> {
  const { groups = [] } = (await kube.read<{ groups?: { name: string }[] }>('/apis')) ?? {};
  return groups.some(({ name }) => name === 'route.openshift.io' || name === 'config.openshift.io');
}

export type HostingSource = '--hosting-context' | 'STELLARCTL_HOSTING_CONTEXT' | 'kubeconfig' | 'current context';

/**
 * Chooses the hosting cluster, in this order: the given context, the variable STELLARCTL_HOSTING_CONTEXT, the context that `init`
 * and kflex record in the kubeconfig, the current context. It never probes contexts.
 * @throws StellarError `usage` if none of these is set, `context-unknown`
 */
export function chooseHosting(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  kubeconfig: Kubeconfig,
): { context: SelectedContext; source: HostingSource } {
  const candidates: [string | undefined, HostingSource][] = [
    [given, '--hosting-context'],
    [env.STELLARCTL_HOSTING_CONTEXT || undefined, 'STELLARCTL_HOSTING_CONTEXT'],
    [hostingContext(kubeconfig), 'kubeconfig'],
    [kubeconfig.currentContext, 'current context'],
  ];
  for (const [name, source] of candidates)
    if (name !== undefined) return { context: selectContext(kubeconfig, name), source };
  throw noneGiven('No hosting cluster', '--hosting-context', kubeconfig);
}

/** How long a context may take to answer, in milliseconds. */
export const discoveryTimeoutMs = 2000;

/** Whether its credentials come from a program: an exec plugin may open a browser. */
const isByProgram = ({ user }: SelectedContext): boolean => user.exec !== undefined || Boolean(user['auth-provider']);

/**
 * The current context, if it leads to another hosting cluster than the noted one, as its kube-system shows. Asked only without a
 * program for its credentials.
 * @param connect opens a client that gives up within `patienceMs`
 */
export async function otherHosting(
  noted: SelectedContext,
  kubeconfig: Kubeconfig,
  connect: Connect,
): Promise<{ context: SelectedContext; line: string; error: StellarError } | undefined> {
  const name = kubeconfig.currentContext ?? noted.name;
  const current = ifSeen(await tryRead(async () => selectContext(kubeconfig, name)));
  if (current === undefined || current.server === noted.server || isByProgram(current)) return undefined;
  const kube = connect(current);
  if (ifSeen(await tryRead(() => serves(kube, resources.controlPlanes))) !== true) return undefined;
  const uidOf = async (cluster: Kube) => ifSeen(await tryRead(() => clusterUid(cluster)));
  const [uid, ofNoted] = await Promise.all([kube, connect(noted)].map(uidOf));
  if (uid !== undefined && uid === ofNoted) return undefined;
  const others = `the kubeconfig notes ${noted.name}, which is another one`;
  return {
    context: current,
    line: `Hosting cluster ${name} (${current.server}), the current context; ${others}`,
    error: new StellarError('usage', `The current context ${name} is a hosting cluster, and ${others}.`, {
      next: [advice('Give one: --hosting-context CONTEXT')],
    }),
  };
}
