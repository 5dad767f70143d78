import { Option } from 'commander';
import { command } from '../../lib/engine/command-line.ts';
import { isForPeople } from '../../lib/terminal/io.ts';
import type { PolicyChange } from '../../lib/workloads/change/apply-policy.ts';
import { confirming, refuseUnnamedWds } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { type ConfirmedOptions, dryRunOption, type WdsOptions, wdsOptions, yesOption } from '../common/options.ts';

interface Options extends WdsOptions, ConfirmedOptions {
  filename: string;
}

export const definition: Definition<Options> = {
  description:
    'Creates the BindingPolicy in a file, or changes it to what the file says. First shows which WECs and objects it selects, and what it no longer sends; asks before that, because WECs delete it unless another policy sends it.',
  timeout: '30s',
  examples: [
    ['stellarctl policy apply -f policy.yaml', 'show what it does, ask, and apply it'],
    ['stellarctl policy apply -f policy.yaml --dry-run', 'only show it'],
    ['stellarctl policy apply -f policy.yaml --wds wds1 --yes', 'in a script'],
  ],
  usage: '-f FILE [options]',
  options: [
    new Option('-f, --filename <file>', 'a file with the policy, - for standard input').makeOptionMandatory(),
    ...wdsOptions(),
    yesOption(),
    dryRunOption(),
  ],
  destroys: true,
  async run(session, { filename, yes, color }) {
    const { readPolicyFile } = await import('../../lib/workloads/explain/policy-file.ts');
    const { applyPolicy } = await import('../../lib/workloads/change/apply-policy.ts');
    const { describeExplanation } = await import('./explain-text.ts');
    const { styleFor } = await import('../../lib/terminal/style.ts');
    const given = await readPolicyFile(filename, session.io.stdin);
    const wds = await session.wds();
    refuseUnnamedWds(session, wds, yes);
    session.announce(wds.kube, 'WDS');
    const style = styleFor(session.io.stderr, session.io, color);
    const confirm = confirming<PolicyChange>(session, {
      show({ explanation, lost }) {
        const lines = isForPeople(session.output)
          ? describeExplanation(explanation, style, session.output === 'wide')
          : [];
        for (const line of [...lines, ...lost.map((each) => `  no longer sent: ${each}`)]) session.progress.note(line);
      },
      confirmations: ({ name, lost }) =>
        lost.length === 0 ? [] : [{ verb: 'Change', doing: 'Changing', name, yes, details: lost }],
    });
    await session.finish([await applyPolicy({ ...given, wds }, confirm, session.run)]);
    const { flagsOf } = await import('../../lib/spaces/open-wds.ts');
    session.next(command`stellarctl policy get ${given.name} ${flagsOf(wds)}`);
  },
};
