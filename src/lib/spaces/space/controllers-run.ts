import { hash } from 'node:crypto';
import { command, run } from '../../core/next-step.ts';
import { type BlockedVerdict, failed, type Verdict } from '../../core/stages.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { few } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import { byName, type Deployment, resources } from '../../kube/client/objects.ts';
import { isDeploymentReady, isScaledToNone, podsOf, running } from '../../kube/pods.ts';
import { listServed } from '../../kube/served.ts';
import {
  type Controller,
  hookOf,
  managerDeployment,
  namespaceOf,
  transportDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import type { BoundObject } from '../../ocm/model/kubestellar-names.ts';
import { hookLike, readSpace, type SpaceEvidence } from './spaces.ts';

/**
 * What a restart of the controllers of a WDS has to bring back. It is an annotation of the ControlPlane from before the first
 * controller stops until all is proven: a rerun compares with it, and not with what it finds.
 */
export interface RestartNote {
  by: string;
  /** By the clock of the hosting cluster, RFC 3339: pods and Deployments from before then have to end. */
  at: string;
  /** The replicas of the transport. The controller manager has no leader election, and so one. */
  transport: number;
  /** Whether KubeFlex has to run the hooks of both again. */
  recreates: boolean;
  /** Whether the transport was read as stopped. Until then the controller manager is as it was, and the note may be old. */
  stopped?: boolean;
  /** By name, without the Bindings that list nothing. */
  bindings: Record<string, NotedBinding>;
  /** What a rehearsal writes, and takes back unless it stays; undefined for a restart. */
  tried?: TriedObject[];
  /** Whether KubeStellar has done what was foreseen. */
  stays?: boolean;
}

/** What changes of an object: labels of a WEC, fields of the `spec` of others. Null for what it has not. */
export type TriedFields = Record<string, unknown>;

/** An object that a rehearsal changes. */
export interface TriedObject {
  kind: 'WEC' | 'policy';
  name: string;
  /** Null for a WEC: it is on the ITS. */
  wds: string | null;
  /** Null if it did not exist. */
  before: TriedFields | null;
  /** The same fields, as they are written. */
  after: TriedFields;
  /** What a fleet owns of a WEC, and owns again once that is taken back. */
  applied?: AppliedValues;
}

/** What a field manager has applied (`metadata.managedFields`). */
export interface AppliedValues {
  manager: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const describeTried = ({ kind, name }: TriedObject) => (kind === 'WEC' ? name : `${kind} ${name}`);

/** Counts and SHA-256 of the objects and of the WECs of a Binding: 500 Bindings fit into the 256 KiB of all annotations. */
export type NotedBinding = [objects: number, ofObjects: string, wecs: number, ofWecs: string];

export const noteAnnotation = 'stellarctl.kubestellar.io/restart';

/** @returns undefined if no restart has begun, or the last one is done */
export const readNote = ({ metadata }: ControlPlane): RestartNote | undefined =>
  jsonObject(metadata.annotations?.[noteAnnotation] ?? '') as RestartNote | undefined;

export function noteBinding(
  wecs: readonly string[],
  objects: readonly BoundObject[],
): NotedBinding {
  const contents = objects.map(({ resourceVersion, ...object }) =>
    JSON.stringify(Object.entries(object).sort()),
  );
  return [objects.length, digest(contents), wecs.length, digest(wecs)];
}

const digest = (lines: readonly string[]) => hash('sha256', lines.toSorted().join('\n'), 'base64');

/** The command that restarts the controllers of a WDS, or finishes that. @param hosting the context of its hosting cluster */
export const toRestart = (wds: string, hosting: string) =>
  command`stellarctl wds restart ${wds} --hosting-context ${hosting}`;

/**
 * Whether a restart keeps the transport of a WDS from sending: it has a note, and the transport is scaled to zero or missing.
 * @param transport undefined if it does not exist
 */
export function transportPaused(
  controlPlane: ControlPlane,
  transport: Deployment | undefined,
  hosting: string,
): BlockedVerdict | undefined {
  const note = readNote(controlPlane);
  if (note === undefined || (transport !== undefined && !isScaledToNone(transport)))
    return undefined;
  const [what, lead] = note.tried
    ? [
        `a change of ${few(note.tried.map(describeTried)).join(', ')}`,
        note.stays ? 'Finish it' : 'Take it back',
      ]
    : ['a restart', 'Finish the restart'];
  return failed(
    `its transport is paused since ${note.at} by ${what} that ${note.by} has begun: nothing is sent`,
    { code: 'transport-paused', next: [run(toRestart(controlPlane.metadata.name, hosting), lead)] },
  );
}

export const repair = (
  { role, name, hosting }: Pick<SpaceEvidence, 'role' | 'name' | 'hosting'>,
  lead = 'Repair it',
) => run(command`stellarctl ${role} repair ${name} --hosting-context ${hosting}`, lead);

export const isHookMarked =
  (hook: string) =>
  ({ controlPlane }: Pick<SpaceEvidence, 'controlPlane'>) =>
    controlPlane.status?.postCreateHooks?.[hook] === true;

/** Whether a Deployment that a hook has created is missing: KubeFlex runs a hook once, and never recreates what is deleted afterwards. */
export const isLost = (name: Controller, space: SpaceEvidence) =>
  !space.forbidden.has(resources.deployments.plural) &&
  !byName(space.deployments).has(name) &&
  isHookMarked(hookLike(space.controlPlane, hookOf[name]) ?? hookOf[name])(space);

/**
 * Whether a controller of a WDS runs. This alone says what starts one: a controller manager (0.30.0) that starts while the transport
 * runs deletes the workloads of a WDS without a guard, and a transport must not start before the Bindings are right again.
 * @returns undefined if it does not exist, and is not lost
 */
export function controllerRuns(name: Controller, space: SpaceEvidence): Verdict | undefined {
  const { hosting: context, now } = space;
  if (isLost(name, space))
    return failed(`Deployment ${name} is missing, and KubeFlex does not recreate it`, {
      next: [repair(space)],
    });
  const present = byName(space.deployments).get(name);
  if (present === undefined) return undefined;
  const own = { kind: 'Deployment', present, pods: podsOf(name, space.pods) };
  const verdict = running(`Deployment ${name}`, own, {
    context,
    now,
    namespace: namespaceOf(space.name),
  });
  if (verdict.state !== 'failed' || !isScaledToNone(present)) return verdict;
  return {
    ...verdict,
    next: [run(toRestart(space.name, context), 'Start it, so that its workloads stay')],
  };
}

/** Reads pods only if a controller is not ready. */
export async function readControllers({
  name,
  hostingKube: hosting,
}: {
  name: string;
  hostingKube?: Kube;
}) {
  if (hosting === undefined) return {};
  const namespace = namespaceOf(name);
  const deployments = await listServed<Deployment>(hosting, resources.deployments, { namespace });
  const named = byName(deployments);
  const [manager, transport] = [managerDeployment, transportDeployment].map((each) =>
    named.get(each),
  );
  if (isDeploymentReady(manager) && isDeploymentReady(transport)) return {};
  const space = await readSpace(hosting, name, 'wds');
  if (space === undefined) return {};
  const problem = (deployment: Controller): BlockedVerdict | undefined => {
    const verdict = controllerRuns(deployment, space);
    return verdict?.state === 'failed' || verdict?.state === 'waiting' ? verdict : undefined;
  };
  const paused = transportPaused(space.controlPlane, transport, space.hosting);
  return {
    manager: paused ?? problem(managerDeployment),
    transport: paused ?? problem(transportDeployment),
  };
}
