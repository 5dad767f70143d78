import { type NextStep, partial, stepLines } from '../../lib/core/next-step.ts';

/**
 * Commands of clusteradm, kflex and kubectl with their equivalents here, which are alternatives unless `inSteps` has it. Those with
 * more words come first.
 */
export const equivalents: readonly (readonly [typed: string, ...here: string[]])[] = [
  ['ctx', 'stellarctl its context NAME', 'stellarctl wds context NAME'],
  ['create', 'stellarctl its create NAME', 'stellarctl wds create NAME'],
  ['adopt', 'stellarctl its create NAME --type external --bootstrap-context CONTEXT'],
  [
    'delete',
    'stellarctl its delete NAME',
    'stellarctl wds delete NAME',
    'stellarctl deregister NAME',
  ],
  ['config', 'stellarctl init --hosting-context CONTEXT'],
  ['--create-kind', 'stellarctl init --provider kind'],
  ['get token', 'stellarctl its token --file FILE', 'stellarctl its token --clusteradm'],
  ['get clusters', 'stellarctl wec list'],
  ['get managedclusters', 'stellarctl wec list'],
  ['get wecs', 'stellarctl wec list'],
  ['get its', 'stellarctl its list'],
  ['get wds', 'stellarctl wds list'],
  ['get bindingpolicies', 'stellarctl policy list'],
  ['get works', 'stellarctl workload list'],
  ['get hub-info', 'stellarctl its get NAME'],
  ['get', 'stellarctl wec get NAME', 'stellarctl its get NAME', 'stellarctl wds get NAME'],
  [
    'list',
    'stellarctl status',
    'stellarctl its list',
    'stellarctl wds list',
    'stellarctl wec list',
  ],
  ['join', 'stellarctl wec join NAME=CONTEXT --accept'],
  ['--hub-token', 'stellarctl its token --file FILE', 'stellarctl wec join NAME --join-file FILE'],
  ['--cluster-name', 'stellarctl wec join NAME=CONTEXT'],
  ['logs', 'stellarctl workload logs KIND/NAME'],
  ['events', 'stellarctl workload events KIND/NAME'],
  ['diff', 'stellarctl workload diff'],
  [
    'apply',
    'kubectl --context WDS apply -f FILE',
    'stellarctl policy apply -f FILE',
    'stellarctl fleet apply -f FILE',
  ],
  ['clean', 'stellarctl its delete NAME'],
  [
    '--context',
    '--its CONTEXT',
    '--wds CONTEXT',
    '--hosting-context CONTEXT',
    'NAME=CONTEXT for a WEC',
  ],
  ['--wec-context', 'NAME=CONTEXT'],
  ['--force-internal-endpoint-lookup', '--hub-apiserver published'],
  ['--singleton', '--mode Singleton'],
  ['--rule', 'stellarctl wec grant NAME=CONTEXT --from-errors'],
  ['--annotation', 'kubectl annotate managedcluster NAME KEY=VALUE'],
  ['--kubernetes-version', '--image VERSION'],
  ['--host-container', '--set kubeflex-operator.hostContainer=NAME'],
  ['--set-string', '--set-json', '--values FILE'],
  ['--set-file', '--set-json', '--values FILE'],
];

/** What has several steps here. */
const inSteps = ['--hub-token'];

/** Nouns with a verb `get`. */
const gettable = ['its', 'wds', 'wec', 'workload', 'policy', 'collector', 'transform'];

/** What deletes those of a noun without a verb `delete` for it. */
const deletedBy: Readonly<Record<string, string>> = {
  wec: 'stellarctl deregister NAME=CONTEXT --cleanup',
  workload: 'kubectl --context WDS delete KIND NAME',
};

/** kubectl's `describe` and `edit`, and words for a deletion, of any noun. */
function ofAnyNoun(verb: string, noun = 'wec'): NextStep[] | undefined {
  if (['rm', 'remove', 'unjoin'].includes(verb))
    return [partial(deletedBy[noun] ?? `stellarctl ${noun} delete NAME`, 'Use')];
  if (verb !== 'describe' && verb !== 'edit') return undefined;
  const get = `stellarctl ${noun} get ${noun === 'workload' ? 'KIND/NAME' : 'NAME'}`;
  if (verb === 'describe' || noun !== 'policy') return [partial(get, 'Use')];
  return [partial(`${get} -o manifest`, 'Use'), partial('stellarctl policy apply -f FILE', 'Then')];
}

/**
 * Suggests the equivalent of another program's word.
 * @param unknown the unknown command or option
 * @param argv the command line that contains it
 */
export function equivalentOf(unknown: string, argv: readonly string[]): string[] | undefined {
  const noun = gettable.find((each) => each === argv[0]);
  const steps = ofAnyNoun(unknown, noun);
  if (steps !== undefined) return stepLines(steps);
  // After a noun of stellarctl, any other unknown word is more likely a typo than another program's word.
  if (!unknown.startsWith('-') && argv[0] !== unknown) return undefined;
  const found = equivalents.find(([typed]) => {
    const [first, second] = typed.split(' ');
    return first === unknown && (second === undefined || second === argv[1]);
  });
  const [typed = '', ...here] = found ?? [];
  const then = inSteps.includes(typed) ? 'Then' : 'Or';
  return (
    found && stepLines(here.map((command, index) => partial(command, index === 0 ? 'Use' : then)))
  );
}
