import { changeWords } from '../../core/changes.ts';
import {
  advice,
  command,
  type Diagnosis,
  diagnosisOf,
  type NextStep,
  onIts,
  type Problem,
  partial,
  problem,
  run,
} from '../../core/next-step.ts';
import { count, isSlip } from '../../core/text/words.ts';
import { ifSeen } from '../../kube/access.ts';
import {
  groupOf,
  isLiving,
  type KubeObject,
  type LabelSelector,
  namesOf,
} from '../../kube/client/objects.ts';
import { nearestLabels } from '../../ocm/hub/find-wecs.ts';
import type {
  BindingPolicy,
  Candidate,
  DownsyncClause,
  PolicySpec,
} from '../../ocm/model/kubestellar-names.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import { inWds, type Wds } from '../../spaces/choose/open-wds.ts';
import { isValid, selectsLabels } from '../selection/label-selectors.ts';
import type { PolicySubject } from '../selection/policy-subject.ts';
import {
  failingParts,
  labelsToSelect,
  type NamespaceLabels,
  namespaceCandidate,
  type SelectedObject,
} from '../selection/select-objects.ts';
import { type DeliveryEvidence, hasMailbox } from './delivery.ts';

/** A policy, or a part of it, that selects nothing. */
export function nothingSelected({
  spec,
  wds,
  wecs,
  inventory,
  objects,
  contents,
  kinds,
}: PolicySubject): Problem[] {
  const { clusterSelectors = [], downsync = [] } = spec;
  const problems = downsync.flatMap((clause, index) => unfitParts(clause, index, kinds));
  if (inventory.state === 'seen' && wecs.length === 0) {
    const next = toSelectWec(spec, inventory.value, ifSeen(wds.its)?.kube.cluster.context);
    problems.push(
      problem('no-wec-matches', `It selects no WEC: ${whyNoWec(clusterSelectors)}.`, ...next),
    );
  }
  const see = inWds(
    wds,
    command`kubectl --context ${wds.context} get ${kindsInClauses(downsync)} -A --show-labels`,
  );
  const selectors = downsync.flatMap(({ objectSelectors = [] }) => objectSelectors);
  const near = nearest('object', selectors, contents.objects);
  const none =
    downsync.length === 0
      ? 'It has no downsync clause, and selects no object.'
      : 'It selects no object.';
  if (objects.length === 0)
    problems.push(problem('no-object-matches', none, ...near, run(see, 'See what exists')));
  return problems;
}

function whyNoWec(selectors: readonly LabelSelector[]) {
  if (selectors.length === 0) return 'it has no clusterSelectors';
  return selectors.every(isValid)
    ? 'none has the labels'
    : 'one of its clusterSelectors is not valid';
}

/** A WEC at which the transport stops, with other WECs after it. The transport processes WECs in the order of their names. */
export function missingMailbox({ wecs, wds: { its } }: PolicySubject): Problem[] {
  const names = namesOf(wecs).sort();
  const [first] = namesOf(wecs.filter((wec) => !hasMailbox(wec))).sort();
  const later = first === undefined ? [] : names.slice(names.indexOf(first) + 1);
  if (first === undefined || later.length === 0) return [];
  const of = onIts(ifSeen(its)?.kube.cluster.context);
  return [
    problem(
      'transport-stopped',
      `WEC ${first} has not been accepted and has no mailbox: the transport stops there, and sends nothing to ${later.join(', ')} either.`,
      run(command`stellarctl accept ${first} ${of}`, 'Accept it'),
    ),
  ];
}

/** The kinds that clauses select, as kubectl takes them. */
const kindsInClauses = (clauses: readonly DownsyncClause[]) =>
  clauses.flatMap(({ resources = [] }) => resources.filter((name) => name !== '*')).join() || 'all';

/** Returns the labels of WECs that a policy may mean; without such labels, a command that makes it select a WEC. */
export function toSelectWec(
  policy: PolicySpec,
  wecs: readonly KubeObject[],
  its: string | undefined,
): NextStep[] {
  const { clusterSelectors = [] } = policy;
  const near = nearest('WEC', clusterSelectors, wecs);
  if (near.length > 0) return near;
  const [selector] = clusterSelectors;
  const words = changeWords(selector?.matchLabels ?? {});
  if (words.length === 0 || selector?.matchExpressions?.length) return [];
  return [partial(command`stellarctl label NAME ${words} ${onIts(its)}`, 'Give a WEC the labels')];
}

