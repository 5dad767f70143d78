import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { Problem } from '../../engine/problem.ts';
import { ifSeen, through, tryRead } from '../../kube/access.ts';
import { conditionOf } from '../../kube/objects.ts';
import type { ObjectView } from '../../model/object-ref.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import type { KindRef, Modulation, PolicySpec } from '../../model/policies.ts';
import { flagsOf, type OpenWds } from '../../spaces/open-wds.ts';
import { type Unseen, unseenOf, type ViewWithErrors, viewOfUnseen } from '../unseen.ts';
import { missingProperties, readDigests, refusedBindings, tooLarge } from './content-warnings.ts';
import { misspeltLabels, type PolicyProblem, problemView } from './policy-problems.ts';
import {
  invalidClusterSelectors,
  longName,
  missingMailbox,
  missingNamespaces,
  namespaceDefaults,
  nothingSelected,
  ownedObjects,
  runningInWds,
  systemObjects,
} from './selection-warnings.ts';
import { statusProblems } from './status-warnings.ts';
import { evaluate, getPolicy, type PolicySubject } from './subject.ts';

/** A WEC that a policy selects. The fields are an interface: docs/output.md. */
interface SelectedWec {
  name: string;
  accepted: boolean;
  /** Null if its availability has not been reported. */
  available: boolean | null;
  deleting: boolean;
}

/** What a policy does now. The fields are an interface: docs/output.md. */
export interface Explanation {
  name: string;
  wds: string;
  its: string | null;
  /** Whether the WDS has a policy with this name; the explained one may be from a file. */
  exists: boolean;
  /** Null if the ITS cannot be read. */
  wecs: SelectedWec[] | null;
  objects: (KindRef & ObjectView & Modulation)[];
  problems: PolicyProblem[];
  notVisible: { what: string; why: string }[];
}

/** @throws StellarError `not-found` if the WDS does not have the policy and no spec is given */
export async function explain(name: string, wds: OpenWds, given?: PolicySpec): Promise<ViewWithErrors<Explanation>> {
  const present = await getPolicy(wds.kube, name);
  const spec = given ?? present?.spec;
  if (spec === undefined) throw noSuchPolicy(name, wds);
  return explanationOf(await evaluate(name, spec, wds), present !== undefined);
}

/** @param exists whether the WDS has a policy with its name */
export async function explanationOf(subject: PolicySubject, exists: boolean): Promise<ViewWithErrors<Explanation>> {
  const { problems, unseen } = await problemsOf(subject);
  const view = viewOf(subject, exists, problems, unseen.map(viewOfUnseen));
  return { view, errors: unseen.map(({ error }) => error) };
}

export function noSuchPolicy(name: string, wds: OpenWds): StellarError {
  return new StellarError('not-found', `There is no binding policy ${name} in ${wds.name}.`, {
    next: [run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what exists')],
  });
}

/** Returns all problems of a policy before it is written, the worst first. */
async function problemsOf(subject: PolicySubject): Promise<{ problems: Problem[]; unseen: Unseen[] }> {
  const contents = await tryRead(() => readDigests(subject));
  const [properties, versions, statuses] = await Promise.all([
    through(contents, (digests) => missingProperties(digests, subject)),
    tryRead(() => refusedBindings(subject)),
    tryRead(() => statusProblems(subject)),
  ]);
  const found = [
    ...systemObjects(subject),
    ...longName(subject),
    ...nothingSelected(subject),
    ...invalidClusterSelectors(subject),
    ...missingMailbox(subject),
    ...tooLarge(ifSeen(contents) ?? []),
    ...(ifSeen(properties) ?? []),
    ...(ifSeen(versions) ?? []),
    ...(ifSeen(statuses) ?? []),
    ...missingNamespaces(subject),
    ...ownedObjects(subject),
    ...namespaceDefaults(subject),
    ...runningInWds(subject),
    ...misspeltLabels(subject.spec, ifSeen(subject.inventory) ?? [], ifSeen(subject.wds.its)?.kube.cluster.context),
  ];
  return {
    problems: found.sort((a, b) => Number(a.severity === 'warn') - Number(b.severity === 'warn')),
    unseen: [
      ...unseenOf('WECs', subject.inventory),
      ...subject.contents.unread,
      ...unseenOf('objects', contents),
      ...(contents.state === 'seen' ? unseenOf('properties of WECs', properties) : []),
      ...unseenOf('definitions', versions),
      ...unseenOf('status collectors', statuses),
    ],
  };
}

function viewOf(
  { name, wds, inventory, wecs, objects }: PolicySubject,
  exists: boolean,
  problems: readonly Problem[],
  notVisible: Explanation['notVisible'],
): Explanation {
  return {
    ...{ name, wds: wds.name, its: wds.its.state === 'seen' ? wds.its.value.name : null, exists, notVisible },
    wecs: inventory.state === 'seen' ? wecs.map(wecView) : null,
    objects: objects.map(({ object: { group, version, resource, kind, metadata }, modulation }) => ({
      ...{ group, version, resource, kind, namespace: metadata.namespace ?? null, name: metadata.name },
      ...modulation,
    })),
    problems: problems.map(problemView),
  };
}

function wecView(wec: ManagedCluster): SelectedWec {
  const available = conditionOf(wec, 'ManagedClusterConditionAvailable')?.status;
  return {
    name: wec.metadata.name,
    accepted: wec.spec?.hubAcceptsClient === true,
    available: available === undefined || available === 'Unknown' ? null : available === 'True',
    deleting: wec.metadata.deletionTimestamp !== undefined,
  };
}
