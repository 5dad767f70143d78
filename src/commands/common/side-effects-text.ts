import { command } from '../../lib/core/next-step.ts';
import { few } from '../../lib/core/text/words.ts';
import { ifSelected } from '../../lib/kube/access.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import { type Binding, describePolicy } from '../../lib/ocm/model/kubestellar-names.ts';
import type { SideEffects } from '../../lib/workloads/selection/label-effects.ts';
import type { Session } from './session.ts';

/** What a change does besides taking workloads away. */
export function describeSideEffects({ starting, unread }: SideEffects): string[] {
  return [
    ...unread.map(
      ({ wds, why }) =>
        `The binding policies of ${wds} could not be read, so whether they select by what is changed is unknown (${why}).`,
    ),
    ...starting.map(
      ({ policy, wecs }) =>
        `The binding policy ${describePolicy(policy)} will start selecting ${few(wecs).join(', ')}.`,
    ),
  ];
}

/** What is deleted from WECs. @param shown how many WECs are named */
export const describeReleased = ({ released }: SideEffects, shown?: number) =>
  released.map(({ policy, wecs, lacking }) => {
    const named = few(wecs, shown).join(', ');
    const spaces = withSpaces(namespacesOf(policy.binding));
    return lacking === undefined
      ? `The binding policy ${describePolicy(policy)} will stop selecting ${named}: its workloads are deleted there${spaces}.`
      : `The templates of the binding policy ${describePolicy(policy)} will lack ${lacking}: its workloads are deleted from ${named}${spaces}.`;
  });

/** The commands that give works the values that a change has replaced. */
export const refreshSteps = ({ outdated }: SideEffects) =>
  outdated.map(({ name, wds }) => command`stellarctl policy refresh ${name} --wds ${wds}`);

const namespacesOf = (binding: Binding | undefined) =>
  (binding?.spec?.workload?.clusterScope ?? []).flatMap(({ resource, name }) =>
    resource === 'namespaces' ? `Namespace ${name}` : [],
  );

/** Namespaces go with what others have created in them. */
export const withSpaces = (namespaces: readonly string[]) =>
  namespaces.length === 0
    ? ''
    : `, with everything in ${few(namespaces).join(', ')}, whoever created it`;

/** Policies that a change may take away from WECs. */
export const unseenPolicies = ({ unread }: SideEffects) =>
  unread.map(({ wds, why }) => ({ what: `the binding policies of ${wds}`, why }));

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
  const { readPolicies } = await import('../../lib/workloads/selection/read-policies.ts');
  const [kubeconfig, hosting] = await Promise.all([
    session.kubeconfig(),
    ifSelected(() => session.spaceTools()),
  ]);
  const connect = (context: SelectedContext) => session.connect(context);
  return readPolicies({ its, wecs, hosting, kubeconfig, connect, withTemplates });
}
