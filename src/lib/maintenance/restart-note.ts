import { hostname } from 'node:os';
import { rfc3339 } from '../core/deadline.ts';
import { resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { patchCurrent } from '../kube/writes.ts';
import { userName } from '../ocm/agent/agent-certificate.ts';
import type { Binding } from '../ocm/model/kubestellar-names.ts';
import { noteAnnotation, type RestartNote, readNote } from '../spaces/space/controllers-run.ts';
import { noteBindings, type RestartPlan, removeProbes } from './restart-plan.ts';

/** Writes the note of a new restart. @returns the note that counts: that of another run, if it has begun before */
export async function keepNote(
  plan: RestartPlan,
  { starts, tried }: { starts?: boolean | undefined; tried?: RestartNote['tried'] } = {},
): Promise<RestartNote> {
  const { hosting, found, recreates } = plan;
  const by = `${(await userName(hosting)) || 'an unknown user'} on ${hostname()}`;
  const transport = starts ? Math.max(1, found.transport) : found.transport;
  const at = rfc3339(hosting.now());
  const begun = { by, at, ...found, transport, recreates, ...(tried && { tried }) };
  return writeNote(plan, (present) => {
    if (present === undefined) return begun;
    // What is to be recreated or started is, whoever has begun.
    const joined = {
      recreates: present.recreates || recreates,
      transport: Math.max(present.transport, transport),
    };
    return { ...present, ...joined };
  });
}

/** Notes what there is once the transport has stopped: from here on, nothing of it is sent. */
export async function renewNote(plan: RestartPlan, note: RestartNote): Promise<RestartNote> {
  const { wds, hosting } = plan;
  const bindings = noteBindings(await listServed<Binding>(wds.kube, resources.bindings));
  return writeNote(plan, () => ({ ...note, at: rfc3339(hosting.now()), stopped: true, bindings }));
}

/** Notes that what a rehearsal has written stays: what is left is a start of the transport. */
export async function keepChange(plan: RestartPlan, note: RestartNote): Promise<void> {
  await writeNote(plan, () => ({ ...note, stays: true }));
}

async function writeNote(
  { hosting, controlPlane }: RestartPlan,
  noteOf: (present: RestartNote | undefined) => RestartNote,
): Promise<RestartNote> {
  let note: RestartNote | undefined;
  await patchCurrent(hosting, resources.controlPlanes, controlPlane, (current) => {
    note = noteOf(readNote(current));
    const text = JSON.stringify(note);
    const isNoted = text === current.metadata.annotations?.[noteAnnotation];
    return isNoted ? undefined : { annotations: { [noteAnnotation]: text } };
  });
  return note ?? noteOf(undefined);
}

/** Removes the note, once the transport runs again. */
export async function endNote({ hosting, controlPlane, name, wds }: RestartPlan): Promise<void> {
  const annotations = { [noteAnnotation]: null };
  const metadata = { uid: controlPlane.metadata.uid, annotations };
  // As long as it is there, a rerun removes the probes.
  await removeProbes(wds);
  await hosting.merge(resources.controlPlanes, name, { metadata });
}
