import { StellarError } from '../../lib/core/errors.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { Definition } from '../common/define.ts';
import { wdsOptions } from '../common/options.ts';

type Options = { filename?: string };

export const definition: Definition<Options> = {
  description:
    "Evaluates a BindingPolicy as KubeStellar's controllers do, against what the WDS and its ITS have now: the WECs and the objects that it selects, and what is wrong or surprising about them. The policy may be in the WDS, or in a file and not applied yet.",
  examples: [
    ['stellarctl policy explain shop', 'a policy of the WDS'],
    ['stellarctl policy explain -f policy.yaml', 'a policy in a file, before it is applied'],
  ],
  arguments: [['[name]', 'the policy, unless it is in a file']],
  options: [
    ['-f, --filename <file>', 'a file with the policy, - for standard input'],
    ...wdsOptions(),
  ],
  async run(session, { filename }, [name]) {
    if ((name === undefined) === (filename === undefined))
      throw new StellarError('usage', 'Give the NAME of a policy, or -f FILE.');
    if (name !== undefined) checkDnsName(name, 'a binding policy');
    const { explain } = await import('../../lib/workloads/policy/explain.ts');
    const { readPolicyFile } = await import('../../lib/workloads/policy/policy-file.ts');
    const given =
      filename === undefined ? undefined : await readPolicyFile(filename, session.io.stdin);
    const { view, errors } = await explain(
      name ?? given?.name ?? '',
      await session.wds(),
      given?.spec,
    );
    const { describeExplanation } = await import('./explain-text.ts');
    await session.show(view, (style, isWide) => describeExplanation(view, style, isWide));
    session.incomplete(errors);
  },
};
