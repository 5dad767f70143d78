import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { Informer } from '../../kube/informer.ts';
import type { CurrentContext } from '../../kube/kubeconfig.ts';
import type { CertificateSigningRequest, Secret } from '../../kube/objects.ts';
import { certificateSigningRequests, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { addonNameLabel, clusterNameLabel, hubKubeconfigSecret } from '../names.ts';
import { agentRequest } from './certificate-request.ts';
import { createCluster } from './cluster-creation.ts';
import { filesOf, type HubFiles, hubFiles, type Identity, isValid } from './hub-kubeconfig.ts';
import type { AgentOptions } from './options.ts';

/** How often the agent looks whether it has what it needs to go on (ocm pkg/registration/spoke/spokeagent.go). */
const validityPoll = 1_000;

/** With so many requests for the cluster on the hub no more are made (ocm pkg/registration/register/csr). */
const requestLimit = 10;

/**
 * Registers with the bootstrap kubeconfig: creates ManagedCluster and request side by side, and resolves with the files
 * of the hub kubeconfig Secret once the certificate is issued and stored (ocm pkg/registration/spoke/spokeagent.go).
 */
export async function bootstrap(
  context: PodContext,
  kubeconfig: CurrentContext,
  identity: Identity,
  options: AgentOptions,
  signal: AbortSignal,
): Promise<HubFiles> {
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const hub = context.connect(kubeconfig.connection);
  const own = `${context.pod.metadata.namespace}/${hubKubeconfigSecret}`;
  createCluster(hub, identity.cluster, options, until, context.log);
  requestCertificate(context, hub, kubeconfig, identity, options, until);
  for (;;) {
    const files = filesOf(await context.api.find<Secret>(secrets, own).catch(() => undefined));
    if (isValid(files, kubeconfig, identity)) {
      done.abort();
      return files;
    }
    await sleep(validityPoll, undefined, { signal });
  }
}

/** Makes a request, once the hub's requests can be watched, and stores the certificate that comes of it. */
function requestCertificate(
  { api, pod, log }: PodContext,
  hub: Api,
  kubeconfig: CurrentContext,
  identity: Identity,
  options: AgentOptions,
  signal: AbortSignal,
): void {
  // Name and key live in memory: a restarted agent makes a new request.
  let pending: { name: string; keyPem: string } | undefined;
  const onError = (error: Error) => log(`failed to watch certificate signing requests: ${error.message}`);
  const labelSelector = `${clusterNameLabel}=${identity.cluster},!${addonNameLabel}`;
  const queue = new WorkQueue(
    async () => {
      if (!pending) {
        if (requests.items.size >= requestLimit) {
          return log(`Stop creating csr since there are too many csr created already on hub (${requests.items.size})`);
        }
        const { request, keyPem } = await agentRequest(identity, options.certificateSeconds);
        const { metadata } = await hub.create<CertificateSigningRequest>(certificateSigningRequests, request);
        pending = { name: metadata.name, keyPem };
        return;
      }
      const certificate = issuedCertificate(requests.items.get(pending.name));
      if (certificate) await store(hubFiles(kubeconfig, identity, certificate, pending.keyPem));
    },
    signal,
    (_key, error) => log(`failed to get a certificate: ${error.message}`),
  );
  const store = async (files: HubFiles) => {
    const data = Object.fromEntries(
      Object.entries(files).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const metadata = { name: hubKubeconfigSecret, namespace: pod.metadata.namespace ?? '' };
    await apply<Secret>(api, { apiVersion: secrets.apiVersion, kind: secrets.kind, metadata, data });
  };
  const requests = new Informer<CertificateSigningRequest>(
    hub,
    certificateSigningRequests,
    {
      labelSelector,
      onError,
      onChange: ({ metadata }, change) => {
        // "unable to get csr … It might have already been deleted": then a new one is made.
        if (change === 'deleted' && metadata.name === pending?.name) pending = undefined;
        queue.add('request');
      },
    },
    signal,
  );
  void requests.synced.then(() => queue.add('request'));
}

/** Approved, not denied, and signed; anything else is waited for in silence. */
function issuedCertificate(request: CertificateSigningRequest | undefined): string | undefined {
  const types = request?.status?.conditions?.map(({ type }) => type) ?? [];
  const { certificate } = request?.status ?? {};
  if (!certificate || !types.includes('Approved') || types.includes('Denied')) return undefined;
  return Buffer.from(certificate, 'base64').toString();
}
