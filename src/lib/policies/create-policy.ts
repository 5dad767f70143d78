import { isDeepStrictEqual } from 'node:util';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, command, flagsOf, run as nextStep, partial } from '../core/next-step.ts';
import { type Confirm, type Effect, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { count, few } from '../core/text/words.ts';
import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import {
  groupOf,
  isLiving,
  type LabelSelector,
  namesOf,
  resources,
  typeMeta,
} from '../kube/client/objects.ts';
import type { DiscoveredKind } from '../kube/discovery.ts';
import { prove } from '../kube/served.ts';
import { notStored } from '../kube/writes.ts';
import {
  type Binding,
  type BindingPolicy,
  type DownsyncClause,
  destinationsOf,
  isEmptyBinding,
  type Modulation,
  objectsOf,
  type PoliciesOfIts,
  type Policy,
  type PolicySpec,
} from '../ocm/model/kubestellar-names.ts';
import { describeObject, keyOf, keyOfCandidate } from '../ocm/model/object-ref.ts';
import { isFrom, originOf } from '../ocm/work-origins.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import { foreignNamesakes, type Namesake } from '../workloads/delivery/conflicts.ts';
import { type Explanation, explanationOf, noSuchPolicy } from '../workloads/policy/explain.ts';
import { nameTaken } from '../workloads/selection/create-object.ts';
import { isValid } from '../workloads/selection/label-selectors.ts';
import { evaluate, getPolicy, type PolicySubject } from '../workloads/selection/policy-subject.ts';
import { type Unseen, unseenOf } from '../workloads/selection/unseen.ts';
import { discoverSendable, kindNames, requireKind } from '../workloads/selection/wds-contents.ts';

/** A policy as requested on the command line. */
export interface PolicyRequest {
  /** Label selectors of WECs. A WEC must match one of them. */
  clusters: readonly string[];
  /** Any names of kinds, with the group if the name is ambiguous; empty selects all. */
  select: readonly string[];
  /** Label selectors of objects. An object must match one of them; empty selects all. */
  selectors: readonly string[];
  /** Empty selects all. */
  namespaces: readonly string[];
  createOnly?: boolean | undefined;
  /** `singleton`, `multi`, and names of StatusCollectors. */
  status: readonly string[];
}

export type PolicyResult = ChangeResult &
  Pick<Explanation, 'wds' | 'wecs' | 'objects' | 'problems'>;

/** Returns the requested policy, resolved with the kinds of its WDS. */
export const readSpec = async (request: PolicyRequest, wds: Wds): Promise<PolicySpec> =>
  specOf(request, await discoverSendable(wds));

/**
 * @param kinds those that the WDS can send
 * @throws StellarError `usage` for an invalid selector or unknown kind, and if nothing selects objects
 */
export function specOf(request: PolicyRequest, kinds: readonly DiscoveredKind[]): PolicySpec {
  const { clusters, select, selectors, namespaces } = request;
  if (select.length + selectors.length + namespaces.length === 0)
    throw new StellarError(
      'usage',
      'Say which objects: --select KIND, -l SELECTOR or -n NAMESPACE.',
    );
  const common: DownsyncClause = {
    ...(namespaces.length === 0 ? {} : { namespaces: [...namespaces] }),
    ...(selectors.length === 0 ? {} : { objectSelectors: selectors.map(parseLabelSelector) }),
    ...modulationOf(request),
  };
  const wanted = select.map((text) => requireKind(text, kinds));
  // A clause has one group.
  const groups = Map.groupBy(wanted, ({ apiVersion }) => groupOf(apiVersion));
  const clauses = [...groups].map(([apiGroup, found]) => ({
    apiGroup,
    resources: [...new Set(found.map(({ plural }) => plural))],
    ...common,
  }));
  return {
    clusterSelectors: clusters.map(parseLabelSelector),
    downsync: clauses.length === 0 ? [common] : clauses,
  };
}

function modulationOf({ createOnly, status }: PolicyRequest): Modulation {
  const collectors = status.filter((name) => name !== 'singleton' && name !== 'multi');
  return {
    ...(createOnly ? { createOnly } : {}),
    ...(status.includes('singleton') ? { wantSingletonReportedState: true } : {}),
    ...(status.includes('multi') ? { wantMultiWECReportedState: true } : {}),
    ...(collectors.length === 0 ? {} : { statusCollectors: collectors }),
  };
}

const policyTaken = (name: string, wds: Wds) =>
  nameTaken(
    `binding policy ${name}`,
    wds,
    nextStep(command`stellarctl policy explain ${name} ${flagsOf(wds)}`, 'See what it selects'),
    nextStep(
      command`stellarctl policy get ${name} -o manifest ${flagsOf(wds)}`,
      'Get the file that it is',
    ),
    partial(
      command`stellarctl policy apply -f FILE ${flagsOf(wds)}`,
      'Change it to what a file says',
    ),
  );

/** @throws StellarError `system-objects-selected` */
function requireWritable({ problems }: Explanation) {
  const refused = problems.find(({ code }) => code === 'system-objects-selected');
  if (refused === undefined) return;
  const details = few(refused.details, 10);
  throw new StellarError('system-objects-selected', `${refused.problem} Nothing was written.`).with(
    { details },
  );
}

/** An existing policy as the file that `policy apply` takes. @throws StellarError `not-found` */
export async function policyManifest(name: string, wds: Wds): Promise<BindingPolicy> {
  const { object: present } = await getPolicy(wds.kube, name);
  if (present === undefined) throw await noSuchPolicy(name, wds);
  return policyOf(name, present.spec ?? {});
}

/** The object that is applied. */
export function policyOf(name: string, spec: PolicySpec) {
  return { ...typeMeta(resources.bindingPolicies), metadata: { name }, spec };
}

/**
 * Parses a label selector in kubectl's syntax: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. An empty
 * selector selects everything.
 * @throws StellarError `usage`
 */
export function parseLabelSelector(text: string): LabelSelector {
  const selector: Required<LabelSelector> = { matchLabels: {}, matchExpressions: [] };
  for (const term of text.split(/,(?![^(]*\))/).map((part) => part.trim())) {
    if (term === '' && text.trim() === '') break;
    addTerm(selector, term, text);
  }
  const { matchLabels, matchExpressions } = selector;
  const parsed = {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
  if (!isValid(parsed)) throw notASelector(text);
  return parsed;
}

function addTerm(
  { matchLabels, matchExpressions }: Required<LabelSelector>,
  term: string,
  text: string,
) {
  const [, setKey, operator, values = ''] = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term) ?? [];
  const [, not, keyOnly] = /^(!?)\s*([^\s=!]+)$/.exec(term) ?? [];
  const [, key, relation, value = ''] = /^([^\s=!]+)\s*(==?|!=)\s*([^\s=!]*)$/.exec(term) ?? [];
  const among = values.split(',').map((each) => each.trim());
  const exists = not === '!' ? 'DoesNotExist' : 'Exists';
  if (setKey !== undefined)
    matchExpressions.push({
      key: setKey,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: among,
    });
  else if (keyOnly !== undefined) matchExpressions.push({ key: keyOnly, operator: exists });
  else if (key === undefined) throw notASelector(text);
  else if (relation === '!=') matchExpressions.push({ key, operator: 'NotIn', values: [value] });
  else if (Object.hasOwn(matchLabels, key) && matchLabels[key] !== value) throw notASelector(text);
  else matchLabels[key] = value;
}

const notASelector = (text: string) =>
  new StellarError(
    'usage',
    `"${text}" is not a label selector.`,
    advice('Give it as kubectl takes it: app=web,tier!=test, or env in (a,b)'),
  );

/** What a policy does, and what its change no longer sends. */
export type PolicyChange = Awaited<ReturnType<typeof readChange>>;

/** A policy as asked for. */
interface AskedPolicy {
  name: string;
  spec: PolicySpec;
  wds: Wds;
  /** Refuse to change one. */
  creates?: boolean;
  /** Reads the policies of its ITS. */
  readPolicies(): Promise<PoliciesOfIts>;
}

const isAsFor = ({ spec }: AskedPolicy, policy: BindingPolicy | undefined) =>
  isDeepStrictEqual(policy?.spec, spec);

async function readChange(asked: AskedPolicy) {
  const { name, spec, wds, creates } = asked;
  const { object: present } = await getPolicy(wds.kube, name);
  const isSame = isAsFor(asked, present);
  if (creates && present !== undefined && !isSame) throw policyTaken(name, wds);
  const after = await evaluate(name, spec, wds);
  const { view: explanation, overwritten } = await explanationOf(after, present !== undefined);
  requireWritable(explanation);
  if (isSame) return { name, present, explanation, ...noChange, unforeseen: [] };
  const { object: binding } = await prove<Binding>(wds.kube, resources.bindings, name);
  const { lost, ...change } = lossOfChange(binding, after);
  const taken = overwritten.map(({ object, wec }) => ({ object: `overwritten: ${object}`, wec }));
  const isUnbound = present !== undefined && isEmptyBinding(binding);
  const unforeseen =
    wds.its.state === 'seen'
      ? await unforeseenBy(asked, wds.its.value, binding, after)
      : isUnbound
        ? [`its Binding lists nothing, and its works could not be read: ${wds.its.why}`]
        : [];
  return { name, present, explanation, ...change, lost: [...lost, ...taken], unforeseen };
}

/** Why the change of a policy may take more away than its Binding shows, each a clause. */
async function unforeseenBy(
  { name, wds, readPolicies }: AskedPolicy,
  its: { name: string; kube: Kube },
  binding: Binding | undefined,
  { wecs, objects }: PolicySubject,
): Promise<string[]> {
  const works = (await worksOfPolicy(its.kube, name, wds)).filter(isLiving);
  const own = works.filter((work) => {
    const origin = originOf(work);
    return origin !== undefined && (binding === undefined || isFrom(origin, binding));
  });
  const on = (some: typeof works) =>
    few([...new Set(some.map(({ metadata: { namespace = '' } }) => namespace))]).join(', ');
  const sent = objects.map(({ object: { metadata, ...kind } }) => ({ ...kind, ...metadata }));
  const namesakes = await foreignNamesakes(wds, { wecs: namesOf(wecs), objects: sent });
  const others = namesakes.length === 0 ? [] : (await readPolicies()).policies;
  const risky = namesakes.filter((namesake) => !others.some((other) => isPlain(other, namesake)));
  return [
    ...(isEmptyBinding(binding) && own.length > 0
      ? [`its Binding lists nothing, and works of it are on ${on(own)}`]
      : []),
    ...(own.length < works.length
      ? [
          `${its.name} has works of a ${name} of another ${wds.name}, on ${on(works.filter((work) => !own.includes(work)))}`,
        ]
      : []),
    ...risky
      .slice(0, 1)
      .map(
        ({ object, like, wds: other, wec }) =>
          `KubeStellar would confuse the statuses of ${object} and ${describeObject(like)} on ${wec} and crash, if WDS ${other} combines them`,
      ),
  ];
}

/** Whether a policy of another WDS is seen to send a namesake without combining its status. */
const isPlain = (policy: Policy, { wds, binding, like }: Namesake) =>
  policy.wds === wds &&
  policy.name === binding &&
  policy.binding !== undefined &&
  objectsOf(policy.binding).some(
    ({ name, namespace, statusCollectors = [] }) =>
      name === like.name && (namespace ?? null) === like.namespace && statusCollectors.length === 0,
  );

/**
 * Creates a policy, or changes it after showing what it no longer sends. One with the same selectors stays as it is.
 * @throws StellarError before anything is written: `usage`, `name-taken`, `system-objects-selected`, and what `confirm` throws
 */
export async function applyPolicy(
  asked: AskedPolicy,
  confirm: Confirm<PolicyChange>,
  run: Run,
): Promise<PolicyResult> {
  const { name, spec, wds } = asked;
  const tooLong = `The name of a policy has at most 63 characters, not ${name.length}: no work can be created.`;
  if (name.length > 63) throw new StellarError('usage', tooLong);
  const effects = ({ lost, unknown, unforeseen }: PolicyChange) => [
    ...lost,
    ...unknown.map(({ what }) => ({ object: `perhaps ${what}` })),
    ...unforeseen.map((why) => ({ object: why })),
  ];
  const { present, explanation } = await readConfirmed({
    read: () => readChange(asked),
    effects,
    confirm,
  });
  const { wecs, objects, problems } = explanation;
  const result: PolicyResult = { name, wds: wds.name, wecs, objects, problems, changed: false };
  return forName(result, run, async () => {
    if (isAsFor(asked, present)) return run.progress.done(name, 'already exists; nothing to do');
    // Another client may have created one, or the answer to this request been lost, and the request been repeated.
    const create = () => wds.kube.create(resources.bindingPolicies, policyOf(name, spec));
    const isTaken = present === undefined && (await unlessStatus(create(), 409)) === undefined;
    if (present !== undefined) await changePolicy(present, spec, wds);
    if (run.dryRun) return;
    const isStored = isAsFor(asked, (await getPolicy(wds.kube, name)).object);
    result.changed = isStored || !isTaken;
    if (!isStored) throw isTaken ? policyTaken(name, wds) : notStored(wds.kube, name);
    run.progress.done(name, present === undefined ? 'created' : 'changed');
  });
}

/** Fails with 409 if the policy is another one now. */
async function changePolicy(
  { metadata, spec: before = {} }: BindingPolicy,
  spec: PolicySpec,
  { kube }: Wds,
) {
  const { name, uid, resourceVersion } = metadata;
  const removed = Object.fromEntries(Object.keys(before).map((field) => [field, null]));
  const patch = { metadata: { uid, resourceVersion }, spec: { ...removed, ...spec } };
  await kube.merge(resources.bindingPolicies, name, patch);
}

const noChange = { lost: [] as Effect[], unknown: [] as Unseen[], sentTo: 0 };

/** What a Binding sends, and the new spec does not select. What a Binding names is sent, whatever a list shows. */
function lossOfChange(
  binding: Binding | undefined,
  { wecs, inventory, objects, contents, kinds }: PolicySubject,
) {
  const from = destinationsOf(binding);
  const sent = binding === undefined ? [] : objectsOf(binding);
  if (from.length === 0 || sent.length === 0) return noChange;
  const unknown = [...unseenOf('WECs', inventory), ...contents.unread];
  const kept = inventory.state === 'seen' ? namesOf(wecs) : from;
  const present = new Set(objects.map(({ object }) => keyOfCandidate(object)));
  const kindOf = kindNames(kinds);
  const dropped = sent
    .filter(
      (each) => !present.has(keyOf(each)) && !unknown.some(({ what }) => what === each.resource),
    )
    .map((each) => describeObject({ ...each, kind: kindOf(each) ?? each.resource }));
  const lost = from.flatMap((wec) => {
    const all = kept.includes(wec) ? few(dropped.toSorted()) : [count(sent.length, 'object')];
    return all.length === 0 ? [] : { object: `no longer sent: ${all.join(', ')}`, wec };
  });
  return {
    /** What is no longer sent to each WEC, where it is deleted unless another policy sends it, and what is overwritten. */
    lost,
    /** What could not be read: it may be lost as well. */
    unknown,
    /** How many WECs its Binding names. */
    sentTo: from.length,
  };
}
