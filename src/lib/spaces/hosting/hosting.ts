import type { Waiting } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { isObject } from '../../core/text/formats.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import type { Connect, Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { type ConfigMap, onlyOf, resources } from '../../kube/client/objects.ts';
import type {
  ContextToSet,
  ExtensionEdit,
  PresentContext,
} from '../../kube/kubeconfig/contexts.ts';
import type { KubeconfigTarget } from '../../kube/kubeconfig/edit.ts';
import { type Entry, noneGiven } from '../../kube/kubeconfig/entries.ts';
import {
  type ContextEntry,
  type Kubeconfig,
  type SelectedContext,
  selectContext,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { serves } from '../../kube/served.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import { configMapName, systemNamespace } from '../../ocm/model/kubeflex-names.ts';

/** KubeFlex's settings, written when it is installed (ConfigMap kubeflex-config). */
export type HostingConfig = NonNullable<Awaited<ReturnType<typeof readHostingConfig>>>;

/** @throws StellarError `not-a-hosting-cluster` if KubeFlex's API is not served */
export async function requireHosting(hosting: Kube): Promise<void> {
  if (!(await serves(hosting, resources.controlPlanes))) throw notHosting(hosting);
}

/** The error for a cluster that does not serve the kind ControlPlane. */
export function notHosting({ cluster }: Pick<Kube, 'cluster'>): StellarError {
  const why = 'it does not serve controlplanes.tenancy.kflex.kubestellar.org';
  const give = advice('Give the context of the hosting cluster: --hosting-context CONTEXT');
  const install = run(
    command`stellarctl init --hosting-context ${cluster.context}`,
    'Or install KubeStellar on it',
  );
  // Service accounts are those of roles, or of pipelines, whose author knows where to install.
  const ask = advice('Without access to it, ask its administrator to run this command');
  return new StellarError(
    'not-a-hosting-cluster',
    `${describeCluster(cluster)} is not a hosting cluster: ${why}.`,
    give,
    cluster.token?.user?.startsWith('system:serviceaccount:') ? ask : install,
  );
}

/** @returns undefined if the ConfigMap does not exist */
export async function readHostingConfig(hosting: Pick<Kube, 'get'>) {
  const map = await hosting.get<ConfigMap>(resources.configMaps, configMapName, {
    namespace: systemNamespace,
  });
  if (map === undefined) return undefined;
  const { domain = '', externalPort = '', isOpenShift } = map.data ?? {};
  return { domain, externalPort: Number(externalPort), isOpenShift: isOpenShift === 'true' };
}

/** Detects OpenShift by its API groups, as kflex does (kubeflex v0.9.3, pkg/util/util.go, IsOpenShift). */
export async function servesOpenShift(kube: Kube): Promise<boolean> {
  const { groups = [] } = (await kube.read<{ groups?: { name: string }[] }>('/apis')) ?? {};
  return groups.some(({ name }) => name === 'route.openshift.io' || name === 'config.openshift.io');
}

export type HostingSource =
  | '--hosting-context'
  | 'STELLARCTL_HOSTING_CONTEXT'
  | 'kubeconfig'
  | 'current context';

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
const isByProgram = ({ user }: SelectedContext) =>
  user.exec !== undefined || Boolean(user['auth-provider']);

/**
 * The current context, if it leads to another hosting cluster than the noted one, as its kube-system shows. Asked only without a
 * program for its credentials.
 * @param connect opens a client that gives up within `discoveryTimeoutMs`
 */
export async function otherHosting(
  noted: SelectedContext,
  kubeconfig: Kubeconfig,
  connect: Connect,
): Promise<{ context: SelectedContext; line: string; error: StellarError } | undefined> {
  const name = kubeconfig.currentContext ?? noted.name;
  const current = ifSeen(await tryRead(() => selectContext(kubeconfig, name)));
  if (current === undefined || current.server === noted.server || isByProgram(current))
    return undefined;
  const kube = connect(current);
  if (ifSeen(await tryRead(() => serves(kube, resources.controlPlanes))) !== true) return undefined;
  const uidOf = async (cluster: Kube) => ifSeen(await tryRead(() => clusterUid(cluster)));
  const [uid, ofNoted] = await Promise.all([kube, connect(noted)].map(uidOf));
  if (uid !== undefined && uid === ofNoted) return undefined;
  const others = `the kubeconfig notes ${noted.name}, which is another one`;
  return {
    context: current,
    line: `Hosting cluster ${name} (${current.server}), the current context; ${others}`,
    error: new StellarError(
      'usage',
      `The current context ${name} is a hosting cluster, and ${others}.`,
      advice('Give one: --hosting-context CONTEXT'),
    ),
  };
}

/**
 * The data that KubeFlex's command line, kflex, stores in kubeconfigs: extensions named `kubeflex`, each a ConfigMap without its
 * kind, at the top level and at contexts. Source: kubeflex v0.9.3, pkg/kubeconfig/extensions.go.
 */
const extensionName = 'kubeflex';
const hostingContextKey = 'hosting-cluster-ctx-name';
const isHostingKey = 'is-hosting-cluster-ctx';
const controlPlaneKey = 'controlplane-name';

/** The hosting cluster's context as recorded by kflex or stellarctl; undefined if none is recorded or it no longer exists. */
export function hostingContext({ extensions, contexts }: Kubeconfig): string | undefined {
  const top = dataOf(extensions.get(extensionName));
  const marked = [...contexts].filter(
    ([, context]) => contextData(context)[isHostingKey] === 'true',
  );
  const candidates = [top[hostingContextKey], onlyOf(marked)?.[0]];
  return candidates.find((name) => name !== undefined && contexts.has(name));
}

/** The control plane of a context, as recorded by kflex or stellarctl. */
export function controlPlaneOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[controlPlaneKey];
}

