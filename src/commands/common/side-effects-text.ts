import { StellarError } from '../../lib/core/errors.ts';
import type { Removals } from '../../lib/core/removal-limit.ts';
import { few } from '../../lib/core/words.ts';
import { type Binding, describePolicy, destinationsOf } from '../../lib/ocm/kubestellar-api.ts';
import type { SideEffects } from '../../lib/workloads/side-effects.ts';
import type { Unseen } from '../../lib/workloads/unseen.ts';

/** What a change of labels does besides releasing WECs. */
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

/** Policies that stop selecting WECs. @param shown how many WECs are named */
export const describeReleased = ({ released }: SideEffects, shown?: number): string[] =>
  released.map(
    ({ policy, wecs }) =>
      `The binding policy ${describePolicy(policy)} will stop selecting ${few(wecs, shown).join(', ')}: its workloads are deleted there${withSpaces(namespacesOf(policy.binding))}.`,
  );

const namespacesOf = (binding: Binding | undefined): string[] =>
  (binding?.spec?.workload?.clusterScope ?? []).flatMap(({ resource, name }) =>
    resource === 'namespaces' ? `Namespace ${name}` : [],
  );

/** Namespaces go with what others have created in them. */
export const withSpaces = (namespaces: readonly string[]): string =>
  namespaces.length === 0 ? '' : `, with everything in ${few(namespaces).join(', ')}, whoever created it`;

/** From how many WECs each policy takes its workloads. @param max `--max-removed` */
export const removalsOf = ({ released }: SideEffects, max: number | undefined): Removals[] =>
  released.map(({ policy, wecs }) => ({ wecs: wecs.length, of: destinationsOf(policy.binding).length, max }));

/** Policies that a change of labels may take away from WECs. */
export const unseenPolicies = ({ unread }: SideEffects): Unseen[] =>
  unread.map(({ wds, why }) => {
    const what = `the binding policies of ${wds}`;
    return { what, why, error: new StellarError('loss-unknown', `${what} could not be read: ${why}.`) };
  });
