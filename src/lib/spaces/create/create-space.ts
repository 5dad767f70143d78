import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import type { Run } from '../../engine/run.ts';
import { unreached } from '../../engine/stages.ts';
import type { SpaceResult } from '../space-result.ts';
import { existsStill, type FollowedSpace, followSpace, goOnOrBack } from '../stages/follow-space.ts';
import type { SpaceTools } from '../tools.ts';
import type { SpaceEntries } from './space-context.ts';
import { requireContextFree, writeSpaceContext } from './space-context.ts';

/** A space to create, to repair, or to go on with. */
export interface SpaceToCreate<Inside> {
  followed: FollowedSpace<Inside>;
  /** Whether its control plane is there before anything is written. */
  exists: boolean;
  /** Writes everything that is missing, the control plane last, and says what it did. Undefined: nothing is missing. */
  write: (() => Promise<string>) | undefined;
  type: string;
  /** Where the entries of its context come from, as far as that is known: for some, once it can be reached. */
  entries: () => Promise<SpaceEntries | undefined>;
  /** What is to be done inside it once it is ready. */
  finish?: () => Promise<boolean>;
}

/**
 * Creates a space, follows it until it is ready and puts its context into the kubeconfig. Run again it goes on where it was; where all
 * is done it says so.
 */
export async function createSpace<Inside>(
  { followed, exists: existed, write, type, entries, finish }: SpaceToCreate<Inside>,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, hosting, started } = followed;
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  let exists = existed;
  let hasBegun = false;
  try {
    if (!existed) await requireContextFree(name, await entries(), tools, run);
    if (write !== undefined) {
      hasBegun = !hosting.dryRun;
      const what = await write();
      exists ||= !hosting.dryRun;
      result.changed = !hosting.dryRun;
      if (!hosting.dryRun) run.progress.reached(name, what);
    }
    if (hosting.dryRun) return result;
    const outcome = await followSpace(followed, run);
    result.stage = outcome.stage;
    result.blockedAt = outcome.blockedAt;
    if (outcome.error !== undefined) return fail(result, outcome.error, run);
    if (await finish?.()) result.changed = true;
    await writeContext(name, entries, result, tools, run);
    const where = result.context === null ? '' : ` · context ${result.context}`;
    if (outcome.atOnce && !result.changed) run.progress.done(name, `is ready; nothing to do${where}`);
    else run.progress.done(name, `${result.stage}${where}`, Date.now() - started);
    return result;
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    if (exists) return fail(result, withWayOn(error, followed), run);
    return fail(result, hasBegun ? withWayBack(error, followed) : error, run);
  }
}

async function writeContext(
  name: string,
  entries: () => Promise<SpaceEntries | undefined>,
  result: SpaceResult,
  tools: SpaceTools,
  run: Run,
): Promise<void> {
  const from = await entries();
  if (from === undefined) return;
  const { changed, file } = await writeSpaceContext(name, from, tools, run);
  result.context = name;
  if (!changed) return;
  result.changed = true;
  run.progress.changed(name, `context ${name} written to ${file}`);
}

function fail(result: SpaceResult, error: StellarError, run: Run): SpaceResult {
  run.progress.failed(result.name, error.message);
  return { ...result, error };
}

/** What has been created is never left unnamed. */
function withWayOn(error: StellarError, { name, role, hosting }: FollowedSpace<unknown>): StellarError {
  const { code, message, hint, details, cause } = error;
  const ownHint = code === 'interrupted' ? undefined : hint;
  return new StellarError(code, message, {
    details: [...details, existsStill(name)],
    hint: ownHint ?? goOnOrBack(name, role, hosting),
    cause,
  });
}

/** What stands beside a control plane may be there without it, as a Secret with all rights. */
function withWayBack(error: StellarError, { name, role, hosting }: FollowedSpace<unknown>): StellarError {
  const { code, message, hint, details, cause } = error;
  const back = command`stellarctl ${role} delete ${name} --hosting-context ${hosting.cluster.context}`;
  return new StellarError(code, message, {
    details: [...details, `What belongs to ${name} may be there in part. To go back: ${back}`],
    hint,
    cause,
  });
}