/**
 * The hosting cluster's context for the control plane of a context. Only stellarctl records it: control planes of several hosting
 * clusters may have the same name.
 */
export function hostingOf(context: ContextEntry | Entry | undefined): string | undefined {
  return contextData(context)[hostingContextKey];
}

/** For setContext: marks a context with its control plane, and allows replacing contexts of that control plane. */
export function forControlPlane(
  name: string,
  hosting: string,
): Required<Pick<ContextToSet, 'extensions' | 'isOurs'>> {
  return {
    extensions: {
      [extensionName]: withData({ [controlPlaneKey]: name, [hostingContextKey]: hosting }),
    },
    // A context from kflex does not record its hosting cluster. It may belong to another one, and is not replaced.
    isOurs: ({ entry }: PresentContext) =>
      controlPlaneOf(entry) === name && hostingOf(entry) === hosting,
  };
}

/** For setContext: removes the mark from a context that is kept when the control plane is deleted. */
export const forNoControlPlane: Pick<ContextToSet, 'extensions'> = {
  extensions: {
    [extensionName]: (present) => {
      const rest = withData({ [controlPlaneKey]: undefined, [hostingContextKey]: undefined })(
        present,
      );
      return Object.keys(dataOf(rest)).length === 0 ? undefined : rest;
    },
  },
};

/**
 * Marks the hosting cluster's context, as `kflex init` does: at the top level, and at the context. kflex supports only one, and the
 * mark is removed from any other.
 * @returns whether the mark is new
 * @throws what editKubeconfig throws
 */
export async function markHostingContext(
  target: KubeconfigTarget,
  name: string,
  waiting: Waiting,
): Promise<boolean> {
  // Load the YAML package only for writes.
  const { editedExtensions } = await import('../../kube/kubeconfig/contexts.ts');
  const { editKubeconfig } = await import('../../kube/kubeconfig/edit.ts');
  return editKubeconfig(
    target,
    (draft) => {
      const top = withData({ [hostingContextKey]: name });
      draft.set('extensions', extensionName, top(draft.get('extensions', extensionName)) as Entry);
      for (const [context, entry] of draft.entries('contexts')) {
        const isHosting = contextData(entry)[isHostingKey] === 'true';
        if (isHosting === (context === name)) continue;
        const edit = withData({ [isHostingKey]: isHosting ? undefined : 'true' });
        draft.set('contexts', context, {
          ...entry,
          extensions: editedExtensions(entry.extensions, extensionName, edit),
        });
      }
    },
    waiting,
  );
}

/** Sets (or, with undefined, removes) data in an extension of kflex's layout; other data is kept. */
function withData(changes: Record<string, string | undefined>): ExtensionEdit {
  return (present) => {
    const entry = isObject(present) ? present : {};
    const all = { ...(isObject(entry.data) ? entry.data : {}), ...changes };
    const data = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return {
      ...entry,
      data,
      metadata: { creationTimestamp: now(), name: extensionName, ...metadataOf(entry) },
    };
  };
}

/** The time in Kubernetes' format. */
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const metadataOf = ({ metadata }: Entry): Entry => (isObject(metadata) ? metadata : {});

function contextData(
  context: ContextEntry | Entry | undefined,
): Record<string, string | undefined> {
  const list = Array.isArray(context?.extensions) ? context.extensions : [];
  return dataOf(list.find((item) => isObject(item) && item.name === extensionName)?.extension);
}

function dataOf(extension: unknown): Record<string, string | undefined> {
  const data = isObject(extension) && isObject(extension.data) ? extension.data : {};
  const isText = (entry: [string, unknown]): entry is [string, string] =>
    typeof entry[1] === 'string';
  return Object.fromEntries(Object.entries(data).filter(isText));
}

/** The dependencies of commands for spaces: the hosting cluster, access to the spaces, and the kubeconfig of their contexts. */
export interface SpaceTools {
  hosting: Kube;
  hostingContext: SelectedContext;
  /** What selected the hosting cluster. */
  hostingSource: HostingSource;
  kubeconfig: Kubeconfig;
  target: KubeconfigTarget;
  /** Opens a client for a space. */
  connect: Connect;
}
