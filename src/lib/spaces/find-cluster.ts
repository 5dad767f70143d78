import { count, few } from '../engine/counts.ts';
import { StellarError } from '../engine/errors.ts';
import { advice } from '../engine/next-step.ts';
import { clusterUid } from '../hub/cluster-uid.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { resources } from '../kube/resources.ts';
import { serves } from '../kube/served.ts';

/** How long all contexts together may take to answer, in milliseconds. */
export const patienceMs = 2000;

/** What a command looks for, and the option that names it. */
const wanted = {
  hosting: {
    title: 'Hosting cluster',
    one: 'hosting cluster',
    option: '--hosting-context',
    kind: resources.controlPlanes,
    of: 'space',
  },
  its: { title: 'ITS', one: 'ITS', option: '--its', kind: resources.managedClusters, of: 'WEC' },
} as const;

export type Wanted = keyof typeof wanted;

interface FoundCluster {
  context: SelectedContext;
  kube: Kube;
  /** The UID of its kube-system; its server, if this user may not read it. */
  identity: string;
}

const isByProgram = ({ user }: SelectedContext): boolean => user.exec !== undefined || Boolean(user['auth-provider']);

/**
 * Finds the only hosting cluster, or the only ITS, among the contexts of a kubeconfig, for a command that was not told which to use.
 * Asks all contexts at once. A user whose credentials come from a program (an exec plugin may open a browser) is asked only if no
 * other context is one. A cluster with several contexts, as its kube-system UID shows, counts once.
 * @param connect opens a client that gives up within `patienceMs`
 * @returns its context, with a line that says so; undefined if there is none; the error if there are several
 */
export async function findOnly(
  role: Wanted,
  kubeconfig: Kubeconfig,
  connect: Connect,
): Promise<{ context: SelectedContext; line: string } | StellarError | undefined> {
  const { title, option } = wanted[role];
  const names = [...kubeconfig.contexts.keys()];
  const all = await Promise.all(names.map((name) => tryRead(async () => selectContext(kubeconfig, name))));
  const contexts = all.flatMap((context) => ifSeen(context) ?? []);
  const plain = await serving(
    role,
    contexts.filter((context) => !isByProgram(context)),
    connect,
  );
  const found = plain.length > 0 ? plain : await serving(role, contexts.filter(isByProgram), connect);
  const [only, ...others] = found;
  if (only === undefined) return undefined;
  if (others.length === 0) {
    const { name, server } = only.context;
    return {
      context: only.context,
      line: `${title} ${name} (${server}), the only one among ${count(names.length, 'context')}`,
    };
  }
  return new StellarError('usage', `No ${wanted[role].one} was given, and the contexts lead to ${found.length}.`, {
    details: await Promise.all(found.map((each) => contentsOf(role, each))),
    next: [advice(`Give one: ${option} CONTEXT`)],
  });
}

/**
 * The current context, if it leads to another hosting cluster than the noted one. Asked only without a program for its credentials.
 */
export async function otherHosting(
  noted: SelectedContext,
  kubeconfig: Kubeconfig,
  connect: Connect,
): Promise<{ context: SelectedContext; line: string; error: StellarError } | undefined> {
  const name = kubeconfig.currentContext ?? noted.name;
  const current = ifSeen(await tryRead(async () => selectContext(kubeconfig, name)));
  if (current === undefined || current.server === noted.server || isByProgram(current)) return undefined;
  const [found] = await serving('hosting', [current], connect);
  const isSame = async () => (await clusterUid(connect(noted))) === found?.identity;
  if (found === undefined || ifSeen(await tryRead(isSame)) === true) return undefined;
  const { title, option } = wanted.hosting;
  const others = `the kubeconfig notes ${noted.name}, which is another one`;
  return {
    context: current,
    line: `${title} ${name} (${current.server}), the current context; ${others}`,
    error: new StellarError('usage', `The current context ${name} is a hosting cluster, and ${others}.`, {
      next: [advice(`Give one: ${option} CONTEXT`)],
    }),
  };
}

/** False only if a cluster answers and is not one. */
export const mayBe = async (role: Wanted, kube: Kube): Promise<boolean> =>
  ifSeen(await tryRead(() => serves(kube, wanted[role].kind))) !== false;

async function serving(role: Wanted, contexts: readonly SelectedContext[], connect: Connect): Promise<FoundCluster[]> {
  const asked = await Promise.all(
    contexts.map(async (context) => {
      const kube = connect(context);
      const [isServed, uid] = await Promise.all([
        tryRead(() => serves(kube, wanted[role].kind)),
        tryRead(() => clusterUid(kube)),
      ]);
      return ifSeen(isServed) ? [{ context, kube, identity: ifSeen(uid) ?? context.server }] : [];
    }),
  );
  return [...Map.groupBy(asked.flat(), ({ identity }) => identity).values()].flatMap(([first]) => first ?? []);
}

/** As `kind-hosting has 2 spaces: its1, wds1`. */
async function contentsOf(role: Wanted, { context, kube }: FoundCluster): Promise<string> {
  const { kind, of } = wanted[role];
  const objects = ifSeen(await tryRead(() => kube.list(kind, { metadataOnly: true }))) ?? [];
  const names = few(objects.map(({ metadata }) => metadata.name));
  return `${context.name} has ${count(objects.length, of)}${names.length === 0 ? '' : `: ${names.join(', ')}`}`;
}
