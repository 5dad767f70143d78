import { StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { serves } from '../kube/served.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';

/** How long a context may take to answer, in milliseconds. */
export const patienceMs = 2000;

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
