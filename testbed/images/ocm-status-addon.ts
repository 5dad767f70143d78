import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { StatusAddon } from '../kubestellar/status-addon.ts';
import { runStatusAgent } from '../kubestellar/status-agent.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';

/** Stands in for KubeStellar's status add-on: its manager on the hub, its agents on the clusters. */
export async function ocmStatusAddon(context: PodContext): Promise<void> {
  const [command = ''] = context.args;
  if (command === 'agent') return statusAgent(context);
  if (command !== 'controller') throw new Exit(`Error: unknown command "${command}"`);
  const { api, env, signal } = context;
  new StatusAddon(api, signal, env.STATUS_ADDDON_IMAGE_NAME);
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

async function statusAgent({
  args,
  api,
  connect,
  readFile,
  setReady,
  signal,
  log,
}: PodContext): Promise<void> {
  const flag = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
  const file = flag('hub-kubeconfig');
  const kubeconfig = readFile(file);
  if (!kubeconfig) throw new Exit(`stat ${file}: no such file or directory`);
  const { connection } = readCurrentContext(kubeconfig, (path) =>
    readFile(join(dirname(file), path)),
  );
  setReady(true);
  await runStatusAgent({
    own: api,
    hub: connect(connection),
    cluster: flag('cluster-name'),
    signal,
    log,
  });
}
