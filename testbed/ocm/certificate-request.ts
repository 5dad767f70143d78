import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { CertificateSigningRequest } from '../kube/objects.ts';
import type { Identity } from './hub-kubeconfig.ts';
import {
  agentUser,
  clientSigner,
  clusterGroup,
  clusterNameLabel,
  managedClustersGroup,
} from './names.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface NewRequest {
  metadata: { generateName: string; labels: Record<string, string> };
  spec: CertificateSigningRequest['spec'];
}

/** A PKCS#10 request with a new key, in PEM. */
export interface RequestWithKey {
  requestPem: string;
  keyPem: string;
}

export async function newRequest(
  commonName: string,
  organizations: string[],
): Promise<RequestWithKey> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  // All organizations in one part of the name, as Go writes them.
  const name = [{ O: organizations }, { CN: [commonName] }];
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: algorithm,
  });
  return {
    requestPem: `${request.toString('pem')}\n`,
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'sec1', format: 'pem' }).toString(),
  };
}

/**
 * The object in which an agent sends its request (ocm pkg/registration/register/csr); the hub makes its name from
 * generateName.
 */
export function requestObject(cluster: string, requestPem: string): NewRequest {
  return {
    metadata: { generateName: `${cluster}-`, labels: { [clusterNameLabel]: cluster } },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: clientSigner,
      usages: ['digital signature', 'key encipherment', 'client auth'],
    },
  };
}

/** An agent's request, and the key that belongs to it. */
export async function agentRequest({
  cluster,
  agent,
}: Identity): Promise<{ request: NewRequest; keyPem: string }> {
  const { requestPem, keyPem } = await newRequest(agentUser(cluster, agent), [
    clusterGroup(cluster),
    managedClustersGroup,
  ]);
  return { request: requestObject(cluster, requestPem), keyPem };
}
