import { isDeepStrictEqual } from 'node:util';
import { command } from '../core/command-line.ts';
import { few } from '../core/counts.ts';
import { forName, type NamedResult } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { ApiError } from '../kube/client/errors.ts';
import type { LabelSelector } from '../kube/client/objects.ts';
import { groupOf, resources } from '../kube/client/resources.ts';
import { type DiscoveredKind, discoverKinds } from '../kube/discovery.ts';
import type { BindingPolicy, DownsyncClause, Modulation, PolicySpec } from '../ocm/policies.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import { nameTaken } from './create-object.ts';
import { type Explanation, explanationOf } from './explain.ts';
import { requireKind } from './find-kind.ts';
import { isValid } from './label-selectors.ts';
import { evaluate, getPolicy } from './policy-subject.ts';
import { sendableKinds } from './wds-contents.ts';

/** A policy as requested on the command line. */
export interface PolicyRequest {
  name: string;
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

export interface PolicyResult extends NamedResult, Pick<Explanation, 'wds' | 'wecs' | 'objects' | 'problems'> {
  changed: boolean;
}

/** Returns the requested policy, resolved with the kinds of its WDS. @throws StellarError `usage` */
export const readSpec = async (request: PolicyRequest, wds: OpenWds): Promise<PolicySpec> =>
  specOf(request, sendableKinds(await discoverKinds(wds.kube), wds.apiGroups));

/** @throws StellarError `usage` for an invalid selector or unknown kind, and if nothing selects objects */
export function specOf(request: PolicyRequest, kinds: readonly DiscoveredKind[]): PolicySpec {
  const { clusters, select, selectors, namespaces } = request;
  if (select.length + selectors.length + namespaces.length === 0)
    throw new StellarError('usage', 'Say which objects: --select KIND, -l SELECTOR or -n NAMESPACE.');
  const common: DownsyncClause = {
    ...(namespaces.length === 0 ? {} : { namespaces: [...namespaces] }),
    ...(selectors.length === 0 ? {} : { objectSelectors: selectors.map(parseLabelSelector) }),
    ...modulationOf(request),
  };
  // A clause has one group.
  const groups = Map.groupBy(
    select.map((text) => requireKind(text, kinds)),
    ({ apiVersion }) => groupOf(apiVersion),
  );
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

/**
 * Creates a policy after showing what it selects. An existing policy with the same selectors stays unchanged.
 * @param confirm throws unless the user wants the policy in spite of these problems
 * @throws StellarError before anything is written: `usage`, `name-taken`, `system-objects-selected`
 */
export async function createPolicy(
  { request, spec, wds }: { request: PolicyRequest; spec: PolicySpec; wds: OpenWds },
  { show, confirm }: { show: (explanation: Explanation) => void; confirm: (problems: string[]) => Promise<void> },
  run: Run,
): Promise<PolicyResult> {
  const { name } = request;
  if (name.length > 63)
    throw new StellarError(
      'usage',
      `The name of a policy has at most 63 characters, not ${name.length}: no work can be created.`,
    );
  const present = await getPolicy(wds.kube, name);
  if (present !== undefined && !isDeepStrictEqual(present.spec, spec)) throw policyTaken(name, wds);
  const { view: explanation } = await explanationOf(await evaluate(name, spec, wds), present !== undefined);
  refuseSystemObjects(explanation);
  show(explanation);
  const { wecs, objects, problems } = explanation;
  // By an error it sends nothing, or less than it says: more likely a mistake than intended.
  const errors = problems.flatMap(({ severity, problem }) => (severity === 'error' ? problem : []));
  if (present === undefined && errors.length > 0 && !run.dryRun) await confirm(errors);
  const result: PolicyResult = { name, wds: wds.name, wecs, objects, problems, changed: false };
  return forName(result, run, async () => {
    if (present === undefined) await createNew(name, spec, wds);
    result.changed = present === undefined;
    if (!run.dryRun) run.progress.done(name, result.changed ? 'created' : 'already exists; nothing to do');
  });
}

/** Creates a policy that was not there. @throws StellarError `name-taken` if somebody has created another one since */
export async function createNew(name: string, spec: PolicySpec, wds: OpenWds): Promise<void> {
  try {
    await wds.kube.create(resources.bindingPolicies, policyOf(name, spec));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    // The answer to this request may have been lost, and the request been repeated.
    const present = await getPolicy(wds.kube, name);
    if (present === undefined || !isDeepStrictEqual(present.spec, spec)) throw policyTaken(name, wds);
  }
}

const policyTaken = (name: string, wds: OpenWds): StellarError =>
  nameTaken(
    `binding policy ${name}`,
    wds,
    nextStep(command`stellarctl policy explain ${name} ${flagsOf(wds)}`, 'See what it selects'),
    nextStep(command`kubectl --context ${wds.context} edit bindingpolicy ${name}`, 'Change it'),
  );

/** @throws StellarError `system-objects-selected` */
export function refuseSystemObjects({ problems }: Explanation): void {
  const refused = problems.find(({ code }) => code === 'system-objects-selected');
  if (refused === undefined) return;
  throw new StellarError('system-objects-selected', `${refused.problem} Nothing was written.`, {
    details: few(refused.details, 10),
  });
}

/** The object that is applied. */
export function policyOf(name: string, spec: PolicySpec): BindingPolicy & { apiVersion: string; kind: string } {
  const { apiVersion, kind } = resources.bindingPolicies;
  return { apiVersion, kind, metadata: { name }, spec };
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

function addTerm({ matchLabels, matchExpressions }: Required<LabelSelector>, term: string, text: string): void {
  const [, setKey, operator, values = ''] = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term) ?? [];
  const [, not, keyOnly] = /^(!?)\s*([^\s=!]+)$/.exec(term) ?? [];
  const [, key, relation, value = ''] = /^([^\s=!]+)\s*(==?|!=)\s*([^\s=!]*)$/.exec(term) ?? [];
  if (setKey !== undefined)
    matchExpressions.push({
      key: setKey,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((each) => each.trim()),
    });
  else if (keyOnly !== undefined)
    matchExpressions.push({ key: keyOnly, operator: not === '!' ? 'DoesNotExist' : 'Exists' });
  else if (key === undefined) throw notASelector(text);
  else if (relation === '!=') matchExpressions.push({ key, operator: 'NotIn', values: [value] });
  else if (Object.hasOwn(matchLabels, key) && matchLabels[key] !== value) throw notASelector(text);
  else matchLabels[key] = value;
}

const notASelector = (text: string): StellarError =>
  new StellarError('usage', `"${text}" is not a label selector.`, {
    next: [advice('Give it as kubectl takes it: app=web,tier!=test, or env in (a,b)')],
  });
