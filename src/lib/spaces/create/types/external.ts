import { isDeepStrictEqual } from 'node:util';
import type { Kube } from '../../../kube/client/client.ts';
import type { Secret } from '../../../kube/objects.ts';
import { partialReader } from '../../../kube/partial-reader.ts';
import { resources } from '../../../kube/resources.ts';
import { namespaceOf, secretOf } from '../../../model/kubeflex-names.ts';
import type { ControlPlane } from '../../../model/kubeflex-objects.ts';
import { type Bootstrap, type ExternalCluster, prepareBootstrap } from '../bootstrap.ts';
import { bootstrapSecretOf } from '../manifests.ts';
import type { SpaceEntries } from '../space-work.ts';

/** The cluster that will become a space, and whether its context is in the kubeconfig where the space's context is written. */
export interface ExternalIts extends ExternalCluster {
  isOwnContext: boolean;
}

/** KubeFlex's initial access to the cluster. @returns undefined if KubeFlex already has its own credentials */
export async function missingBootstrap(
  name: string,
  external: ExternalIts,
  hosting: Kube,
): Promise<Bootstrap | undefined> {
  const credentials = secretOf.external?.name ?? '';
  const present = await hosting.get<Secret>(resources.secrets, credentials, { namespace: namespaceOf(name) });
  return present === undefined ? prepareBootstrap(name, external, hosting.cluster.context) : undefined;
}

/** A control plane that another program created may refer to another kubeconfig, or to none. */
export async function referToBootstrap({ metadata, spec }: ControlPlane, hosting: Kube): Promise<void> {
  const wanted = bootstrapSecretOf(metadata.name);
  if (isDeepStrictEqual(spec?.bootstrapSecretRef, wanted)) return;
  await hosting.merge(resources.controlPlanes, metadata.name, { spec: { bootstrapSecretRef: wanted } });
}

/**
 * Deletes a leftover bootstrap Secret. KubeFlex deletes it after its first access, but one that a concurrent run writes at that
 * moment would remain, with cluster-admin rights.
 * @returns whether there was one
 */
export async function removeBootstrap(name: string, hosting: Kube): Promise<boolean> {
  const { name: secret, namespace } = bootstrapSecretOf(name);
  const left = await partialReader(hosting).get<Secret>(resources.secrets, secret, { namespace });
  return left !== undefined && hosting.delete(resources.secrets, secret, { namespace, uid: left.metadata.uid });
}

export const entriesOfExternal = ({ context, isOwnContext }: ExternalIts): SpaceEntries =>
  isOwnContext ? { sameAs: context.name } : { entries: context };
