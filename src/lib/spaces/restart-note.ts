import { hash } from 'node:crypto';
import { jsonObject } from '../core/formats.ts';
import { command, run } from '../core/next-step.ts';
import { type BlockedVerdict, failed } from '../core/stages.ts';
import type { Deployment } from '../kube/client/objects.ts';
import { isScaledToNone } from '../kube/pods.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { type Binding, type BoundObject, destinationsOf, objectsOf } from '../ocm/kubestellar-api.ts';

/**
 * What a restart of the controllers of a WDS has to bring back. It is an annotation of the ControlPlane from before the first
 * controller stops until all is proven: a rerun compares with it, and not with what it finds.
 */
export interface RestartNote {
  by: string;
  /** By the clock of the hosting cluster, RFC 3339: pods and Deployments from before then have to end. */
  at: string;
  /** The replicas of the two controllers. */
  transport: number;
  manager: number;
  /** Whether KubeFlex has to run the hooks of both again. */
  recreates: boolean;
  /** By name, without the Bindings that list nothing. */
  bindings: Record<string, NotedBinding>;
}

/** Counts and SHA-256 of the objects and of the WECs of a Binding: 500 Bindings fit into the 256 KiB of all annotations. */
export type NotedBinding = [objects: number, ofObjects: string, wecs: number, ofWecs: string];

export const noteAnnotation = 'stellarctl.kubestellar.io/restart';

/** @returns undefined if no restart has begun, or the last one is done */
export const readNote = ({ metadata }: ControlPlane): RestartNote | undefined =>
  jsonObject(metadata.annotations?.[noteAnnotation] ?? '') as RestartNote | undefined;

export function noteBinding(binding: Binding, objects: readonly BoundObject[] = objectsOf(binding)): NotedBinding {
  const wecs = destinationsOf(binding);
  const contents = objects.map(({ resourceVersion, ...object }) => JSON.stringify(Object.entries(object).sort()));
  return [objects.length, digest(contents), wecs.length, digest(wecs)];
}

const digest = (lines: readonly string[]): string => hash('sha256', lines.toSorted().join('\n'), 'base64');

/** The command that restarts the controllers of a WDS, or finishes that. @param hosting the context of its hosting cluster */
export const toRestart = (wds: string, hosting: string): string =>
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
  if (note === undefined || (transport !== undefined && !isScaledToNone(transport))) return undefined;
  const finish = toRestart(controlPlane.metadata.name, hosting);
  const why = `its transport is paused since ${note.at} by a restart that ${note.by} has begun: nothing is sent`;
  return failed(why, { code: 'transport-paused', next: [run(finish, 'Finish the restart')] });
}