/** The existing labels that selectors may mean. @param of what has them */
function nearest(
  of: 'WEC' | 'object',
  selectors: readonly LabelSelector[],
  among: readonly KubeObject[],
) {
  const asked = selectors.flatMap(({ matchLabels = {}, matchExpressions = [] }) => [
    ...changeWords(matchLabels),
    ...matchExpressions.map(({ key }) => key),
  ]);
  const labels = among.map(({ metadata }) => metadata.labels ?? {});
  const near = asked.length === 0 ? [] : nearestLabels(asked.join(), labels, of);
  return near.length === 0 ? [] : [advice(`The nearest labels of ${of}s are ${near.join(', ')}`)];
}

/** Returns what a clause requires that no object can have. */
function unfitParts(
  clause: DownsyncClause,
  index: number,
  kinds: PolicySubject['kinds'],
): Problem[] {
  const where = `downsync[${index}]`;
  const {
    apiGroup,
    resources = [],
    namespaces = [],
    objectNames = [],
    objectSelectors = [],
  } = clause;
  const groups = new Set(kinds.map(({ apiVersion }) => groupOf(apiVersion)));
  const unfit = (part: string, why: string, ...next: NextStep[]) =>
    problem('selector-unfit', `${where}.${part} selects nothing: ${why}.`, ...next);
  return [
    ...(apiGroup === undefined || groups.has(apiGroup)
      ? []
      : [unfit('apiGroup', `the WDS has no kind of group "${apiGroup}" that is sent to WECs`)]),
    ...resources
      .filter((name) => name !== '*' && !kinds.some(({ plural }) => plural === name))
      .map((name) => {
        const similar = kinds.find(({ kind }) => kind.toLowerCase() === name.toLowerCase());
        const fix = similar === undefined ? [] : [advice(`Write "${similar.plural}"`)];
        return unfit('resources', `no kind that is sent to WECs has the plural "${name}"`, ...fix);
      }),
    ...[...namespaces, ...objectNames]
      .filter((name) => name !== '*' && name.includes('*'))
      .map((name) =>
        unfit('names', `"${name}" is taken literally; only "*" by itself stands for all`),
      ),
    ...objectSelectors
      .filter((selector) => !isValid(selector))
      .map((selector) => unfit('objectSelectors', `${JSON.stringify(selector)} is not valid`)),
  ];
}

/** Namespaces that every cluster has. */
const builtInNamespaces = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/** Objects that are sent to WECs without their Namespace. */
export function missingNamespaces({
  objects,
  wds,
  spec,
  contents: { namespaces },
}: PolicySubject): Problem[] {
  const spaces = objects.filter(
    ({ object }) => object.resource === 'namespaces' && object.group === '',
  );
  const sent = new Set(spaces.map(({ object }) => object.metadata.name));
  const needed = new Set(objects.flatMap(({ object: { metadata } }) => metadata.namespace ?? []));
  const missing = [...needed]
    .filter((namespace) => !sent.has(namespace) && !builtInNamespaces.has(namespace))
    .sort();
  if (missing.length === 0) return [];
  const labels = missing.map((name) =>
    labelsToSelect(spec.downsync ?? [], namespaceCandidate(name, namespaces), namespaces),
  );
  const words = labels.every((each) => each !== undefined)
    ? [...new Set(labels.flat())]
    : undefined;
  const [namespace, them] = missing.length === 1 ? ['Namespace', 'it'] : ['Namespaces', 'them'];
  return [
    {
      ...problem(
        'namespace-not-selected',
        `Objects are sent without their ${namespace} ${missing.join(', ')}: they fail on a WEC that does not have ${them}.`,
        words === undefined
          ? advice(`Select ${them} as well, by a clause with resources: [namespaces]`)
          : run(
              inWds(
                wds,
                command`kubectl --context ${wds.context} label namespace ${missing} ${words}`,
              ),
              'Select as well',
            ),
      ),
      severity: 'warn',
    },
  ];
}

/** A problem of some of the selected objects, which it lists; nothing if there are none. */
export const aboutObjects = (
  objects: readonly SelectedObject[],
  about: Omit<Problem, 'details'>,
): Problem[] =>
  objects.length === 0
    ? []
    : [
        {
          ...about,
          details: objects.map(({ object }) => describeObject({ ...object, ...object.metadata })),
        },
      ];

/** Objects of the hosting cluster itself, if it is the WDS. */
export function systemObjects({ objects, wds, isHosting }: PolicySubject): Problem[] {
  const system = objects.filter(({ object }) => isHosting && isSystem(object.metadata));
  return aboutObjects(
    system,
    problem(
      'system-objects-selected',
      `${wds.name} is the hosting cluster itself, and ${count(system.length, 'object')} of its own would be sent to WECs.`,
      advice('Select by a label that only your workload has'),
    ),
  );
}

