import { isDeepStrictEqual } from 'node:util';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, command, flagsOf, run as nextStep, partial } from '../core/next-step.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { few } from '../core/text/words.ts';
import { takenBy, unforeseenIn } from '../forecast/losses.ts';
import { noForecast } from '../forecast/read-forecast.ts';
import { readPolicyForecast } from '../forecast/read-policy-forecast.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { type ForeseenKube, foreseen } from '../kube/client/foreseen.ts';
import { groupOf, type LabelSelector, resources, typeMeta } from '../kube/client/objects.ts';
import type { DiscoveredKind } from '../kube/discovery.ts';
import { notStored, retryConflicts } from '../kube/writes.ts';
import type {
  BindingPolicy,
  DownsyncClause,
  Modulation,
  PoliciesOfIts,
  PolicySpec,
} from '../ocm/model/kubestellar-names.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { type Explanation, explanationOf, noSuchPolicy } from '../workloads/policy/explain.ts';
import { nameTaken } from '../workloads/selection/create-object.ts';
import { isValid } from '../workloads/selection/label-selectors.ts';
import { evaluate, getPolicy } from '../workloads/selection/policy-subject.ts';
import { discoverSendable, requireKind } from '../workloads/selection/wds-contents.ts';

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
export type PolicyChange = Awaited<ReturnType<typeof previewPolicy>>;

/** A policy as asked for. */
interface AskedPolicy {
  name: string;
  spec: PolicySpec;
  wds: Wds;
  /** Refuse to change one. */
  creates?: boolean;
  /** Reads the policies of its ITS. */
  readPolicies(): Promise<PoliciesOfIts>;
  rehearsal?: PolicyRehearsal;
}

/** How KubeStellar tries the change of a policy first. */
interface PolicyRehearsal {
  prepare(change: PolicyChange): Promise<void>;
  carryOut(write: () => Promise<PolicyResult[]>): Promise<PolicyResult[]>;
}

const isAsFor = ({ spec }: AskedPolicy, policy: BindingPolicy | undefined) =>
  isDeepStrictEqual(policy?.spec, spec);

/** What a policy would do as it is asked for, and what WECs would lose by it. */
export async function previewPolicy(asked: AskedPolicy) {
  const { name, spec, wds, creates, readPolicies } = asked;
  const { object: present } = await getPolicy(wds.kube, name);
  const isSame = isAsFor(asked, present);
  if (creates && present !== undefined && !isSame) throw policyTaken(name, wds);
  const subject = await evaluate(name, spec, wds);
  const {
    view: explanation,
    overwritten,
    stops,
    errors,
  } = await explanationOf(subject, present !== undefined);
  const effects = isSame
    ? noForecast
    : await readPolicyForecast({ subject, present, stops, overwritten, readPolicies });
  return { name, present, explanation, effects, errors };
}

/** Why the change of a policy may take more away than is known, each a clause. Its explanation shows what it overwrites, and its own namesakes. */
export const unforeseenBy = ({ explanation, effects }: PolicyChange): string[] =>
  unforeseenIn(effects, [
    'taken-over',
    ...(explanation.problems.some(({ code }) => code === 'statuses-confused')
      ? (['crashes'] as const)
      : []),
  ]);

/**
 * Creates a policy, or changes it after showing what it no longer sends. One with the same selectors stays as it is.
 * @throws StellarError before anything is written: `usage`, `name-taken`, `system-objects-selected`, and what `confirm` throws
 */
export async function applyPolicy(
  asked: AskedPolicy,
  confirm: Confirm<PolicyChange>,
  run: Run,
): Promise<PolicyResult> {
  const { name, spec, wds, rehearsal } = asked;
  const tooLong = `The name of a policy has at most 63 characters, not ${name.length}: no work can be created.`;
  if (name.length > 63) throw new StellarError('usage', tooLong);
  const effects = (change: PolicyChange) => [
    ...takenBy(change.effects),
    ...unforeseenBy(change).map((why) => ({ object: why })),
  ];
  const {
    present,
    explanation,
    effects: seen,
  } = await readConfirmed({
    async read() {
      const change = await previewPolicy(asked);
      requireWritable(change.explanation);
      if (!isAsFor(asked, change.present)) await rehearsal?.prepare(change);
      return change;
    },
    effects,
    confirm,
  });
  const { wecs, objects, problems } = explanation;
  const result: PolicyResult = { name, wds: wds.name, wecs, objects, problems, changed: false };
  const write = () =>
    forName(result, run, async () => {
      if (isAsFor(asked, present)) return run.progress.done(name, 'already exists; nothing to do');
      // Another client may have created one, or the answer to this request been lost, and the request been repeated.
      const kube = foreseen(wds.kube, seen);
      const create = () => kube.create(resources.bindingPolicies, policyOf(name, spec));
      const isTaken = present === undefined && (await unlessStatus(create(), 409)) === undefined;
      if (present !== undefined) await changePolicy(present, spec, kube);
      if (run.dryRun) return;
      const isStored = isAsFor(asked, (await getPolicy(wds.kube, name)).object);
      result.changed = isStored || !isTaken;
      if (!isStored) throw isTaken ? policyTaken(name, wds) : notStored(wds.kube, name);
      run.progress.done(name, present === undefined ? 'created' : 'changed');
    });
  if (rehearsal === undefined) return write();
  const [written = result] = await rehearsal.carryOut(async () => [await write()]);
  return written;
}

/** @throws StellarError `conflict` if it is not the policy that was shown; KubeStellar writes its status meanwhile */
async function changePolicy(shown: BindingPolicy, spec: PolicySpec, kube: ForeseenKube) {
  const { name, uid, generation } = shown.metadata;
  const removed = Object.fromEntries(Object.keys(shown.spec ?? {}).map((field) => [field, null]));
  await retryConflicts(kube, async (isFirst) => {
    const current = isFirst ? shown : await kube.get(resources.bindingPolicies, name);
    const { metadata } = current ?? {};
    if (metadata === undefined || metadata.uid !== uid || metadata.generation !== generation)
      throw new StellarError('conflict', `Policy ${name} has changed since it was shown.`);
    const { resourceVersion } = metadata;
    const patch = { metadata: { uid, resourceVersion }, spec: { ...removed, ...spec } };
    await kube.merge(resources.bindingPolicies, name, patch);
  });
}
