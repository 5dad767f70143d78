import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { StellarError } from '../core/errors.ts';
import { type Problem, problem, run } from '../core/next-step.ts';
import { ifSeen, through, tryRead } from '../kube/access.ts';
import { conditionOf } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { ObjectView } from '../ocm/object-ref.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import type { KindRef, Modulation, PolicySpec } from '../ocm/policies.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import { returnedByOne, toCreateCollector } from './collector.ts';
import { missingProperties, readDigests, refusedBindings, tooLarge } from './content-warnings.ts';
import { misspeltLabels, type PolicyProblem, problemView } from './policy-problems.ts';
import { evaluate, getPolicy, type PolicySubject } from './policy-subject.ts';
import {
  aboutObjects,
  missingMailbox,
  missingNamespaces,
  nothingSelected,
  systemObjects,
} from './selection-warnings.ts';
import { type Unseen, unseenOf, type ViewWithErrors, viewOfUnseen } from './unseen.ts';

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
  const { name, wds, inventory, wecs, objects } = subject;
  const { problems, unseen } = await problemsOf(subject);
  const view: Explanation = {
    ...{ name, wds: wds.name, its: ifSeen(wds.its)?.name ?? null, exists, notVisible: unseen.map(viewOfUnseen) },
    wecs: inventory.state === 'seen' ? wecs.map(wecView) : null,
    objects: objects.map(({ object: { group, version, resource, kind, metadata }, modulation }) => ({
      ...{ group, version, resource, kind, namespace: metadata.namespace ?? null, name: metadata.name },
      ...modulation,
    })),
    problems: problems.map(problemView),
  };
  return { view, errors: unseen.map(({ error }) => error) };
}

export const noSuchPolicy = (name: string, wds: OpenWds): StellarError =>
  new StellarError('not-found', `There is no binding policy ${name} in ${wds.name}.`, {
    next: [run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what exists')],
  });

/** Returns all problems of a policy before it is written, the worst first. */
async function problemsOf(subject: PolicySubject): Promise<{ problems: Problem[]; unseen: Unseen[] }> {
  const contents = await tryRead(() => readDigests(subject));
  const [properties, versions, collectors] = await Promise.all([
    through(contents, (digests) => missingProperties(digests, subject)),
    tryRead(() => refusedBindings(subject)),
    tryRead(() => missingCollectors(subject)),
  ]);
  const found = [
    ...systemObjects(subject),
    ...nothingSelected(subject),
    ...missingMailbox(subject),
    ...tooLarge(ifSeen(contents) ?? []),
    ...(ifSeen(properties) ?? []),
    ...(ifSeen(versions) ?? []),
    ...notOneWec(subject),
    ...(ifSeen(collectors) ?? []),
    ...missingNamespaces(subject),
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
      ...unseenOf('status collectors', collectors),
    ],
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

/** A singleton status is returned from exactly one WEC. */
function notOneWec({ objects, wecs, inventory }: PolicySubject): Problem[] {
  const asking = objects.filter(({ modulation }) => modulation.wantSingletonReportedState);
  if (inventory.state !== 'seen' || wecs.length === 1) return [];
  const message = `The status of ${count(asking.length, 'object')} is requested from a single WEC, but the policy selects ${wecs.length}: no status is returned.`;
  return aboutObjects(asking, problem('singleton-needs-one-wec', message, returnedByOne));
}

async function missingCollectors({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const wanted = new Set(objects.flatMap(({ modulation }) => modulation.statusCollectors ?? []));
  if (wanted.size === 0) return [];
  const there = new Set(((await wds.kube.list(resources.statusCollectors)) ?? []).map(({ metadata }) => metadata.name));
  const missing = [...wanted].filter((name) => !there.has(name));
  if (missing.length === 0) return [];
  const message = `There is no StatusCollector ${missing.join(', ')} in ${wds.name}; the others still report.`;
  const create = missing.map((name) => toCreateCollector(name, flagsOf(wds)));
  return [problem('status-collector-missing', message, ...create)];
}
