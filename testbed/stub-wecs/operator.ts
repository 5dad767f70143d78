import { isDeepStrictEqual } from 'node:util';
import { type Api, type Dial, keyOf } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { withCondition } from '../kube/conditions.ts';
import { Informer } from '../kube/informer.ts';
import type { Condition, Deployment, Klusterlet } from '../kube/objects.ts';
import { deployments, klusterlets, namespaces, secrets } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { managedCrds } from '../ocm/crds.ts';
import { addonNamespace, agentNamespace, finalizer, hubKubeconfigSecret } from '../ocm/names.ts';
import { runAgent } from './agent.ts';

export interface OperatorParts {
  api: Api;
  /** The network of the stub's pods. */
  dial: Dial;
  log: (line: string) => void;
}

/**
 * Does what OCM's operator does for Klusterlets of mode Singleton, until the signal: creates the agent's Deployment, runs the agent, reports both, and
 * removes everything but the CRDs when the Klusterlet is deleted (ocm v1.0.0, pkg/operator/operators/klusterlet).
 */
export function runOperator({ api, dial, log }: OperatorParts, signal: AbortSignal): void {
  const agents = new Map<string, AbortController>();
  const queue = new WorkQueue(
    async (name) => {
      const klusterlet = items.items.get(name);
      if (!klusterlet) return;
      const { finalizers = [], deletionTimestamp, uid = '' } = klusterlet.metadata;
      const namespace = klusterlet.spec?.namespace || agentNamespace;
      if (deletionTimestamp) {
        agents.get(uid)?.abort();
        for (const each of [namespace, addonNamespace]) await api.delete(namespaces, each);
        const left = finalizers.filter((each) => each !== finalizer.klusterlet);
        await api.patch(klusterlets, name, { metadata: { finalizers: left } });
        return;
      }
      if (!finalizers.includes(finalizer.klusterlet))
        await api.patch(klusterlets, name, {
          metadata: { finalizers: [...finalizers, finalizer.klusterlet] },
        });
      for (const each of [namespace, addonNamespace])
        await api.ensure(namespaces, { metadata: { name: each } });
      for (const object of await managedCrds()) await apply(api, object);
      const made = await apply<Deployment>(api, deploymentOf(klusterlet, namespace));
      const isRegistered =
        (await api.find(secrets, `${namespace}/${hubKubeconfigSecret}`)) !== undefined;
      await report(api, klusterlet, made, isRegistered);
      if (agents.has(uid)) return;
      const agent = new AbortController();
      agents.set(uid, agent);
      void runAgent(
        { api, dial, namespace, klusterlet, log, onRegistered: () => queue.add(name) },
        AbortSignal.any([signal, agent.signal]),
      );
    },
    signal,
    (name, { message }) => log(`klusterlet ${name}: ${message}`),
  );
  const onError = ({ message }: Error) => log(message);
  const items = new Informer<Klusterlet>(
    api,
    klusterlets,
    { onError, onChange: (each) => queue.add(keyOf(each)) },
    signal,
  );
  const onDeployment = () => {
    for (const name of items.items.keys()) queue.add(name);
  };
  new Informer<Deployment>(api, deployments, { onError, onChange: onDeployment }, signal);
}

async function report(
  api: Api,
  { metadata, status }: Klusterlet,
  made: Deployment,
  isRegistered: boolean,
): Promise<void> {
  const { generation: observedGeneration = 0 } = metadata;
  const word = (isWell: boolean, type: string, reason: string, message = ''): Condition => {
    const isGood = type === 'Applied' || type === 'Available';
    return {
      type,
      status: isWell === isGood ? 'True' : 'False',
      reason,
      message,
      observedGeneration,
    };
  };
  const isUp = Boolean(made.status?.availableReplicas);
  const pods = isUp ? 'DeploymentsFunctional' : 'UnavailablePods';
  const conditions = [
    word(true, 'Applied', 'KlusterletApplied', 'Klusterlet Component Applied'),
    word(isUp, 'Available', isUp ? 'KlusterletAvailable' : 'NoAvailablePods'),
    word(isUp, 'RegistrationDesiredDegraded', pods),
    word(isUp, 'WorkDesiredDegraded', pods),
    word(
      isRegistered,
      'HubConnectionDegraded',
      isRegistered ? 'HubConnectionFunctional' : unregistered,
    ),
  ].reduce(withCondition, status?.conditions ?? []);
  const wanted = { ...status, observedGeneration, conditions };
  if (!isDeepStrictEqual(status, wanted))
    await api.patch(klusterlets, metadata.name, { status: wanted }, { subresource: 'status' });
}

const createdBy = 'open-cluster-management.io/created-by-klusterlet';
const unregistered = 'BootstrapSecretFunctional,HubKubeConfigSecretMissing';

/** The agent's (ocm manifests/klusterlet/management/klusterlet-agent-deployment.yaml). */
function deploymentOf(
  { metadata: { name }, spec = {} }: Klusterlet,
  namespace: string,
): Deployment {
  const app = 'klusterlet-agent';
  const { imagePullSpec: image = '' } = spec;
  const template = { metadata: { labels: { app } }, spec: { containers: [{ name: app, image }] } };
  return {
    ...{ apiVersion: deployments.apiVersion, kind: deployments.kind },
    metadata: { name: `${name}-agent`, namespace, labels: { app, [createdBy]: name } },
    spec: { replicas: 1, selector: { matchLabels: { app } }, template },
  };
}
