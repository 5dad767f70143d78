import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, run } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, waiting } from '../core/stages.ts';
import type { Kube } from './client/client.ts';
import {
  conditionOf,
  type KubeObject,
  type Resource,
  type WithConditions,
} from './client/objects.ts';
import { listIfDefined, type Proven, prove } from './served.ts';

/** A run, with messages while an object is being deleted: see Awaited. */
interface Meanwhile extends Run {
  name?: string;
  why?: string;
  /** Reads the object, if something else than this wait reads it as well. */
  read?: () => Promise<Proven<KubeObject>>;
}

/** Whether an object is still the one of its name. */
export const isPresent = (now: Proven<KubeObject>, object: KubeObject) =>
  now.object !== undefined && now.object.metadata.uid === object.metadata.uid;

/** Waits until an object that is being deleted is gone. @throws StellarError `timeout` */
export async function untilGone(
  kube: Kube,
  resource: Resource,
  object: KubeObject,
  run: Meanwhile,
): Promise<void> {
  const { name, namespace } = object.metadata;
  const { why = 'it is being deleted' } = run;
  await untilMet(
    {
      check: (now) => {
        const { message } = ofNamespace(now.object, 'NamespaceContentRemaining') ?? {};
        return isPresent(now, object) ? waiting(message ? `${why}: ${message}` : why) : met;
      },
      read: run.read ?? (() => prove(kube, resource, name, { namespace, list: listIfDefined })),
      name: run.name,
      unmet: (last) => notDeleted(kube, resource, last.object ?? object),
    },
    run,
  );
}

/** What a Namespace reports of its deletion, if it is so (kubernetes pkg/controller/namespace/deletion). */
function ofNamespace(object: KubeObject | undefined, type: string) {
  const condition = conditionOf(object as WithConditions | undefined, type);
  return condition?.status === 'True' ? condition : undefined;
}

function notDeleted({ cluster: { context } }: Kube, resource: Resource, last: KubeObject) {
  const { name, namespace, finalizers = [] } = last.metadata;
  // For namespaces: the objects whose finalizers block the deletion.
  const remaining = ofNamespace(last, 'NamespaceFinalizersRemaining');
  const where = namespace === undefined ? [] : ['-n', namespace];
  const blocked = finalizers.length ? `; it is blocked by finalizer ${finalizers.join(', ')}` : '';
  return new StellarError(
    'timeout',
    `${resource.kind} ${name} on ${context} was not deleted in time${blocked}.`,
    run(
      command`kubectl --context ${context} get ${resource.plural} ${name} ${where} -o yaml`,
      'Look at it',
    ),
  ).with({ details: remaining?.message ? [remaining.message] : [] });
}
