import { isDeepStrictEqual } from 'node:util';
import { Option } from 'commander';
import { command, flagsOf } from '../../lib/core/next-step.ts';
import { describeGrouped, removalsOf } from '../../lib/core/read-confirmed.ts';
import { takenBy } from '../../lib/forecast/losses.ts';
import { ifSeen } from '../../lib/kube/access.ts';
import type { PolicyChange } from '../../lib/policies/create-policy.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { describeTaken, following, policiesBeside } from '../common/forecast-text.ts';
import {
  allowErrorsOption,
  dryRunOption,
  maxRemovedOption,
  wdsOptions,
  yesOption,
} from '../common/options.ts';
import {
  openRehearsal,
  type RehearsalOptions,
  rareRehearsal,
  rehearsalOptions,
  rehearsingPolicy,
} from '../common/rehearsal.ts';

interface Options extends RehearsalOptions {
  filename: string;
  maxRemoved?: number;
}

export const definition: Definition<Options> = {
  description:
    'Creates the BindingPolicy in a file, or changes it to what the file says. First shows which WECs and objects it selects, and what it no longer sends; asks before that, because WECs delete it unless another policy sends it.',
  examples: [
    ['stellarctl policy apply -f policy.yaml', 'show what it does, ask, and apply it'],
    ['stellarctl policy apply -f policy.yaml --dry-run', 'only show it'],
    ['stellarctl policy apply -f policy.yaml --wds wds1 --yes', 'in a script'],
  ],
  usage: '-f FILE [options]',
  options: [
    new Option(
      '-f, --filename <file>',
      'a file with the policy, - for standard input',
    ).makeOptionMandatory(),
    ...wdsOptions(),
    yesOption(),
    maxRemovedOption(),
    allowErrorsOption(),
    ...rehearsalOptions(),
    dryRunOption(),
  ],
  rare: rareRehearsal,
  timeout: '3m',
  destroys: true,
  async run(session, { filename, maxRemoved: max, ...options }) {
    const { readPolicyFile } = await import('../../lib/workloads/policy/policy-file.ts');
    const { applyPolicy, unforeseenBy } = await import('../../lib/policies/create-policy.ts');
    const { describeExplanation, errorsOf } = await import('./explain-text.ts');
    const given = await readPolicyFile(filename, session.io.stdin);
    const wds = await session.wdsToWrite();
    const rehearsal = await openRehearsal(session, options);
    const confirm = confirming<PolicyChange>(session, {
      show(change) {
        const its = ifSeen(wds.its)?.kube;
        session.foresees(change.effects, its && following(session, its, change.effects));
        session.noteView((style, isWide) => describeExplanation(change.explanation, style, isWide));
        session.noteLines([...describeTaken(change.effects), ...unforeseenBy(change)], '  ');
        session.noteLines(rehearsal.lines());
      },
      confirmations(change) {
        const { name, present, explanation, effects } = change;
        const isSame = isDeepStrictEqual(present?.spec, given.spec);
        const errors = isSame ? [] : errorsOf(explanation);
        const unknown = unforeseenBy(change).map((text) => ({ text }));
        const lost = takenBy(effects);
        if (lost.length + unknown.length + errors.length === 0) return [];
        const details = describeGrouped(lost);
        const removals = removalsOf(lost, max, effects.sentTo);
        const verb = present === undefined ? 'Create' : 'Change';
        const asked = { verb, name, details, errors };
        return [{ ...asked, unknown, removals, oneWec: removals.wecs <= 1 }];
      },
    });
    const asked = {
      ...{ ...given, wds, readPolicies: policiesBeside(session, wds) },
      rehearsal: rehearsingPolicy(rehearsal, { ...given, wds }),
    };
    await session.finish([await applyPolicy(asked, confirm, session.run)]);
    session.next(command`stellarctl policy get ${given.name} ${flagsOf(wds)}`);
  },
};
