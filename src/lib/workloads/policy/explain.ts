import { StellarError } from '../../core/errors.ts';
import { advice, command, flagsOf, type Problem, problem, run } from '../../core/next-step.ts';
import { describeGrouped } from '../../core/read-confirmed.ts';
import { count, orNearest } from '../../core/text/words.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import { shownList } from '../../kube/client/missing.ts';
import { byName, conditionOf, namesOf, resources } from '../../kube/client/objects.ts';
import { listIfDefined, listServed } from '../../kube/served.ts';
import type { Binding } from '../../ocm/model/kubestellar-names.ts';
import { describeObject, type ObjectOnWec } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { findUnapplied } from '../../ocm/work-origins.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { bySeverity, conflictsOf } from '../delivery/conflicts.ts';
import {
  aboutObjects,
  missingMailbox,
  missingNamespaces,
  misspeltLabels,
  nothingSelected,
  problemView,
  systemObjects,
  updatedJobs,
} from '../delivery/selection-warnings.ts';
import { whatStops } from '../delivery/what-stops.ts';
import { evaluate, getPolicy, type PolicySubject } from '../selection/policy-subject.ts';
import { openWec, unseenOf, viewOfUnseen } from '../selection/unseen.ts';
import { countsTwice } from '../selection/wds-contents.ts';
import { returnedByOne, toCreateCollector } from '../status/returned-status.ts';

/** What a policy does now. The fields are an interface: docs/output.md. */
export type Explanation = Awaited<ReturnType<typeof explanationOf>>['view'];

/** @throws StellarError `not-found` if the WDS does not have the policy */
export async function explain(name: string, wds: Wds) {
  const { object: present } = await getPolicy(wds.kube, name);
  if (present?.spec === undefined) throw await noSuchPolicy(name, wds);
  return explanationOf(await evaluate(name, present.spec, wds), true);
}

/** @param exists whether the WDS has a policy with its name */
export async function explanationOf(subject: PolicySubject, exists: boolean) {
  const { name, wds, inventory, wecs, objects } = subject;
  const { problems, unseen, overwritten, stops } = await policyProblemsOf(subject);
  const view = {
    name,
    wds: wds.name,
    its: ifSeen(wds.its)?.name ?? null,
    /** Whether the WDS has a policy with this name; the explained one may be from a file. */
    exists,
    notVisible: unseen.map(viewOfUnseen),
    /** Null if the ITS cannot be read. */
    wecs: inventory.state === 'seen' ? wecs.map(wecView) : null,
    /** The names of the other WECs of the ITS; null if it cannot be read. */
    notSelected:
      ifSeen(inventory)?.flatMap((wec) => (wecs.includes(wec) ? [] : wec.metadata.name)) ?? null,
    objects: objects.map(
      ({ object: { group, version, resource, kind, metadata }, modulation }) => ({
        group,
        version,
        resource,
        kind,
        namespace: metadata.namespace ?? null,
        name: metadata.name,
        ...modulation,
      }),
    ),
    problems: problems.map(problemView),
  };
  return { view, errors: unseen.map(({ error }) => error), overwritten, stops };
}

export async function noSuchPolicy(name: string, wds: Wds): Promise<StellarError> {
  const list = async () =>
    shownList(await wds.kube.list(resources.bindingPolicies, { metadataOnly: true }));
  const instead = orNearest(name, namesOf(ifSeen(await tryRead(list)) ?? []));
  return new StellarError(
    'not-found',
    `There is no binding policy ${name} in ${wds.name}${instead}.`,
    run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what exists'),
  );
}

/** Returns all problems of a policy before it is written, the worst first. */
async function policyProblemsOf(subject: PolicySubject) {
  const objects = subject.objects.map(({ object }) => object);
  const [overwritten, conflicts, stopping, versions, collectors] = await Promise.all([
    foreignObjects(subject),
    tryRead(() => conflictsOfSubject(subject)),
    whatStops({ ...subject, objects }),
    tryRead(() => refusedBindings(subject)),
    tryRead(() => missingCollectors(subject)),
  ]);
  const found = [
    ...systemObjects(subject),
    ...takenOver(overwritten),
    ...nothingSelected(subject),
    ...missingMailbox(subject),
    ...stopping.problems,
    ...(ifSeen(versions) ?? []),
    ...notOneWec(subject),
    ...(ifSeen(collectors) ?? []),
    ...(ifSeen(conflicts) ?? []),
    ...missingNamespaces(subject),
    ...updatedJobs(subject),
    ...misspeltLabels(
      subject.spec,
      ifSeen(subject.inventory) ?? [],
      ifSeen(subject.wds.its)?.kube.cluster.context,
    ),
  ];
  return {
    /** Objects on its WECs that no work has applied. */
    overwritten,
    /** Why nothing of it is sent to any WEC, and what it has sent is removed, a clause. */
    stops: stopping.problems
      .find(({ code }) => code === 'property-missing')
      ?.message.split('. ')[0],
    problems: found.sort(bySeverity),
    unseen: [
      ...unseenOf('WECs', subject.inventory),
      ...subject.contents.unread,
      ...stopping.unseen,
      ...(subject.wds.its.state === 'seen' ? unseenOf('works of other WDSes', conflicts) : []),
      ...unseenOf('definitions', versions),
      ...unseenOf('status collectors', collectors),
    ],
  };
}

