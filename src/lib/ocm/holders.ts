import { command } from '../core/command-line.ts';
import { type NextStep, run } from '../core/next-step.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { type ManifestWork, workFinalizer } from './manifest-works.ts';

/**
 * The finalizers of other programs that keep an object that is being deleted, each with the client that set it, as far as the
 * object records that: `example.com/hold (set by kubectl-edit)`.
 * @param isOwn whether the object's own controllers remove a finalizer
 */
export function foreignFinalizers({ metadata }: KubeObject, isOwn: (finalizer: string) => boolean): string[] {
  const { deletionTimestamp, finalizers = [], managedFields = [] } = metadata;
  if (deletionTimestamp === undefined) return [];
  const foreign = finalizers.filter((finalizer) => !isOwn(finalizer));
  return foreign.map((finalizer) => {
    const field = JSON.stringify(`v:"${finalizer}"`);
    const setBy = managedFields.find(({ fieldsV1 = {} }) => JSON.stringify(fieldsV1).includes(field))?.manager;
    return setBy === undefined ? finalizer : `${finalizer} (set by ${setBy})`;
  });
}

/** The same of a work: its agent removes only its own finalizer. */
export const holdersOf = (work: ManifestWork): string[] =>
  foreignFinalizers(work, (finalizer) => finalizer === workFinalizer);

/** What helps against the finalizers of others on works. @param its the context of the ITS */
export const toSeeHolders = (works: readonly ManifestWork[], its: string): NextStep[] =>
  works.filter((work) => holdersOf(work).length > 0).map((work) => toSeeHolder(its, 'manifestwork', work));

/** Only the owner of a finalizer knows what it protects. */
export const toSeeHolder = (context: string, kind: string, { metadata: { name, namespace } }: KubeObject): NextStep =>
  run(
    command`kubectl --context ${context} ${namespace === undefined ? [] : ['-n', namespace]} get ${kind} ${name} -o yaml --show-managed-fields`,
    'Its owner must remove it; see who set it',
  );
