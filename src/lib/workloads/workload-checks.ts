import { type Check, fail, type Outcome, pass, skipped, unless, warn } from '../core/checks.ts';
import { begun } from '../core/deadline.ts';
import {
  advice,
  command,
  flagsOf,
  hostingFlags,
  type Problem,
  problem,
  run,
} from '../core/next-step.ts';
import { count, few, withoutValues } from '../core/text/words.ts';
import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { isLiving, resources } from '../kube/client/objects.ts';
import { discoverKinds } from '../kube/discovery.ts';
import { listServed } from '../kube/served.ts';
import { provenWec } from '../ocm/hub/find-wecs.ts';
import {
  type Binding,
  destinationsOf,
  objectsOf,
  originBindingLabel,
  originWdsLabel,
} from '../ocm/model/kubestellar-names.ts';
import { type ManifestWork, wecsOf } from '../ocm/model/manifest-works.ts';
import { describeObject, keyOf } from '../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import { comesFromAny } from '../ocm/work-origins.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { worksSentBy } from '../spaces/choose/works-of-policy.ts';
import { readGuard } from '../spaces/guard.ts';
import { bySeverity, conflictsOf, sentBy } from './delivery/conflicts.ts';
import { lastingDifferences } from './delivery/diff.ts';
import { correctingSteps, differenceWords } from './delivery/difference.ts';
import { toSeeObject } from './delivery/judged-objects.ts';
import { emptyPolicy, listPolicies, type PolicySummary } from './policy/policy-list.ts';
import { kindNames } from './selection/wds-contents.ts';

/** Checks of the workloads of a WDS. */
export const workloadChecks: readonly Check<Wds>[] = [
  {
    id: 'wds-guard',
    title: 'a start of its controllers keeps its workloads',
    needs: ['wds-reachable'],
    run: checkGuard,
  },
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
  {
    id: 'wds-conflicts',
    title: 'nothing else sends what it sends',
    needs: ['wds-api-server', 'wds-wds-crds', 'wds-its'],
    run: findConflicts,
  },
];

/** A start of the controller manager empties the Bindings of a WDS without a guard, and all workloads go with them. */
async function checkGuard(wds: Wds): Promise<Outcome> {
  const { name, type, kube } = wds;
  const bindings = await listServed<Binding>(kube, resources.bindings);
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
  return warn(
    'wds-unguarded',
    `${name} has no guard: a start of its controller manager would delete ${objects} on ${wecs}, and create them again.`,
    wds.isContext || (kinds === undefined && type !== 'k8s')
      ? advice('Restart its controllers with `wds restart` only, which keeps them')
      : run(command`stellarctl wds guard ${name} ${hostingFlags(wds)}`, 'Keep them'),
  );
}

/** A WEC that doctor was asked about: its works are compared with what it has. */
export interface ComparedWec {
  name: string;
  its: Kube;
  /** Of the context that may lead to it. */
  kube: Kube;
  cluster: ManagedCluster | undefined;
  works: readonly ManifestWork[];
}

/** Only for WECs that are named: it lists every kind that their works have. */
export const equalCheck: Check<ComparedWec> = {
  id: 'wec-equal',
  title: 'what its agent has applied is as its works say',
  needs: ['wec-not-deleted', 'wec-hub-connection', 'wec-reports'],
  async run({ name, its, kube, cluster, works }) {
    const sent = works.filter(({ metadata }) => metadata.labels?.[originWdsLabel] !== undefined);
    if (sent.length === 0) return pass('no WDS sends to it');
    const found = await tryRead(async () =>
      lastingDifferences(await provenWec(name, its, [kube], cluster), sent),
    );
    if (found.state !== 'seen') return skipped(found.why);
    const { items, more } = found.value;
    const rest = more === 0 ? '' : `; ${count(more, 'object')} that may differ were not compared`;
    const [first] = items;
    if (first === undefined) return pass(`as far as this is visible${rest}`);
    const objects = items.map((each) => `${describeObject(each)}: ${differenceWords(each)}`);
    const message = `${count(items.length, 'object')} on ${name} ${items.length === 1 ? 'is' : 'are'} not as its works say, although applied: ${few(objects, 3).join('; ')}${rest}.`;
    const wds = sent.find(({ metadata }) => metadata.labels?.[originBindingLabel] === first.policy);
    return fail(
      'differs-on-wec',
      message,
      ...correctingSteps(first),
      run(
        command`stellarctl workload diff --wec ${`${name}=${kube.cluster.context}`} --wds ${wds?.metadata.labels?.[originWdsLabel] ?? ''}`,
        'See each field, and who wrote it',
      ),
    );
  },
};

