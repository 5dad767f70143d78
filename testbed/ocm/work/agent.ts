import { readCurrentContext } from '../../kube/kubeconfig.ts';
import { RestMapper } from '../../kube/rest-mapper.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import type { HubFiles, Identity } from '../agent/hub-kubeconfig.ts';
import { gracePeriod } from './evict.ts';
import { serveWorks } from './serve-works.ts';
import { hubHash } from './work-context.ts';

/** The work agent inside the agent of Singleton mode, after registration. */
export async function worksOfRegistered(
  context: PodContext,
  files: HubFiles,
  identity: Identity,
  signal: AbortSignal,
): Promise<void> {
  const { connection } = readCurrentContext(files.kubeconfig ?? '', (path) => files[path]);
  await serveMailbox(context, connection, identity, signal);
}

function serveMailbox(
  { api: own, args, connect, log }: PodContext,
  connection: Parameters<PodContext['connect']>[0],
  { cluster, agent: agentId }: Identity,
  signal: AbortSignal,
): Promise<void> {
  const context = {
    hub: connect(connection),
    own,
    cluster,
    agentId,
    hubHash: hubHash(connection.server),
    graceMs: gracePeriod(args),
  };
  return serveWorks({ ...context, mapper: new RestMapper(own) }, signal, log);
}
