import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { Secret } from '../kube/objects.ts';
import { secrets } from '../kube/resources.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { k3sKubeconfig } from './k3s.ts';
import { vclusterKey, vclusterSecret } from './names.ts';

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** A vcluster's syncer, which publishes a kubeconfig for its users once its API server runs. */
export async function syncer(context: PodContext): Promise<void> {
  const { args, signal } = context;
  let text: string | undefined;
  for (; text === undefined; text = context.readFile(k3sKubeconfig)) {
    if (signal.aborted) return;
    await sleep(200);
  }
  const server =
    args.find((arg) => arg.startsWith('--out-kube-config-server='))?.split('=')[1] ?? '';
  await writeSecret(context, text, server);
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

/** All of its data is replaced: additions by KubeFlex must be repeated. */
async function writeSecret({ api, pod }: PodContext, text: string, server: string): Promise<void> {
  const config = parse(text) as Kubeconfig;
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error(`no cluster in ${k3sKubeconfig}`);
  cluster.server = server;
  const data = {
    [vclusterKey]: Buffer.from(stringify(config)).toString('base64'),
    'certificate-authority': cluster['certificate-authority-data'],
    'client-certificate': user['client-certificate-data'],
    'client-key': user['client-key-data'],
  };
  const namespace = pod.metadata.namespace ?? '';
  const present = await api.find<Secret>(secrets, `${namespace}/${vclusterSecret}`);
  if (present) await api.update<Secret>(secrets, { ...present, data });
  else
    await api.create<Secret>(secrets, {
      metadata: { name: vclusterSecret, namespace },
      type: 'Opaque',
      data,
    });
}
