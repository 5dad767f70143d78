import type { Command } from 'commander';
import { StellarError } from '../../lib/engine/errors.ts';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import { type Io, isForPeople } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

interface Options extends WdsOptions {
  filename?: string;
}

export function policyExplainCommand(io: Io): Command {
  const definition = defineCommand('explain', {
    description:
      "Evaluates a BindingPolicy as KubeStellar's controllers do, against what the WDS and its ITS have now: the WECs and the objects that it selects, and what is wrong or surprising about them. The policy may be in the WDS, or in a file and not applied yet.",
    timeout: '30s',
    examples: [
      ['stellarctl policy explain shop', 'a policy of the WDS'],
      ['stellarctl policy explain -f policy.yaml', 'a policy in a file, before it is applied'],
      ['stellarctl policy explain shop --wds wds2 -o json', 'the same for scripts'],
    ],
  })
    .argument('[name]', 'the policy, unless it is in a file')
    .option('-f, --filename <file>', 'a file with the policy, - for standard input');
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<Options>(io, async (session, { filename, color }, [name]) => {
      if ((name === undefined) === (filename === undefined))
        throw new StellarError('usage', 'Give the NAME of a policy, or -f FILE.');
      if (name !== undefined) checkDnsName(name, 'a binding policy');
      const { explain } = await import('../../lib/workloads/explain/explain.ts');
      const { readPolicyFile } = await import('../../lib/workloads/explain/policy-file.ts');
      const given = filename === undefined ? undefined : await readPolicyFile(filename, io.stdin);
      const { view, errors } = await explain(name ?? given?.name ?? '', await session.wds(), given?.spec);
      if (isForPeople(session.output)) {
        const { styleFor } = await import('../../lib/terminal/style.ts');
        const { describeExplanation } = await import('./explain-text.ts');
        session.printLines(describeExplanation(view, styleFor(io.stdout, io, color), session.output === 'wide'));
      } else await session.print(view, [view], []);
      session.incomplete(errors);
    }),
  );
}
