import { randomUUID } from 'node:crypto';
import type { Kube } from '../kube/client/client.ts';
import { ApiError } from '../kube/client/errors.ts';
import type { Resource } from '../kube/client/resources.ts';

/** How long the API server may wait for its webhooks, in seconds: OCM allows ten, a healthy webhook takes milliseconds. */
const patienceSeconds = 5;

/**
 * Tries the admission of an object with one of a random name that is not stored (`dryRun=All`). Needs the right to create it.
 * @returns why the API server refuses it; undefined if it would be created
 * @throws StellarError if the API server does not answer
 */
export async function tryAdmission(
  kube: Kube,
  resource: Resource,
  { namespace, spec }: { namespace?: string; spec: object },
): Promise<ApiError | undefined> {
  const { apiVersion, kind } = resource;
  const name = `stellarctl-try-${randomUUID().slice(0, 8)}`;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const trial = { apiVersion, kind, metadata, spec };
  try {
    await kube.tryCreate(resource, trial, patienceSeconds);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error;
  }
}