const systemName =
  /^(?:kube-|open-cluster-management|system:|kubeflex|kubestellar)|-system$|\.(?:kubestellar|open-cluster-management)\./;
const isSystem = ({
  namespace,
  name,
  labels,
}: {
  namespace?: string;
  name: string;
  labels?: object;
}) =>
  systemName.test(namespace ?? name) ||
  (namespace === undefined && Object.hasOwn(labels ?? {}, 'kubernetes.io/bootstrapping'));

export const isJob = ({ group, resource }: Pick<Candidate, 'group' | 'resource'>) =>
  group === 'batch' && resource === 'jobs';

/** Makes a policy only create a Job, by a clause for it beside the one that selects it: other objects must still be updated. */
export function toCreateOnly(
  job: Candidate,
  { name, downsync = [] }: { name: string; downsync?: readonly DownsyncClause[] | undefined },
  namespaces: NamespaceLabels,
  wds: Wds,
): NextStep {
  const selecting = downsync.find((clause) => failingParts(clause, job, namespaces).length === 0);
  const value = { ...selecting, apiGroup: 'batch', resources: ['jobs'], createOnly: true };
  const patch = JSON.stringify([{ op: 'add', path: '/spec/downsync/-', value }]);
  return run(
    inWds(
      wds,
      command`kubectl --context ${wds.context} patch bindingpolicy ${name} --type json --patch ${patch}`,
    ),
    'Add a clause that only creates Jobs',
  );
}

/** A Job cannot be updated: its API server adds a selector and labels, which the agent then wants to remove. */
export function updatedJobs({
  name,
  objects,
  spec,
  wds,
  contents: { namespaces },
}: PolicySubject): Problem[] {
  const jobs = objects.filter(
    ({ object, modulation }) => isJob(object) && modulation.createOnly !== true,
  );
  const [first] = jobs;
  if (first === undefined) return [];
  return aboutObjects(jobs, {
    ...problem(
      'job-needs-create-only',
      `${count(jobs.length, 'Job')} would be created and then updated, which every API server refuses: createOnly is needed.`,
      toCreateOnly(first.object, { name, downsync: spec.downsync }, namespaces, wds),
    ),
    severity: 'warn',
  });
}

/** The fields are an interface: docs/output.md. */
export interface PolicyProblem extends Diagnosis {
  code: string;
  severity: 'error' | 'warning';
  details: readonly string[];
}

export const problemView = (problem: Problem): PolicyProblem => ({
  code: problem.code,
  severity: problem.severity === 'warn' ? 'warning' : 'error',
  ...diagnosisOf(problem),
  details: problem.details ?? [],
});

/**
 * WECs that a slip in a label leaves out. If none is selected, the slip is more likely in the policy.
 * @param wecs those of the ITS @param its its context
 */
export function misspeltLabels(
  { clusterSelectors = [] }: PolicySpec,
  wecs: readonly KubeObject[],
  its = '',
): Problem[] {
  const asked = clusterSelectors.flatMap(({ matchLabels = {} }) => Object.entries(matchLabels));
  const unselected = wecs.filter(
    ({ metadata }) => !selectsLabels(clusterSelectors, metadata.labels ?? {}),
  );
  return (unselected.length === wecs.length ? [] : unselected).flatMap(
    ({ metadata: { name, labels = {} } }) =>
      asked.flatMap(([key, value]) => {
        const isSlipFor = ([k, v]: [string, string]) =>
          (k === key && isSlip(v, value)) || (v === value && isSlip(k, key));
        const slip = Object.entries(labels).find(isSlipFor)?.join('=');
        if (slip === undefined) return [];
        const message = `WEC ${name} is not selected: its label ${slip} is nearly ${key}=${value}.`;
        return {
          code: 'label-misspelt',
          message,
          next: [
            run(
              command`stellarctl label ${name} ${key}=${value} --overwrite --its ${its}`,
              'If that is a slip',
            ),
          ],
          severity: 'warn' as const,
        };
      }),
  );
}

/** What is wrong with the WECs that policies do not select, each problem once: policies may share one. */
export function leftOut(
  policies: readonly BindingPolicy[],
  { inventory, its }: DeliveryEvidence,
): PolicyProblem[] {
  const wecs = [...(ifSeen(inventory)?.values() ?? [])];
  const problems = policies
    .filter(isLiving)
    .flatMap(({ spec = {} }) => misspeltLabels(spec, wecs, its))
    .map(problemView);
  return [...new Map(problems.map((each) => [each.problem, each])).values()];
}
