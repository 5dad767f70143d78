import { setTimeout as sleep } from 'node:timers/promises';
import type { CurrentContext } from '../../kube/kubeconfig.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { keepCertificate } from './certificate-keeping.ts';
import { createCluster } from './cluster-creation.ts';
import { type Identity, isValid, readHubFiles } from './hub-kubeconfig.ts';
import type { AgentOptions } from './options.ts';

/** How often the agent checks whether it can continue (ocm pkg/registration/spoke/spokeagent.go). */
const validityPoll = 1_000;

/**
 * Registers with the bootstrap kubeconfig: creates ManagedCluster and request in parallel, and resolves once the certificate is
 * issued, stored, and available as a file (ocm pkg/registration/spoke/spokeagent.go).
 */
export async function bootstrap(
  context: PodContext,
  bootstrapped: CurrentContext,
  identity: Identity,
  options: AgentOptions,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const hub = context.connect(bootstrapped.connection);
  createCluster(hub, identity.cluster, options, until, context.log);
  keepCertificate({ context, hub, bootstrapped, identity, options }, until);
  while (!isValid(readHubFiles(context), bootstrapped, identity)) await sleep(validityPoll, undefined, { signal });
  done.abort();
}
