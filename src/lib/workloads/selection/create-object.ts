import { isDeepStrictEqual } from 'node:util';
import { type ChangeResult, forName } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { command, flagsOf, type NextStep, run as nextStep } from '../../core/next-step.ts';
import { poll } from '../../core/poll.ts';
import type { Run } from '../../core/run.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { type Foreseen, foreseen } from '../../kube/client/foreseen.ts';
import { type KubeObject, resources, typeMeta } from '../../kube/client/objects.ts';
import { prove } from '../../kube/served.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';

export interface ObjectResult extends ChangeResult {
  wds: string;
}

interface Reported extends KubeObject {
  spec?: object;
  status?: { errors?: string[] | null };
}

/** KubeStellar reports errors only. An object without a report after this time, in milliseconds, counts as valid. */
const settleMs = 3_000;

const reportedKinds = {
  collector: resources.statusCollectors,
  transform: resources.customTransforms,
};
type Noun = keyof typeof reportedKinds;

/**
 * Creates a collector or a transform, and waits briefly for the errors that KubeStellar's controller reports for its expressions: the
 * API server parses none. An existing one with the same content stays unchanged.
 * @param foresee what its creation does; it throws for what must not happen @throws StellarError `name-taken`
 */
export async function createReported(
  noun: Noun,
  { name, spec }: { name: string; spec: object },
  wds: Wds,
  foresee: () => Promise<Foreseen>,
  run: Run,
) {
  const resource = reportedKinds[noun];
  const isPresent = () => isAlreadyThere(noun, { name, spec }, wds);
  const seen = (await isPresent()) ? undefined : await foresee();
  const result: ObjectResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    if (seen !== undefined) {
      const object = { ...typeMeta(resource), metadata: { name }, spec };
      const creating = foreseen(wds.kube, seen).create(resource, object);
      result.changed = (await unlessStatus(creating, 409)) !== undefined;
      if (!result.changed) await isPresent();
    }
    if (run.dryRun) return;
    await requireNoErrors(noun, name, wds, run);
    run.progress.done(name, result.changed ? 'created' : 'already exists; nothing to do');
  });
}

/** @throws StellarError `name-taken` if it has another content */
async function isAlreadyThere(
  noun: Noun,
  { name, spec }: { name: string; spec: object },
  wds: Wds,
) {
  const present = await wds.kube.get<Reported>(reportedKinds[noun], name);
  if (present === undefined) return false;
  if (isDeepStrictEqual(withoutEmpty(present.spec), withoutEmpty(spec))) return true;
  throw nameTaken(
    `${reportedKinds[noun].kind} ${name}`,
    wds,
    nextStep(command`stellarctl ${noun} get ${name} ${flagsOf(wds)}`, 'See what it does'),
  );
}

/** @throws StellarError `not-found` */
export async function getReported<T extends KubeObject>(
  noun: Noun,
  name: string,
  wds: Wds,
): Promise<T> {
  const { object } = await prove<T>(wds.kube, reportedKinds[noun], name);
  if (object !== undefined) return object;
  throw new StellarError(
    'not-found',
    `${wds.name} has no ${reportedKinds[noun].kind} ${name}.`,
    nextStep(command`stellarctl ${noun} list ${flagsOf(wds)}`, 'See what exists'),
  );
}

/** Deletes a collector or a transform, and no other one that has its name now. */
export function deleteReported(
  noun: Noun,
  object: KubeObject,
  wds: Wds,
  seen: Foreseen,
  run: Run,
): Promise<ObjectResult> {
  const { name } = object.metadata;
  const result: ObjectResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    await foreseen(wds.kube, seen).delete(reportedKinds[noun], object);
    run.progress.done(name, 'deleted');
  });
}

async function requireNoErrors(noun: Noun, name: string, wds: Wds, run: Run) {
  const read = async () => {
    const { status } = (await wds.kube.get<Reported>(reportedKinds[noun], name)) ?? {};
    return status?.errors?.length ? status.errors : undefined;
  };
  const errors = await poll(read, { ...run, deadline: run.deadline.within(settleMs) });
  if (errors === undefined) return;
  throw new StellarError(
    'expression-invalid',
    `KubeStellar cannot read ${reportedKinds[noun].kind} ${name} of ${wds.name}.`,
    nextStep(
      command`stellarctl ${noun} delete ${name} ${flagsOf(wds)}`,
      'Delete it, then create it again',
    ),
  ).with({ details: errors.flatMap((each) => each.split('\n')) });
}

const withoutEmpty = (spec: object = {}): object =>
  Object.fromEntries(
    Object.entries(spec).filter(([, value]) => !Array.isArray(value) || value.length > 0),
  );

/** The error for an object of another content than the one to create. */
export const nameTaken = (what: string, { name: wds }: Wds, ...next: NextStep[]) =>
  new StellarError(
    'name-taken',
    `${wds} already has a different ${what}. Nothing was written.`,
    ...next,
  );