async function findConflicts(wds: Wds): Promise<Outcome> {
  const bindings = await listServed<Binding>(wds.kube, resources.bindings);
  const kindOf = kindNames(bindings.length === 0 ? [] : await discoverKinds(wds.kube));
  const sendings = bindings.map((binding) => ({
    policy: binding.metadata.name,
    wecs: destinationsOf(binding),
    objects: sentBy(binding, kindOf),
  }));
  const found = await tryRead(async () => [
    ...(await namesakesOf(wds, bindings)),
    ...(await conflictsOf(wds, sendings, bindings)),
  ]);
  if (found.state !== 'seen') return skipped(found.why);
  const [first, ...rest] = found.value.sort(bySeverity);
  return unless(first && { ...first, details: rest.map(({ message }) => message) });
}

/** Works that carry the name of a WDS and come from none of its Bindings: each of two transports deletes those of the other. */
async function namesakesOf(wds: Wds, bindings: readonly Binding[]): Promise<Problem[]> {
  if (wds.isContext || wds.its.state !== 'seen') return [];
  const { name, kube } = wds.its.value;
  const works = await worksSentBy(kube, wds.name, { metadataOnly: true });
  const isOwn = comesFromAny(bindings);
  const foreign = works.filter((work) => isLiving(work) && !isOwn(work));
  if (foreign.length === 0) return [];
  const message = `${name} has ${count(foreign.length, 'work')} on ${wecsOf(foreign)} that carry the name ${wds.name} and come from none of its Bindings: if another hosting cluster has a WDS of that name, each of their transports deletes the works of the other.`;
  const step = advice('Give one of them another name, or another ITS');
  return [problem('works-of-namesake', message, step)];
}

async function judgePolicies(wds: Wds): Promise<Outcome> {
  const { view: policies, errors } = await listPolicies(wds);
  const empty = policies.filter(({ code }) => code === emptyPolicy);
  const failed = policies.filter(({ state, code }) => state === 'failed' && code !== emptyPolicy);
  const nothing =
    empty.length === 0 ? [] : [`Nothing is selected in ${wds.name} by ${namesOf(empty)}.`];
  if (failed.length > 0) return failedPolicies(failed, nothing, wds);
  if (nothing.length > 0) {
    return warn(
      'policy-empty',
      nothing.join(),
      run(
        command`stellarctl policy explain ${empty[0]?.name ?? ''} ${flagsOf(wds)}`,
        'See what it would select',
      ),
    );
  }
  if (policies.length === 0) return pass('it has none');
  const [error] = errors;
  if (error !== undefined) return skipped(error.why);
  const waiting = policies.filter(({ state }) => state === 'waiting');
  const open = waiting.find(({ code }) => code === 'replicas-missing' || code === 'not-available');
  if (open !== undefined) {
    return warn(
      'policy-waiting',
      `Of policy ${open.name} of ${wds.name}, ${open.why}.`,
      toSee(open, wds),
    );
  }
  const rest = waiting.length === 0 ? '' : `; not everywhere yet: ${namesOf(waiting)}`;
  return pass(`${count(policies.length, 'policy', 'policies')}${rest}`);
}

const namesOf = (policies: readonly PolicySummary[]) =>
  few(policies.map(({ name }) => name)).join(', ');

const toSee = ({ name, object }: PolicySummary, wds: Wds) =>
  object === undefined
    ? run(command`stellarctl policy get ${name} ${flagsOf(wds)}`, 'See which objects, and why')
    : toSeeObject(object, wds);

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
