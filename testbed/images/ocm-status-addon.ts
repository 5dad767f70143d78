import { once } from 'node:events';
import { StatusAddon } from '../kubestellar/status-addon.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { idle } from './idle.ts';

/** Stands in for KubeStellar's status add-on: its manager on the hub; its agents report nothing here. */
export async function ocmStatusAddon(context: PodContext): Promise<void> {
  const [command = ''] = context.args;
  if (command === 'agent') return idle(context);
  if (command !== 'controller') throw new Exit(`Error: unknown command "${command}"`);
  const { api, env, signal } = context;
  new StatusAddon(api, { agentImage: env.STATUS_ADDDON_IMAGE_NAME, clusters: false }, signal);
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}
