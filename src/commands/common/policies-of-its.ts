import { ifSelected } from '../../lib/kube/access.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { Its } from '../../lib/workloads/read-policies.ts';
import type { Session } from './session.ts';

/**
 * Reads every BindingPolicy that sends workloads through an ITS and can be read now. Unreadable ones are no error.
 * @param wecs the WECs to check @param withTemplates whether to read for which properties they ask
 */
export async function openPolicies(
  session: Session,
  its: Its,
  wecs: readonly string[],
  withTemplates = false,
) {
  const { readPolicies } = await import('../../lib/workloads/read-policies.ts');
  const [kubeconfig, hosting] = await Promise.all([
    session.kubeconfig(),
    ifSelected(() => session.spaceTools()),
  ]);
  const connect = (context: SelectedContext) => session.connect(context);
  return readPolicies({ its, wecs, hosting, kubeconfig, connect, withTemplates });
}
