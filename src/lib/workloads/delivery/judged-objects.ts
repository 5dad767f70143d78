import { command, flagsOf, helpOf, run } from '../../core/next-step.ts';
import { discoverKinds } from '../../kube/discovery.ts';
import { argumentOf, keyOf, keyOfCandidate, type ObjectView } from '../../ocm/model/object-ref.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { selectObjects } from '../selection/select-objects.ts';
import { clausesFor, kindNames, readContents, sendableKinds } from '../selection/wds-contents.ts';
import {
  type DeliveryEvidence,
  deliveriesOf,
  heldBindings,
  readDelivery,
  unseenIn,
} from './delivery.ts';
import { type DeliveryView, viewOfDelivery } from './delivery-view.ts';
import { followed } from './workload.ts';

/** A delivery, with its object. */
export interface JudgedDelivery extends DeliveryView {
  of: ObjectView;
}

/** An object, and its delivery to each WEC. The fields are an interface: docs/output.md. */
export interface PolicyObject extends ObjectView {
  deliveries: DeliveryView[];
}

export const deliveriesIn = (objects: readonly PolicyObject[]): JudgedDelivery[] =>
  objects.flatMap((of) => of.deliveries.map((delivery) => ({ ...delivery, of })));

/** Whether an evidence shows how far deliveries are. */
export const showsDeliveries = ({ works, inventory, transforms }: DeliveryEvidence) =>
  [works, inventory, transforms].every(({ state }) => state === 'seen');

/**
 * Reads the objects in the Bindings of a WDS and judges their delivery, with one list per kind.
 * @param only the policy whose objects are read, with those that it selects and its Binding does not name; all without it
 */
export async function judgeObjects(wds: Wds, only?: string) {
  const reading = await readObjects(wds, only);
  const { evidence, contents, named, kindOf } = reading;
  const unseen = [...unseenIn(evidence), ...contents.unread];
  const objects = named.map((each) => judgeObject(each, reading));
  return { evidence, objects, unseen, errors: unseen.map(({ error }) => error), kindOf };
}

type Reading = Awaited<ReturnType<typeof readObjects>>;

async function readObjects(wds: Wds, only: string | undefined) {
  const kinds = await discoverKinds(wds.kube);
  const inWds = await readDelivery(wds, kinds, only === undefined ? undefined : () => [only]);
  const isAsked = (policy: string | undefined) => only === undefined || policy === only;
  const bound = [...inWds.bound.values()].flatMap((deliveries) =>
    [...deliveries].flatMap(([policy, object]) => (isAsked(policy) ? object : [])).slice(0, 1),
  );
  const policies = inWds.policies.filter(({ metadata }) => isAsked(metadata.name));
  const clauses = only === undefined ? [] : policies.flatMap(({ spec }) => spec?.downsync ?? []);
  const listed = only === undefined ? kinds : sendableKinds(kinds, wds.apiGroups);
  const contents = await readContents(wds.kube, [...clauses, ...clausesFor(bound)], listed);
  const selected = selectObjects(clauses, contents.objects, contents.namespaces).map(
    ({ object }) => ({ ...object, ...object.metadata }),
  );
  return {
    evidence: { ...inWds, held: await heldBindings(wds.kube, inWds, contents) },
    isAsked,
    policies,
    contents,
    found: new Map(contents.objects.map((object) => [keyOfCandidate(object), object])),
    kindOf: kindNames(kinds),
    named: [...new Map([...selected, ...bound].map((each) => [keyOf(each), each])).values()],
  };
}

function judgeObject(
  named: Reading['named'][number],
  { evidence, isAsked, policies, contents, found, kindOf }: Reading,
): PolicyObject {
  const { group = '', version = '', resource, namespace, name } = named;
  const kind = kindOf(named) ?? resource;
  const unread = contents.unread.find(({ what }) => what === resource)?.why;
  const object = found.get(keyOf(named));
  const ref = { group, version, resource, kind, namespace, name, object, unread };
  const of = followed(ref, policies, contents.namespaces);
  const shown = { kind, group, namespace: namespace ?? null, name };
  const deliveries = deliveriesOf(of, evidence)
    .filter(({ policyName }) => isAsked(policyName))
    .map(viewOfDelivery)
    .map((view) =>
      view.blockedAt?.stage === 'available'
        ? { ...view, ...helpOf([toSeeObject(argumentOf(shown), evidence.wds)]) }
        : view,
    );
  return { ...shown, deliveries };
}

/** `workload get` also looks at the WECs themselves. @param object as it takes it */
export const toSeeObject = (object: string, wds: Wds) =>
  run(command`stellarctl workload get ${object} ${flagsOf(wds)}`, 'See why');

/**
 * What the guard of a WDS keeps on WECs: it is removed there once the guard is deleted.
 * @throws StellarError if a part of the WDS cannot be read
 */
export async function keptByGuard(wds: Wds): Promise<JudgedDelivery[]> {
  const { objects, errors } = await judgeObjects(wds);
  if (errors[0] !== undefined) throw errors[0];
  return deliveriesIn(objects).filter(({ code }) => code === 'binding-guarded');
}

export const hasFailed = ({ blockedAt }: DeliveryView) => blockedAt?.state === 'failed';

/** Whether what is visible does not say how far it is. */
export const isHidden = ({ done, blockedAt }: DeliveryView) => !done && blockedAt === null;

/**
 * Whether the goal is reached: for an object of which no status is requested, all its stages. A later stage proves nothing while an
 * earlier one is open: a new state may be on its way.
 */
export function hasReached({ stages }: Pick<DeliveryView, 'stages'>, goal: string): boolean {
  const index = stages.findIndex(({ id }) => id === goal);
  return stages
    .slice(0, index === -1 ? stages.length : index + 1)
    .every(({ state }) => state === 'met');
}
