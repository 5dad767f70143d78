import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { conditionOf, type KubeObject, type WithConditions } from '../../kube/objects.ts';
import { type Resource, resourceOf } from '../../kube/resources.ts';

/** Waits until an object that is being deleted is gone. @throws StellarError `timeout` */
export async function untilGone(
  kube: Kube,
  object: KubeObject,
  run: Run,
  resource = resourceOf(object),
): Promise<void> {
  if (kube.dryRun) return;
  const { name, namespace, uid } = object.metadata;
  let last: KubeObject | undefined;
  const gone = await poll(async () => {
    last = await kube.get(resource, name, { namespace });
    return last === undefined || last.metadata.uid !== uid ? true : undefined;
  }, run);
  if (gone === undefined) throw notDeleted(kube, object, resource, last);
}

function notDeleted(
  { cluster: { context } }: Kube,
  { metadata: { name, namespace } }: KubeObject,
  resource: Resource,
  last: KubeObject | undefined,
): StellarError {
  const finalizers = last?.metadata.finalizers ?? [];
  // Of namespaces: whose finalizers hold them.
  const remaining = conditionOf(last as WithConditions | undefined, 'NamespaceFinalizersRemaining');
  const where = namespace === undefined ? [] : ['-n', namespace];
  return new StellarError(
    'timeout',
    `${resource.kind} ${name} on ${context} was not deleted in time${finalizers.length ? `; it is blocked by finalizer ${finalizers.join(', ')}` : ''}.`,
    {
      details: remaining?.status === 'True' && remaining.message ? [remaining.message] : [],
      next: [run(command`kubectl --context ${context} get ${resource.plural} ${name} ${where} -o yaml`, 'Look at it')],
    },
  );
}