async function conflictsOfSubject({ name, wds, wecs, objects }: PolicySubject): Promise<Problem[]> {
  if (wds.its.state !== 'seen') return [];
  const bindings = await listServed<Binding>(wds.kube, resources.bindings);
  const sent = objects.map(({ object: { metadata, ...kind }, modulation }) => ({
    ...kind,
    ...metadata,
    ...modulation,
  }));
  return conflictsOf(wds, [{ policy: name, wecs: namesOf(wecs), objects: sent }], bindings);
}

/** A WEC that a policy selects. */
function wecView(wec: ManagedCluster) {
  const available = conditionOf(wec, 'ManagedClusterConditionAvailable')?.status;
  return {
    name: wec.metadata.name,
    accepted: wec.spec?.hubAcceptsClient === true,
    /** Null if its availability has not been reported. */
    available: available === undefined || available === 'Unknown' ? null : available === 'True',
    deleting: wec.metadata.deletionTimestamp !== undefined,
  };
}

/** Objects that a policy would take over, only where a context is proven to lead to the WEC. */
function foreignObjects({ objects, wecs, wds }: PolicySubject): Promise<ObjectOnWec[]> {
  const known = byName(wecs);
  const sought = objects.map(({ object: { of, group, kind, metadata } }) => {
    const { name, namespace = null } = metadata;
    return { resource: of, object: { kind, group, namespace, name } };
  });
  return findUnapplied(namesOf(wecs), sought, (wec) =>
    openWec(wds, wec, { known: known.get(wec) }),
  );
}

function takenOver(overwritten: readonly ObjectOnWec[]): Problem[] {
  if (overwritten.length === 0) return [];
  return [
    {
      ...problem(
        'taken-over',
        `${count(overwritten.length, 'object')} on WECs, which no work has applied: their agents overwrite them, and delete them with the policy.`,
      ),
      details: describeGrouped(
        overwritten.map(({ wec, object }) => ({ wec, object: describeObject(object) })),
      ),
    },
  ];
}

/** A singleton status is returned from exactly one WEC. */
function notOneWec({ objects, wecs, inventory }: PolicySubject): Problem[] {
  const asking = objects.filter(({ modulation }) => modulation.wantSingletonReportedState);
  if (inventory.state !== 'seen' || wecs.length === 1) return [];
  return aboutObjects(
    asking,
    problem(
      'singleton-needs-one-wec',
      `The status of ${count(asking.length, 'object')} is requested from a single WEC, but the policy selects ${wecs.length}: no status is returned.`,
      returnedByOne,
    ),
  );
}

async function missingCollectors({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const wanted = new Set(objects.flatMap(({ modulation }) => modulation.statusCollectors ?? []));
  if (wanted.size === 0) return [];
  const there = new Set(namesOf((await listIfDefined(wds.kube, resources.statusCollectors)) ?? []));
  const missing = [...wanted].filter((name) => !there.has(name));
  if (missing.length === 0) return [];
  const message = `There is no StatusCollector ${missing.join(', ')} in ${wds.name}; the others still report.`;
  const create = missing.map((name) => toCreateCollector(name, flagsOf(wds)));
  return [problem('status-collector-missing', message, ...create)];
}

/** Kinds whose objects count twice: the API server rejects the Binding, and only the controller's log shows it. */
async function refusedBindings({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const kinds = [...new Set(objects.map(({ object }) => object.of))];
  const twice = await Promise.all(kinds.map((kind) => countsTwice(wds.kube, kind)));
  const then = run(command`stellarctl wds restart ${wds.name}`, 'Then restart its controllers');
  return kinds.flatMap(({ kind, plural, versions }, index) => {
    if (!twice[index]) return [];
    return problem(
      'two-served-versions',
      `${kind} is served in ${versions.length} versions, ${versions.join(' and ')}: each object counts twice, the API server refuses the Binding, and KubeStellar reports no error.`,
      advice(`Serve one version of CustomResourceDefinition ${plural}, or select no ${plural}`),
      ...(wds.isContext ? [] : [then]),
    );
  });
}
