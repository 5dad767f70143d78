import { createHash } from 'node:crypto';
import type { KubeObject } from '../kube/objects.ts';

/** work.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface AppliedManifestWork extends KubeObject {
  spec?: { manifestWorkName?: string; hubHash?: string };
  status?: { appliedResources?: AppliedResource[] };
}

/** An object that a work has applied on the WEC. */
export interface AppliedResource {
  group: string;
  version: string;
  resource: string;
  name: string;
  namespace?: string;
}

/**
 * By this hash AppliedManifestWorks say which hub they are of: SHA-256 of the server in the agent's kubeconfig, spelled as it is
 * there (ocm pkg/work/helper, HubHash).
 */
export const hubHash = (server: string): string => createHash('sha256').update(server).digest('hex');
