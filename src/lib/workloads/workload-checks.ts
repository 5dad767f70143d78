import { type Check, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import { begun } from '../core/deadline.ts';
import { advice, command, type NextStep, problem, run } from '../core/next-step.ts';
import { count, few, withoutValues } from '../core/text/words.ts';
import { tryRead } from '../kube/access.ts';
import { resources } from '../kube/client/objects.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { keyOf } from '../ocm/model/object-ref.ts';
import { flagsOf, hostingFlags, type Wds } from '../spaces/choose/open-wds.ts';
import { readGuard } from '../spaces/guard.ts';
import { emptyPolicy, listPolicies, type PolicySummary } from './policy/policy-list.ts';

/** Checks of the workloads of a WDS. */
export const workloadChecks: readonly Check<Wds>[] = [
  { id: 'wds-guard', title: 'a start of its controllers keeps its workloads', run: checkGuard },
  {
    id: 'wds-policies',
    title: 'its binding policies reach their WECs',
    needs: [
      'wds-api-server',
      'wds-wds-crds',
      'wds-kubestellar-controller',
      'wds-transport-controller',
      'wds-its',
    ],
    run: judgePolicies,
  },
];

/** A start of the controller manager empties the Bindings of a WDS without a guard, and all workloads go with them. */
async function checkGuard(wds: Wds): Promise<Outcome> {
  const { name, type, kube } = wds;
  const bindings = (await kube.list<Binding>(resources.bindings)) ?? [];
  const sent = bindings.flatMap((binding) =>
    destinationsOf(binding).map((wec) => ({ wec, objects: objectsOf(binding) })),
  );
  const places = new Set(
    sent.flatMap(({ wec, objects }) => objects.map((object) => `${wec} ${keyOf(object)}`)),
  );
  if (places.size === 0) return pass('it sends nothing');
  const read = await tryRead(() => readGuard(kube));
  if (read.state !== 'seen') return skipped(`whether it has a guard is not visible: ${read.why}`);
  const { kinds, isOn } = read.value;
  if (isOn) return pass();
  const objects = count(places.size, 'object');
  const wecs = count(new Set(sent.map(({ wec }) => wec)).size, 'WEC');
  const message = `${name} has no guard: a start of its controller manager would delete ${objects} on ${wecs}, and create them again.`;
  const guard = command`stellarctl wds guard ${name} ${hostingFlags(wds)}`;
  const next =
    wds.isContext || (kinds === undefined && type !== 'k8s')
      ? advice('Restart its controllers with `wds restart` only, which keeps them')
      : run(guard, 'Keep them');
  return warn('wds-unguarded', message, next);
}

async function judgePolicies(wds: Wds): Promise<Outcome> {
  const { view: policies, errors } = await listPolicies(wds);
  const empty = policies.filter(({ code }) => code === emptyPolicy);
  const failed = policies.filter(({ state, code }) => state === 'failed' && code !== emptyPolicy);
  const nothing =
    empty.length === 0 ? [] : [`Nothing is selected in ${wds.name} by ${namesOf(empty)}.`];
  if (failed.length > 0) return failedPolicies(failed, nothing, wds);
  if (nothing.length > 0) {
    const explain = command`stellarctl policy explain ${empty[0]?.name ?? ''} ${flagsOf(wds)}`;
    return warn('policy-empty', nothing.join(), run(explain, 'See what it would select'));
  }
  if (policies.length === 0) return pass('it has none');
  const [error] = errors;
  if (error !== undefined) return skipped(error.why);
  const waiting = policies.filter(({ state }) => state === 'waiting');
  const open = waiting.find(({ code }) => code === 'replicas-missing' || code === 'not-available');
  if (open !== undefined) {
    const message = `Of policy ${open.name} of ${wds.name}, ${open.why}.`;
    return warn('policy-waiting', message, toSee(open, wds));
  }
  const rest = waiting.length === 0 ? '' : `; not everywhere yet: ${namesOf(waiting)}`;
  return pass(`${count(policies.length, 'policy', 'policies')}${rest}`);
}

const namesOf = (policies: readonly PolicySummary[]): string =>
  few(policies.map(({ name }) => name)).join(', ');

/** `workload get` also looks at the WECs themselves. */
const toSee = ({ name, object }: PolicySummary, wds: Wds): NextStep =>
  object === undefined
    ? run(command`stellarctl policy get ${name} ${flagsOf(wds)}`, 'See which objects, and why')
    : run(command`stellarctl workload get ${object} ${flagsOf(wds)}`, 'See why');

/** @param more what else is wrong */
function failedPolicies(
  failed: readonly PolicySummary[],
  more: readonly string[],
  wds: Wds,
): Outcome {
  const byCause = Map.groupBy(failed, ({ why }) => withoutValues(why ?? ''));
  const [first = '', ...details] = [...byCause].map(([why, all]) => {
    const [policies, have] = all.length === 1 ? ['policy', 'has'] : ['policies', 'have'];
    return `Binding ${policies} ${namesOf(all)} of ${wds.name} ${have} a problem: ${why}${begun(all[0]?.since, wds.kube.now())}.`;
  });
  const next = [...byCause.values()].flatMap((all) =>
    all.slice(0, 1).map((policy) => toSee(policy, wds)),
  );
  return {
    status: 'fail',
    problem: { ...problem('policy-failed', first, ...next), details: [...details, ...more] },
  };
}
