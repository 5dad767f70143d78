import { StellarError } from '../../lib/core/errors.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { Definition } from '../common/define.ts';
import { wdsOptions } from '../common/options.ts';
import type { Session } from '../common/session.ts';

type Options = { filename?: string };

export const definition: Definition<Options> = {
  description:
    "Evaluates a BindingPolicy as KubeStellar's controllers do, against what the WDS and its ITS have now: the WECs and the objects that it selects, and what is wrong or surprising about them. The policy may be in the WDS, or in a file and not applied yet: then it also shows what WECs would lose.",
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
    const { describeExplanation } = await import('./explain-text.ts');
    if (filename !== undefined) return explainFile(session, filename);
    const { explain } = await import('../../lib/workloads/policy/explain.ts');
    const { view, errors } = await explain(name ?? '', await session.wds());
    await session.show(view, (style, isWide) => describeExplanation(view, style, isWide));
    session.incomplete(errors);
  },
};

/** Also shows what WECs would lose if the policy was applied. */
async function explainFile(session: Session, filename: string) {
  const { previewPolicy, unforeseenBy } = await import('../../lib/policies/create-policy.ts');
  const { readPolicyFile } = await import('../../lib/workloads/policy/policy-file.ts');
  const { describeExplanation } = await import('./explain-text.ts');
  const { describeTaken, policiesBeside } = await import('../common/forecast-text.ts');
  const given = await readPolicyFile(filename, session.io.stdin);
  const wds = await session.wds();
  const readPolicies = policiesBeside(session, wds);
  const change = await previewPolicy({ ...given, wds, readPolicies });
  const { explanation, effects, errors } = change;
  const document = { ...explanation, effects: effects.rows };
  await session.show(document, (style, isWide) => [
    ...describeExplanation(explanation, style, isWide),
    ...[...describeTaken(effects), ...unforeseenBy(change)].map((line) => `  ${line}`),
  ]);
  session.incomplete(errors);
}
