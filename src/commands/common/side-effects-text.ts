import { command } from '../../lib/core/command-line.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { run, textOf } from '../../lib/core/next-step.ts';
import type { Removals } from '../../lib/core/removal-limit.ts';
import { describePolicy, destinationsOf } from '../../lib/ocm/policies.ts';
import type { SideEffects } from '../../lib/workloads/side-effects.ts';
import type { Unseen } from '../../lib/workloads/unseen.ts';

/** What a change of labels does besides releasing WECs. */
export function describeSideEffects({ starting, held, unread }: SideEffects): string[] {
  return [
    ...unread.map(
      ({ wds, why }) =>
        `The binding policies of ${wds} could not be read, so whether they select by what is changed is unknown (${why}).`,
    ),
    ...held.flatMap((policy) => [
      `${describePolicy(policy)} keeps its WECs: it selects no object, and the guard of ${policy.wds} holds its Binding.`,
      `  ${textOf(run(command`stellarctl policy prune ${policy.name} --wds ${policy.wds}`, 'Remove its workloads'))}`,
    ]),
    ...starting.map(
      ({ policy, wecs }) => `The binding policy ${describePolicy(policy)} will start selecting ${wecs.join(', ')}.`,
    ),
  ];
}

/** Policies that stop selecting WECs, except those whose Bindings a guard holds. */
const releasedBy = ({ released, held }: SideEffects) => released.filter(({ policy }) => !held.includes(policy));

export const describeReleased = (effects: SideEffects): string[] =>
  releasedBy(effects).map(
    ({ policy, wecs }) =>
      `The binding policy ${describePolicy(policy)} will stop selecting ${wecs.join(', ')}: its workloads are deleted there.`,
  );

/** From how many WECs each policy takes its workloads. @param max `--max-removed` */
export const removalsOf = (effects: SideEffects, max: number | undefined): Removals[] =>
  releasedBy(effects).map(({ policy, wecs }) => ({
    ...{ wecs: wecs.length, of: destinationsOf(policy.binding).length, max },
  }));

/** Policies that a change of labels may take away from WECs. */
export const unseenPolicies = ({ unread }: SideEffects): Unseen[] =>
  unread.map(({ wds, why }) => {
    const what = `the binding policies of ${wds}`;
    return { what, why, error: new StellarError('loss-unknown', `${what} could not be read: ${why}.`) };
  });
