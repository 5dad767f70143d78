import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import type { ConfigMap } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { noneGiven } from '../kube/kubeconfig/errors.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { serves } from '../kube/served.ts';
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
