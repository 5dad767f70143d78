import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ManagedCluster } from '../../kube/objects.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import type { Requester } from './access-review.ts';
import { webhookPort } from './webhooks.ts';

export interface AdmissionRequest {
  uid: string;
  operation: 'CREATE' | 'UPDATE';
  userInfo: Requester;
  object: ManagedCluster;
  oldObject: ManagedCluster | null;
}

export interface Verdict {
  allowed: boolean;
  status?: { code: number; reason: string; message: string };
  /** JSON patch operations. */
  patch?: object[];
}

export const allowed: Verdict = { allowed: true };

export function badRequest(message: string): Verdict {
  return { allowed: false, status: { code: 400, reason: 'BadRequest', message } };
}

export function forbidden(message: string): Verdict {
  return { allowed: false, status: { code: 403, reason: 'Forbidden', message } };
}

type Decide = (path: string, request: AdmissionRequest) => Promise<Verdict>;

/** Answers admission reviews, with the serving certificate that is mounted, until the pod stops. */
export async function serveAdmission(
  { readFile, serve, setReady, signal, log }: PodContext,
  decide: Decide,
): Promise<void> {
  const [cert, key] = [readFile('/serving-certs/tls.crt'), readFile('/serving-certs/tls.key')];
  if (!cert || !key) throw new Error('open /serving-certs/tls.crt: no such file or directory');
  serve(webhookPort, { cert, key }, (request, response) => {
    answer(request, response, decide).catch((error: Error) => {
      log(error.stack ?? error.message);
      response.writeHead(500).end();
    });
  });
  setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

async function answer(incoming: IncomingMessage, response: ServerResponse, decide: Decide): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { request } = JSON.parse(Buffer.concat(chunks).toString()) as { request: AdmissionRequest };
  const { patch = [], ...verdict } = await decide(new URL(incoming.url ?? '/', 'https://webhook').pathname, request);
  const encoded = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  const answered = { uid: request.uid, ...verdict, ...(patch.length > 0 && encoded) };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answered }));
}
