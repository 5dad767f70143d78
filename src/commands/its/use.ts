import { type Command, Option } from 'commander';
import { failureOf, StellarError } from '../../lib/engine/errors.ts';
import { outline, run } from '../../lib/engine/next-step.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type ItsOptions } from '../shell/options.ts';
import type { Session } from '../shell/session.ts';

export function useCommand(io: Io): Command {
  return defineCommand('use', {
    description:
      'Chooses the ITS for later commands, after checking that it is one. Without an argument, shows which ITS is used, and why. The order of precedence is: --its, the variable STELLARCTL_ITS, this choice, the current context, the only ITS of the hosting cluster.',
    timeout: '30s',
    examples: [
      ['stellarctl its use its1', 'use its1 by default'],
      ['stellarctl its use', 'show which ITS is used'],
      ['stellarctl its use --unset', 'go back to the current context'],
    ],
  })
    .argument('[its]', 'the ITS: a context, or its name')
    .addOption(new Option('--unset', 'clear the choice'))
    .option('--force', 'choose an ITS that does not answer')
    .action(
      action<ItsOptions & { unset?: boolean; force?: boolean }>(io, async (session, { unset, force }, [given]) => {
        const { useIts, forgetIts } = await import('../../lib/spaces/its-choice.ts');
        if (unset && given !== undefined) throw new StellarError('usage', 'Give an ITS or --unset, not both.');
        if (unset) {
          await forgetIts();
          session.progress.note('The choice is cleared.');
        } else if (given !== undefined) {
          await requireIts(session, given, force === true);
          await useIts(given);
        }
        if (unset && !(await session.itsIfAny())) return;
        const { kube, choice } = await session.its();
        const shown = { name: choice.given, server: kube.cluster.server, source: choice.source };
        await session.print(
          shown,
          [shown],
          [
            { header: 'ITS', value: (row) => row.name },
            { header: 'SERVER', value: (row) => row.server },
            { header: 'CHOSEN BY', value: (row) => row.source },
          ],
        );
      }),
    );
}

/** Verifies the ITS, because later commands write to it. @throws StellarError `not-a-hub`, or why the ITS could not be read */
async function requireIts(session: Session, name: string, force: boolean): Promise<void> {
  const { requireHub } = await import('../../lib/wecs/hub/require-hub.ts');
  const { kube } = await session.openIts({ given: name, source: '--its' });
  try {
    await requireHub(kube);
  } catch (error) {
    const failure = failureOf(error);
    const { code, message } = failure;
    if (code === 'not-a-hub') throw failure.with({ next: [outline('stellarctl its use ITS', 'Give an ITS')] });
    if (force) return session.progress.note(`${name} could not be verified as an ITS: ${message}`);
    throw new StellarError(code, `${message} It could not be verified as an ITS, and was not chosen.`, {
      next: [run(session.again('--force'), 'To choose it anyway')],
    });
  }
}
