import { X509Certificate } from 'node:crypto';
import type { Api } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { Informer } from '../../kube/informer.ts';
import type { CurrentContext } from '../../kube/kubeconfig.ts';
import type { CertificateSigningRequest, Condition, Secret } from '../../kube/objects.ts';
import { certificateSigningRequests, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { addonNameLabel, clusterNameLabel, condition, hubKubeconfigSecret } from '../names.ts';
import { agentRequest } from './certificate-request.ts';
import { filesOf, type HubFiles, hubFiles, type Identity, isIssuedTo } from './hub-kubeconfig.ts';
import type { AgentOptions } from './options.ts';

/** With so many requests for the cluster on the hub no more are created (ocm pkg/registration/register/csr). */
const requestLimit = 10;

/** How often the certificate is checked without an event. */
const resync = 300_000;

export interface CertificateParts {
  context: PodContext;
  /** The hub, with the bootstrap kubeconfig before the registration and with the agent's own certificate after it. */
  hub: Api;
  bootstrapped: CurrentContext;
  identity: Identity;
  options: AgentOptions;
  /** Called after each attempt, but not while the agent bootstraps. */
  report?: (condition: Condition) => Promise<void>;
}

/**
 * Keeps a valid certificate in the hub kubeconfig Secret until the signal: requests one from the hub if the Secret has no valid
 * one, and stores what is issued (ocm pkg/registration/register/secret_controller.go, csr/csr.go). A denied request is waited for
 * silently for as long as it exists.
 */
export function keepCertificate(parts: CertificateParts, signal: AbortSignal): void {
  const { context, hub, bootstrapped, identity, options, report = async () => {} } = parts;
  const { api, pod, log } = context;
  const namespace = pod.metadata.namespace ?? '';
  // Name and key are only in memory: a restarted agent creates a new request.
  let pending: { name: string; keyPem: string } | undefined;
  const request = async () => {
    const count = requests.items.size;
    if (count >= requestLimit) {
      log(`Stop creating csr since there are too many csr created already on hub (${count})`);
      return report(failed('Stop creating csr since there are too many csr created already on hub'));
    }
    const { request: wanted, keyPem } = await agentRequest(identity, options.certificateSeconds);
    const made = await hub
      .create<CertificateSigningRequest>(certificateSigningRequests, wanted)
      .catch(async (error: Error) => {
        await report(failed(`Failed to create CSR ${error.message}`));
        throw error;
      });
    pending = { name: made.metadata.name, keyPem };
  };
  const queue = new WorkQueue(
    async () => {
      if (!pending) {
        const files = filesOf(await api.find<Secret>(secrets, `${namespace}/${hubKubeconfigSecret}`));
        if (!isCurrent(files, bootstrapped, identity)) await request();
        return;
      }
      const certificate = issuedCertificate(requests.items.get(pending.name));
      if (!certificate) return;
      await store(api, namespace, hubFiles(bootstrapped, identity, certificate, pending.keyPem));
      pending = undefined;
      await report(rotated(certificate));
    },
    signal,
    (_key, error) => log(`failed to get a certificate: ${error.message}`),
  );
  const wake = () => queue.add('certificate');
  const own = new Informer<Secret>(
    api,
    secrets,
    { namespace, fieldSelector: `metadata.name=${hubKubeconfigSecret}`, onChange: wake },
    signal,
  );
  const requests = new Informer<CertificateSigningRequest>(
    hub,
    certificateSigningRequests,
    {
      labelSelector: `${clusterNameLabel}=${identity.cluster},!${addonNameLabel}`,
      onError: (error) => log(`failed to watch certificate signing requests: ${error.message}`),
      onChange: ({ metadata }, change) => {
        // "unable to get csr … It might have already been deleted": then a new one is created.
        if (change === 'deleted' && metadata.name === pending?.name) pending = undefined;
        // No decision before everything is known.
        void synced.then(wake);
      },
    },
    signal,
  );
  const synced = Promise.all([own.synced, requests.synced]);
  void synced.then(wake);
  const timer = setInterval(wake, resync);
  signal.addEventListener('abort', () => clearInterval(timer));
}

/** Whether the Secret is complete, and more than 20 to 25 % of its certificate's lifetime remain. */
function isCurrent(files: HubFiles, bootstrapped: CurrentContext, identity: Identity): boolean {
  const { 'tls.crt': certificate, 'tls.key': key } = files;
  if (!certificate || !isIssuedTo(certificate, identity)) return false;
  const wanted = hubFiles(bootstrapped, identity, certificate, key ?? '');
  if (['kubeconfig', 'cluster-name', 'agent-name'].some((file) => files[file] !== wanted[file])) return false;
  const { from, to } = validityOf(certificate);
  return to - Date.now() > (to - from) * (0.2 + Math.random() * 0.05);
}

async function store(api: Api, namespace: string, files: HubFiles): Promise<void> {
  const encoded = Object.entries(files).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const metadata = { name: hubKubeconfigSecret, namespace };
  const data = Object.fromEntries(encoded) as Record<string, string>;
  await apply<Secret>(api, { apiVersion: secrets.apiVersion, kind: secrets.kind, metadata, data });
}

/** Approved, not denied, and signed; anything else is waited for silently. */
function issuedCertificate(request: CertificateSigningRequest | undefined): string | undefined {
  const types = request?.status?.conditions?.map(({ type }) => type) ?? [];
  const { certificate } = request?.status ?? {};
  if (!certificate || !types.includes('Approved') || types.includes('Denied')) return undefined;
  return Buffer.from(certificate, 'base64').toString();
}

function validityOf(certificate: string): { from: number; to: number } {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return { from: Date.parse(validFrom), to: Date.parse(validTo) };
}

function rotated(certificate: string): Condition {
  const { from, to } = validityOf(certificate);
  const message = `client certificate rotated starting from ${inGoWords(from)} to ${inGoWords(to)}`;
  return { type: condition.certificateRotated, status: 'True', reason: 'ClientCertificateUpdated', message };
}

function failed(message: string): Condition {
  return { type: condition.certificateRotated, status: 'False', reason: 'ClientCertificateUpdateFailed', message };
}

/** How Go prints a time. */
function inGoWords(milliseconds: number): string {
  const [day, time] = new Date(milliseconds).toISOString().split(/[T.]/);
  return `${day} ${time} +0000 UTC`;
}
