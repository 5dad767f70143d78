import { command } from '../../engine/command-line.ts';
import { type NextStep, outline, run } from '../../engine/next-step.ts';
import { failed, failedForGood, met, type Stage, unseen, type Verdict, waiting } from '../../engine/stages.ts';
import { conditionOf } from '../../kube/objects.ts';
import { labelWords, toLabelWec } from '../explain/selection-warnings.ts';
import type { ManifestStatus } from '../manifest-works.ts';
import { originGenerationAnnotation } from '../names.ts';
import type { Way } from './way.ts';

/** The links from the Binding to the WEC. */
export const wecStages: readonly Stage<Way>[] = [
  { id: 'wec', title: 'WEC selected and available', check: wecFine },
  { id: 'work', title: 'work in the mailbox', check: workThere },
  { id: 'applied', title: 'applied', check: applied },
  { id: 'available', title: 'available', check: available },
];

function wecFine({ wec, policy, binding, cluster, evidence }: Way): Verdict {
  const { its } = evidence;
  const at = onIts({ evidence });
  if (binding === undefined) return unseen('there is no Binding');
  if (wec === undefined)
    return failedForGood(`policy ${binding.metadata.name} selects no WEC`, {
      code: 'no-wec-matches',
      next: toLabelWec(policy?.spec ?? {}, its),
    });
  if (cluster.state !== 'seen') return unseen(cluster.why);
  const found = cluster.value;
  if (found === undefined)
    return failed(`WEC ${wec} is no longer registered`, {
      code: 'wec-missing',
      next: [run(command`stellarctl wec list ${at}`, 'See what exists')],
    });
  if (found.metadata.deletionTimestamp !== undefined)
    return failed(`WEC ${wec} is being deregistered`, { code: 'wec-deleting' });
  if (found.spec?.hubAcceptsClient !== true)
    return failed(`WEC ${wec} is not accepted`, {
      code: 'wec-not-accepted',
      next: [run(command`stellarctl accept ${wec} ${at}`, 'Accept it')],
    });
  const state = conditionOf(found, 'ManagedClusterConditionAvailable');
  if (state?.status === 'True') return met;
  return failed(state === undefined ? `WEC ${wec} has not joined` : `WEC ${wec} is not available: ${state.reason}`, {
    code: 'wec-unavailable',
    next: [run(command`stellarctl wec get ${wec} ${at}`, 'See why')],
  });
}

const onIts = ({ evidence: { its } }: Pick<Way, 'evidence'>): string[] => (its === undefined ? [] : ['--its', its]);

const generationOf = (annotations: Record<string, string> | undefined): number =>
  Number(annotations?.[originGenerationAnnotation] ?? 0);

function workThere({ wec, binding, sent, stale, evidence }: Way): Verdict {
  if (wec === undefined || binding === undefined) return unseen('no WEC is selected');
  if (sent.state !== 'seen') return unseen(sent.why);
  const { observedGeneration = 0, errors = [] } = binding.status ?? {};
  const isRead = observedGeneration >= (binding.metadata.generation ?? 0);
  if (sent.value === undefined) {
    if (errors.length > 0) return unseen('the policy sends nothing');
    const why = `mailbox ${wec} has no work for it`;
    if (!isRead) return waiting(why, { code: 'work-missing' });
    const next = run(command`stellarctl wds get ${evidence.wds.name}`, 'Does its transport run?');
    return failed(why, { code: 'work-missing', next: [next] });
  }
  const { metadata } = sent.value.work;
  if (stale !== undefined) {
    const refresh = command`stellarctl policy refresh ${binding.metadata.name} --wds ${evidence.wds.name}`;
    return failed(
      `its work in mailbox ${wec} is outdated: templates and transforms now give another value for ${stale}`,
      {
        code: 'work-stale',
        next: [run(refresh, 'Have the transport rewrite it')],
      },
    );
  }
  return generationOf(metadata.annotations) >= observedGeneration
    ? met
    : waiting(`its work in mailbox ${wec} has an earlier version of it`, { code: 'work-behind' });
}

const condition = (manifest: ManifestStatus | undefined, type: string) => conditionOf({ status: manifest }, type);

function applied(way: Way): Verdict {
  const { wec, sent } = way;
  if (sent.state !== 'seen') return unseen(sent.why);
  if (sent.value === undefined) return unseen('there is no work');
  const { work, manifest } = sent.value;
  const state = condition(manifest, 'Applied');
  const isOld = (state?.observedGeneration ?? 0) < (work.metadata.generation ?? 0);
  if (state === undefined || isOld) return waiting(`the agent of ${wec} has not answered`, { code: 'agent-silent' });
  if (state.status === 'True') return met;
  return failed(state.message ?? 'not applied', refusal(way, manifest));
}

/** The agent tells by its message alone why the WEC has refused an object; which one it is stands beside it. */
function refusal(way: Way, manifest: ManifestStatus | undefined): { code: string; next: NextStep[] } {
  const { of, wec = 'NAME', evidence } = way;
  const message = condition(manifest, 'Applied')?.message ?? '';
  const kind = of.group === '' ? of.resource : `${of.resource}.${of.group}`;
  if (manifest?.resourceMeta?.resource === '')
    return {
      code: 'kind-unknown-on-wec',
      next: [
        outline(
          command`kubectl --context ${evidence.wds.context} label customresourcedefinition ${kind} KEY=VALUE`,
          'Send its definition as well, or install it on the WEC',
        ),
      ],
    };
  if (message.includes(' is forbidden: '))
    return {
      code: 'forbidden-on-wec',
      next: [
        outline(
          command`stellarctl wec grant ${`${wec}=CONTEXT`} --from-errors ${onIts(way)}`,
          `Grant the rights to the work agent of ${wec}`,
        ),
      ],
    };
  if (of.namespace !== undefined && message.endsWith(`namespaces "${of.namespace}" not found`))
    return { code: 'namespace-missing-on-wec', next: [toSendNamespace(way, of.namespace)] };
  const work = way.sent.state === 'seen' ? way.sent.value?.work.metadata.name : undefined;
  const see = command`kubectl --context ${evidence.its ?? 'ITS'} -n ${wec} get manifestwork ${work ?? ''} -o yaml`;
  return {
    code: 'not-applied',
    next: [evidence.its === undefined ? outline(see) : run(see, 'See what the agent says')],
  };
}

function toSendNamespace({ policy, evidence }: Way, namespace: string): NextStep {
  const clauses = policy?.spec?.downsync ?? [];
  const words = labelWords(clauses.flatMap(({ objectSelectors = [] }) => objectSelectors));
  const { context } = evidence.wds;
  return words === undefined
    ? run(command`kubectl --context ${context} edit bindingpolicy ${policy?.metadata.name ?? ''}`, 'Select it as well')
    : run(command`kubectl --context ${context} label namespace ${namespace} ${words}`, 'Select it as well');
}

function available({ sent, wec }: Way): Verdict {
  if (sent.state !== 'seen') return unseen(sent.why);
  const state = condition(sent.value?.manifest, 'Available');
  if (state === undefined) return unseen('the agent has not reported on it');
  if (state.status === 'True') return met;
  return waiting(`not available on ${wec}: ${state.message ?? state.reason}`, { code: 'not-available' });
}
