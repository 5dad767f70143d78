import { createHash } from 'node:crypto';
import type { Api } from '../../kube/api.ts';
import type { RestMapper } from '../../kube/rest-mapper.ts';

/** What the work agent's controllers share. */
export interface WorkContext {
  hub: Api;
  /** The managed cluster, as the agent's service account. */
  own: Api;
  mapper: RestMapper;
  cluster: string;
  agentId: string;
  hubHash: string;
  /** How long a work may be missing on the hub, in milliseconds. */
  graceMs: number;
}

/** The hub of a work: the digest of the server as the agent's kubeconfig spells it (ocm pkg/work/helper). */
export function hubHash(server: string): string {
  return createHash('sha256').update(server).digest('hex');
}

/** The name of a work's AppliedManifestWork. */
export function appliedName({ hubHash: hash }: WorkContext, work: string): string {
  return `${hash}-${work}`;
}
