import { findCondition } from '../../kube/conditions.ts';
import { Informer } from '../../kube/informer.ts';
import type { Deployment, Klusterlet, Secret } from '../../kube/objects.ts';
import { deployments, klusterlets, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { bootstrapSecret, hubKubeconfigSecret, pullSecret } from '../names.ts';
import { applyKlusterlet } from './apply-klusterlet.ts';
import { availability } from './availability.ts';
import { cleanUp } from './clean-up.ts';
import { hubConnection } from './hub-connection.ts';
import { wantedOf } from './klusterlet-spec.ts';
import { isApplied, setConditions } from './klusterlet-status.ts';

/** The interval at which the operator rechecks the connection to a hub that does not accept the agent yet, and everything. */
const recheck = 30_000;
const resync = 300_000;

/**
 * Stands in for `registration-operator klusterlet`: three controllers for each Klusterlet, one that creates the objects, one that
 * reports the agents' Deployments, one that reports the connection to the hub.
 */
export async function klusterletOperator({ api, signal, connect, setReady, log }: PodContext): Promise<void> {
  const controller = (what: string, handle: (klusterlet: Klusterlet) => Promise<void>) => {
    const onError = (name: string, { message }: Error) => log(`${what} ${name}: ${message}`);
    const handleKey = async (name: string) => {
      const klusterlet = cache.items.get(name);
      if (klusterlet) await handle(klusterlet);
    };
    return new WorkQueue(handleKey, signal, onError);
  };

  const applying = controller('apply', async (klusterlet) => {
    if (klusterlet.metadata.deletionTimestamp) await cleanUp(api, klusterlet, [...cache.items.values()]);
    else await applyKlusterlet(api, klusterlet);
  });
  const reporting = controller('availability', async (klusterlet) => {
    const { name } = klusterlet.metadata;
    if (isApplied(klusterlet)) await setConditions(api, name, await availability(api, klusterlet));
  });
  const checked = new Set<string>();
  const check = async (klusterlet: Klusterlet) => {
    const { name, generation: observedGeneration = 0 } = klusterlet.metadata;
    const { namespace, clusterName } = wantedOf(klusterlet);
    const condition = await hubConnection({ api, connect, namespace, clusterName, signal });
    await setConditions(api, name, [{ ...condition, observedGeneration }]);
    const isUnauthorized = condition.reason === 'BootstrapSecretFunctional,HubKubeConfigUnauthorized';
    if (isUnauthorized) connecting.addAfter(name, recheck);
  };
  const connecting: WorkQueue = controller('hub connection', async (klusterlet) => {
    if (!isApplied(klusterlet)) return;
    const { name } = klusterlet.metadata;
    // A change during a check is noticed half a minute later: until then the condition may be outdated.
    if (checked.has(name)) return connecting.addAfter(name, recheck);
    checked.add(name);
    void check(klusterlet)
      .catch(({ message }: Error) => {
        log(`hub connection ${name}: ${message}`);
        connecting.addAfter(name, recheck);
      })
      .finally(() => checked.delete(name));
  });

  const all = [applying, reporting, connecting];
  const cache = new Informer<Klusterlet>(
    api,
    klusterlets,
    {
      onError: ({ message }) => log(message),
      onChange: (klusterlet, _change, before) => {
        const { name, generation } = klusterlet.metadata;
        const isNew = before?.metadata.generation !== generation || isApplied(before) !== isApplied(klusterlet);
        // The operator ignores most of its own status, except for the connection to the hub.
        const bearsOnObjects = bearingOnObjects(before) !== bearingOnObjects(klusterlet);
        const woken = isNew ? all : bearsOnObjects ? [applying, connecting] : [connecting];
        for (const queue of woken) queue.add(name);
      },
    },
    signal,
  );
  const wakeAll = (queues: WorkQueue[]) => {
    for (const name of cache.items.keys()) for (const queue of queues) queue.add(name);
  };
  for (const name of [bootstrapSecret, hubKubeconfigSecret, pullSecret]) {
    const onChange = () => wakeAll([applying, connecting]);
    // The operator may only list Secrets by name.
    new Informer<Secret>(api, secrets, { fieldSelector: `metadata.name=${name}`, onChange }, signal);
  }
  const onDeployment = ({ metadata }: Deployment, change: string, before?: Deployment) => {
    // A Deployment changed by another user is restored.
    const hasNewSpec = change === 'changed' && metadata.generation !== before?.metadata.generation;
    wakeAll(change === 'deleted' ? all : hasNewSpec ? [applying, reporting] : [reporting]);
  };
  new Informer<Deployment>(api, deployments, { onChange: onDeployment }, signal);
  const timer = setInterval(() => wakeAll(all), resync);
  signal.addEventListener('abort', () => clearInterval(timer));
  setReady(true);
  await cache.done;
}

/** The parts of a Klusterlet beside its spec on which the created objects depend. */
function bearingOnObjects(klusterlet: Klusterlet | undefined): string {
  const hub = findCondition(klusterlet?.status?.conditions, 'HubConnectionDegraded');
  return JSON.stringify([klusterlet?.metadata.finalizers, hub?.reason]);
}
