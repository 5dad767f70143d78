import { StellarError } from '../../lib/core/errors.ts';
import { command, flagsOf } from '../../lib/core/next-step.ts';
import { checkDnsName, checkNamespace } from '../../lib/core/object-names.ts';
import { removalsOf } from '../../lib/core/read-confirmed.ts';
import type { PolicyChange } from '../../lib/policies/create-policy.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { policiesBeside } from '../common/forecast-text.ts';
import {
  allowErrorsOption,
  dryRunOption,
  listOption,
  maxRemovedOption,
  repeatable,
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
  clusters: string[];
  select?: string[];
  selector?: string[];
  namespace?: string[];
  createOnly?: boolean;
  status: string[];
  maxRemoved?: number;
}

export const definition: Definition<Options> = {
  description:
    'Creates a BindingPolicy that sends objects of the WDS to WECs. First shows which WECs and objects the policy selects now, and what is wrong with them. Asks before it creates one that sends nothing.',
  examples: [
    [
      'stellarctl policy create shop --clusters tier=web -l app=shop',
      'objects with a label, to WECs with a label',
    ],
    [
      'stellarctl policy create shop --clusters env=test --select deploy,svc -n shop',
      'two kinds of objects in one Namespace',
    ],
    [
      "stellarctl policy create all --clusters '' -l app=agent --status multi",
      'to all WECs, with status returned',
    ],
  ],
  arguments: [['<name>', 'the name of the policy']],
  timeout: '3m',
  rare: [
    ...['--create-only', '--allow-errors', '--max-removed', '--its', '--hosting-context'],
    ...rareRehearsal,
  ],
  options: [
    repeatable(
      '--clusters <selector>',
      "WECs with these labels; '' for all; of several, one must match",
    ).makeOptionMandatory(),
    listOption('--select <kind>', 'objects of this kind, as KIND or KIND.GROUP'),
    repeatable(
      '-l, --selector <selector>',
      'objects with these labels; of several, one must match',
    ),
    listOption('-n, --namespace <namespace>', 'objects in this Namespace'),
    ['--create-only', 'do not change objects that already exist on a WEC'],
    listOption('--status <what>', 'singleton, multi, or StatusCollectors').default([], 'none'),
    yesOption('create it without asking'),
    allowErrorsOption(),
    maxRemovedOption(
      'with --yes: so many WECs may lose objects, where what it takes away is unknown (default: none)',
    ),
    ...wdsOptions(),
    ...rehearsalOptions(),
    dryRunOption(),
  ],
  async run(session, options, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { applyPolicy, policyOf, readSpec, unforeseenBy } = await import(
      '../../lib/policies/create-policy.ts'
    );
    const { describeExplanation, errorsOf } = await import('./explain-text.ts');
    const { select = [], selector: selectors = [], namespace: namespaces = [] } = options;
    for (const namespace of namespaces) if (namespace !== '*') checkNamespace(namespace);
    // An empty selector would select every object of the WDS, and may result from an unset variable of a script.
    if (selectors.includes(''))
      throw new StellarError('usage', 'An empty -l selects nothing in particular: leave it out.');
    for (const word of options.status)
      if (word !== 'singleton' && word !== 'multi') checkDnsName(word, 'a status collector');
    const request = { ...options, select, selectors, namespaces };
    const wds = await session.wds();
    const spec = await readSpec(request, wds);
    session.announce(wds.kube, 'WDS');
    const rehearsal = await openRehearsal(session, options);
    const confirm = confirming<PolicyChange>(session, {
      show(change) {
        const { explanation, effects } = change;
        session.foresees(effects);
        session.noteView((style, isWide) => describeExplanation(explanation, style, isWide));
        session.noteLines(unforeseenBy(change), '  ');
        session.noteLines(rehearsal.lines());
      },
      confirmations(change) {
        const { present, explanation } = change;
        const errors = errorsOf(explanation);
        const unknown = unforeseenBy(change).map((text) => ({ text }));
        const removals = removalsOf([], options.maxRemoved);
        return present !== undefined || errors.length + unknown.length === 0
          ? []
          : [{ verb: 'Create', name, errors, unknown, removals }];
      },
    });
    const asked = {
      ...{ name, spec, wds, creates: true, readPolicies: policiesBeside(session, wds) },
      rehearsal: rehearsingPolicy(rehearsal, { name, spec, wds }),
    };
    const result = await applyPolicy(asked, confirm, session.run);
    if (session.run.dryRun && session.output === 'yaml' && result.error === undefined)
      return session.printDocument(policyOf(name, spec));
    await session.finish([result]);
    session.next(command`stellarctl policy get ${name} ${flagsOf(wds)}`);
  },
};
