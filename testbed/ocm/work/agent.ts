import { dirname, join } from 'node:path';
import { Informer } from '../../kube/informer.ts';
import { readCurrentContext } from '../../kube/kubeconfig.ts';
import type { Secret } from '../../kube/objects.ts';
import { secrets } from '../../kube/resources.ts';
import { RestMapper } from '../../kube/rest-mapper.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { filesOf, type HubFiles, type Identity } from '../agent/hub-kubeconfig.ts';
import { hubKubeconfigSecret } from '../names.ts';
import { gracePeriod } from './evict.ts';
import { serveWorks } from './serve-works.ts';
import { hubHash } from './work-context.ts';

/**
 * Stands in for `work agent`, which has its own pod in Default mode (ocm pkg/work/spoke). It ends, to be restarted, when its hub
 * kubeconfig changes.
 */
export async function workAgent(context: PodContext): Promise<void> {
  const { args, readFile, setReady, log } = context;
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
  const file = flag('workload-source-config');
  const kubeconfig = readFile(file);
  if (!kubeconfig) throw new Error(`stat ${file}: no such file or directory`);
  const read = (path: string) => readFile(join(dirname(file), path));
  const { connection } = readCurrentContext(kubeconfig, read);
  const signal = AbortSignal.any([context.signal, restartOnChange(context, kubeconfig)]);
  setReady(true);
  await serveMailbox(context, connection, { cluster: flag('spoke-cluster-name'), agent: flag('agent-id') }, signal);
  log('ended');
}

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

/**
 * `--terminate-on-files`, which the operator sets to the kubeconfig: it watches the mounted Secret. A deleted Secret changes no
 * file, and another certificate is read from its file without a restart.
 */
function restartOnChange({ api, pod, signal, log }: PodContext, kubeconfig: string): AbortSignal {
  const restart = new AbortController();
  const onChange = (secret: Secret, change: string) => {
    if (change !== 'deleted' && filesOf(secret).kubeconfig !== kubeconfig) restart.abort();
  };
  new Informer<Secret>(
    api,
    secrets,
    {
      namespace: pod.metadata.namespace ?? '',
      fieldSelector: `metadata.name=${hubKubeconfigSecret}`,
      onError: ({ message }) => log(message),
      onChange,
    },
    signal,
  );
  return restart.signal;
}
